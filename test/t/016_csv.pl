# CSV files in and out: scripts/import with what people do to files, and every
# view out again.

use strict;
use warnings FATAL => 'all';

use File::Temp qw(tempdir);
use FindBin;
use IPC::Run;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = new_store('csv');
my $folder = tempdir(CLEANUP => 1);

# Loads a file of that content; returns exit code and output.
sub import_file
{
	my ($what, $content, @before) = @_;
	my ($out, $err) = ('', '');

	open my $file, '>:raw', "$folder/file.csv" or die "cannot write: $!";
	print $file $content;
	close $file or die "cannot write: $!";
	IPC::Run::run([ 'scripts/import', @before, $what, "$folder/file.csv", '-d', $node->connstr('postgres') ],
		'>', \$out, '2>', \$err);
	return ($? >> 8, $out . $err);
}

# What a load could change.
sub stored
{
	return $node->safe_psql('postgres', q{
		select p.copyright_code, p.registration_number, p.music_id, p.price_date, p.price from fundes.mcp_price p order by p;
		select position, type, payload, effective_at, metadata from fundes.event_log order by position;});
}

sub loads
{
	my ($what, $content, $counts, $rule) = @_;
	my ($code, $output) = import_file($what, $content);

	is("$code $output", "0 $counts\n", $rule);
	my $before = stored();
	my ($lines, $rest) = $counts =~ /^(\d+ lines?).* known(.*)/;
	my ($number) = $lines =~ /(\d+)/;
	($code, $output) = import_file($what, $content);
	is("$code $output", "0 $lines, 0 recorded, $number known$rest\n", "$rule: again it is known");
	is(stored(), $before, "$rule: again nothing changes");
	return;
}

sub refuses
{
	my ($what, $content, $expected, $rule, $expected_code) = @_;
	my $before = stored();
	my ($code, $output) = import_file($what, $content);

	is($code, $expected_code // 1, "$rule: exit code");
	like($output, $expected, "$rule: message");
	is(stored(), $before, "$rule: nothing is loaded");
	return;
}

$node->safe_psql('postgres', q{
	select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00'), fundes.create_fund('Cents', 10, 2, effective_at => '2023-06-01 09:00');
	select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00');
	select fundes.create_investment('A', 1, 1000000, effective_at => '2023-06-01 10:00');
	select fundes.create_investment('A', 2, 1000000, effective_at => '2023-06-01 10:00');
	select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 1000, effective_at => '2023-06-01 11:00');
	select fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 1000, effective_at => '2023-06-01 11:00');
	select fundes.sell_mcp(1, 2, 1000, effective_at => '2023-06-05 11:00');
	select fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 1000, effective_at => '2023-06-09 11:00');
	select fundes.purchase_mcp(2, 'M3', 'R3', 'S3', 1000, effective_at => '2023-06-01 11:00');
	select fundes.purchase_mcp(2, 'M5', 'R5', 'S5', 1000, effective_at => '2023-06-01 11:00');
	select fundes.sell_mcp(2, 5, 1000, effective_at => '2023-06-02 12:00');});

# Prices.
my $header = "copyright_code,registration_number,music_id,price_date,price\n";
loads('prices', $header . "M1,R1,S1,2023-06-01,630000\nM2,R2,S2,2023-06-01,12.5\n", '2 lines, 2 recorded, 0 known', 'prices');
loads('prices', $header . "M1,R1,S1,2023-06-01,630001\nM2,R2,S2,2023-06-01,12.5\n", '2 lines, 1 recorded, 1 known', 'a price that is corrected');
loads('prices', "price,music_id,price_date,registration_number,copyright_code\n5,S1,2023-06-02,R1,M1\n", '1 line, 1 recorded, 0 known', 'columns in any order');
loads('prices', "\xEF\xBB\xBFcopyright_code,registration_number,music_id,price_date,price\r\nM1,R1,S1,2023-06-03,5\r\n\r\n   \r\nM1,R1,S1,2023-06-04,6\r\n\r\n",
	'2 lines, 2 recorded, 0 known', 'a byte order mark, carriage returns and empty lines');
loads('prices', $header =~ s/\n/\r/r . "M2,R2,S2,2023-06-11,5\r\rM2,R2,S2,2023-06-12,6\r", '2 lines, 2 recorded, 0 known', 'carriage returns alone');
loads('prices', "\"Copyright_Code\" , \"registration number\",music_id,Price_Date, PRICE \n  M1 ,\"R1\", S1,2023-06-05,\" 7.5 \"\n", '1 line, 1 recorded, 0 known',
	'quotes, blanks and capitals');
loads('prices', "copyright_code;registration_number;music_id;price_date;price\nM1;\"R;1\";S1;2023-06-06;1e3\n", '1 line, 1 recorded, 0 known; 1 of copyrights that no fund holds or held', 'semicolons');
loads('prices', join("\t", qw(copyright_code registration_number music_id price_date price)) . "\nM1\tR1\tS1\t2023-06-07\t8", '1 line, 1 recorded, 0 known',
	'tabs, and no line break at the end');
loads('prices', $header . "\"M \"\"1\"\", x\",R1,S1,2023-06-01,1\n", '1 line, 1 recorded, 0 known; 1 of copyrights that no fund holds or held', 'quotation marks and commas in a field');
loads('prices', $header . "M1,R1,S1,2023-06-01,630001\nM 1,R1,S1,2023-06-01,2\nM4,R4,S4,2023-06-01,2\nM2,R2,S2,2023-06-01,12.5\n",
	'4 lines, 2 recorded, 2 known; 2 of copyrights that no fund holds or held', 'copyrights that nobody ever held');
loads('prices', $header . "M5,R5,S5,2023-06-01,2\n", '1 line, 1 recorded, 0 known', 'one that was held');
loads('prices', $header, '0 lines, 0 recorded, 0 known', 'only a header');
is($node->safe_psql('postgres', q{select string_agg(price_date || ' ' || trim_scale(price), ', ' order by price_date) from fundes.mcp_price where copyright_code = 'M1' and registration_number = 'R1'}),
	'2023-06-01 630001, 2023-06-02 5, 2023-06-03 5, 2023-06-04 6, 2023-06-05 7.5, 2023-06-07 8', 'the quotes are those of the files');
{
	my $before = stored();
	my ($code, $output) = import_file('prices', $header . "M1,R1,S1,2023-06-30,1\n", '--check');
	is("$code $output", "0 1 line, 1 recorded, 0 known (nothing loaded)\n", '--check says what would be loaded');
	is(stored(), $before, 'and loads nothing');
}

refuses('prices', "copyright_code,registration_number,music_id,price_date,price,note,\nM1,R1,S1,2023-06-01,5,x,\n",
	qr/^ERROR:  line 1: wrong columns: unknown: note, \(column 7 has no name\)$/m, 'unknown columns');
refuses('prices', "copyright_code,music_id,date,price\nM1,S1,2023-06-01,5\n",
	qr/line 1: wrong columns: unknown: date; missing: registration_number, price_date$/m, 'missing columns');
refuses('prices', "price,copyright_code,registration_number,music_id,price_date,Price\n5,M1,R1,S1,2023-06-01,6\n", qr/line 1: wrong columns: twice: price$/m, 'a column twice');
refuses('prices', "M1,R1,S1,2023-06-01,5\n", qr/line 1: wrong columns: unknown: m1, r1, s1, 2023-06-01, 5; missing/, 'no header');
refuses('prices', '', qr/the file is empty/, 'an empty file', 2);
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\nM1,R1,S1,2023-06-09,1\x002\n", qr/line 3 has a byte 0/, 'a byte 0', 2);
refuses('prices', "\xFF\xFEc\0o\0p\0y\0", qr/UTF-16/, 'UTF-16', 2);
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\n\nM1,R1,S1,2023-06-09,1,5\n", qr/COPY import, line 4/, 'a decimal comma without quotes');
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\nM1,R1,S1,2023-06-09\n", qr/missing data for column "5 price"\s.*COPY import, line 3/s, 'a field too few');
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\nM1,R1,S1,2023-06-09,\"1,5\"\n", qr/line 3: price is not a number\nDETAIL:  The value is "1,5"\.\nHINT:  Write 1234\.56/, 'a decimal comma');
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\nM1,R1,S1,2023-06-09,\n", qr/line 3: price is missing/, 'an empty field');
refuses('prices', $header . "M1,R1,S1,09.06.2023,5\n", qr/line 2: price_date is not a date\n.*09\.06\.2023/, 'a date of another country');
refuses('prices', $header . "M1,R1,S1,2206-06-08,5\n", qr/line 2: price_date is in the future\nDETAIL:  It is 2206-06-08, after /, 'a slip of the year');
refuses('prices', $header . "M1,R1,S1,2023-02-29,5\n", qr/line 2: price_date is not a date/, 'a day that there is not');
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\nM1,R1,S1,2023-06-09,-5\n", qr/line 3: Invalid amount or quantity\nDETAIL:  price is -5/, 'what record_mcp_price refuses');
refuses('prices', $header . "M1,R1,S1,2023-06-08,NaN\n", qr/line 2: price is not a number/, 'NaN');
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\nM1,R1,S1,2023-06-08,5.0\nM1,R1,S1,2023-06-08,6\n", qr/line 4: another price than in line 2/, 'two prices of a day');
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\nM1,R1,\"S\n1\",2023-06-08,5\n", qr/line 3: music_id has a line break/, 'a line break in quotes');
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\nM1,R1,\"S1,2023-06-08,5\n", qr/unterminated CSV quoted field\nCONTEXT:  COPY import, line/, 'quotes that are not closed');
refuses('prices', $header =~ s/\n/\r/r . "M1,R1,S1,2023-06-08,5\rM1,R1,S1,2023-06-09,x\r", qr/line 3: price is not a number/, 'carriage returns alone, and a bad line');
refuses('prices', $header . "M1,R1,S1,2023-06-08,5\n\\.\nM1,R1,S1,2023-06-09,5\n", qr/missing data for column "2 registration_number"\s.*COPY import, line 3/s, 'a line that ends data elsewhere');
refuses('prices', $header =~ s/\n/\r\n/r . "M1,R1,S1,2023-06-08,5\r\n\\.\r\n", qr/COPY import, line 3/, 'and so does the last line');
refuses('prices', "\\.\n" . $header . "M1,R1,S1,2023-06-08,5\n", qr/COPY import, line [12]\b|line 1: wrong columns/, 'and the first');
refuses('prices', $header . "M1,R1,\"S\n\\.\n1\",2023-06-08,5\n", qr/line 2: music_id has a line break/, 'and in quotes');
refuses('prices', $header . "M\xE9,R1,S1,2023-06-08,5\n", qr/invalid byte sequence for encoding "UTF8".*COPY import, line 2/s, 'not UTF-8');

# Royalties.
loads('royalties', "fund_id,asset_id,amount,period,effective_at\n1,1,100,2023-05,2023-06-10\n1,1,100,2023-05,2023-06-10\n2,4,0.55,2023-05-01,2023-06-10 12:00\n1,1,7,,2023-06-10T12:00:00+00\n",
	'4 lines, 4 recorded, 0 known', 'royalties, two of them alike');
loads('royalties', "fund_id,asset_id,amount,period,effective_at\n1,1,100.0,2023-05-01,2023-06-10\n", '1 line, 0 recorded, 1 known', 'the same in other words');
loads('royalties', "amount,copyright_code,registration_number,music_id,fund_id,effective_at\n11,M2,R2,S2,1,2023-06-04\n12,M2,R2,S2,1,2023-06-07\n13,M2,R2,S2,1,2023-06-10\n",
	'3 lines, 3 recorded, 0 known', 'by the name of the copyright');
loads('royalties', "fund_id,asset_id,amount,reference\n1,1,5,inv-1\n1,1,5,inv-2\n2,4,5,inv-1\n", '3 lines, 3 recorded, 0 known', 'by reference, as of now');
is($node->safe_psql('postgres', q{
	select string_agg(format('%s %s %s %s', payload ->> 'asset_id', payload ->> 'amount', payload ->> 'period', effective_at), e'\n' order by position)
	  from fundes.event_log where type = 'RoyaltyReceived' and not metadata ? 'reference'}), <<'ROYALTIES' =~ s/\n\z//r, 'each is effective in the zone of its fund');
1 100 2023-05-01 2023-06-10 00:00:01+09
1 100 2023-05-01 2023-06-10 00:00:01+09
1 7  2023-06-10 21:00:00+09
4 0.55 2023-05-01 2023-06-10 12:00:00+09
2 11  2023-06-04 00:00:01+09
2 12  2023-06-07 00:00:01+09
3 13  2023-06-10 00:00:01+09
ROYALTIES
is($node->safe_psql('postgres', q{select distinct metadata ->> 'file' || ' ' || (metadata ->> 'actor' = session_user) from fundes.event_log where type = 'RoyaltyReceived'}),
	'file.csv true', 'who loaded which file is in the metadata');
is($node->safe_psql('postgres', q{select metadata ->> 'line' || ' ' || (metadata ->> 'reference') from fundes.event_log where type = 'RoyaltyReceived' order by position desc limit 1}),
	'4 inv-1', 'and so are the line and the reference');
# A file is known again also where it is about another holding by now.
{
	my $by_name = "fund_id,copyright_code,registration_number,music_id,amount,period\n1,M6,R6,S6,500,2024-01\n1,M6,R6,S6,500,2024-01\n";
	my $by_reference = "fund_id,copyright_code,registration_number,music_id,amount,reference\n1,M6,R6,S6,600,inv-6\n";
	$node->safe_psql('postgres', q{select fundes.purchase_mcp(1, 'M6', 'R6', 'S6', 100)});
	loads('royalties', $by_name, '2 lines, 2 recorded, 0 known', 'by name, without a moment');
	loads('royalties', $by_reference, '1 line, 1 recorded, 0 known', 'by name and reference');
	$node->safe_psql('postgres', q{
		select fundes.sell_mcp(1, asset_id, 100) is not null from fundes.mcp_holding where copyright_code = 'M6';
		select fundes.purchase_mcp(1, 'M6', 'R6', 'S6', 100)});
	is((import_file('royalties', $by_name))[1], "2 lines, 0 recorded, 2 known\n", 'known after it was sold and bought again');
	is((import_file('royalties', $by_reference))[1], "1 line, 0 recorded, 1 known\n", 'known by its reference after it was sold and bought again');
	is($node->safe_psql('postgres', q{select count(*), count(distinct payload ->> 'asset_id') from fundes.event_log where type = 'RoyaltyReceived' and payload ->> 'amount' in ('500', '600')}),
		'3|1', 'and each is one royalty');
	refuses('royalties', $by_reference =~ s/S6/S1/r =~ s/M6,R6/M1,R1/r, qr/^DETAIL:  Recorded is copyright \(M6, R6, S6\), not \(M1, R1, S1\)\.$/m, 'another copyright with the same reference');
}
# Two loads of a file at once: what one records, the other knows.
{
	my @outputs = ('', '');
	open my $file, '>', "$folder/both.csv" or die "cannot write: $!";
	print $file "fund_id,asset_id,amount,effective_at\n", map { "1,1,$_,2023-06-30\n2,4,$_,2023-06-30\n" } 1 .. 200;
	close $file or die "cannot write: $!";
	my @loads = map { IPC::Run::start([ 'scripts/import', 'royalties', "$folder/both.csv", '-d', $node->connstr('postgres') ], '>', \$_, '2>', \$_) } @outputs;
	$_->finish foreach @loads;
	is(join('', sort @outputs), "400 lines, 0 recorded, 400 known\n400 lines, 400 recorded, 0 known\n", 'two loads of a file at once');
}
refuses('royalties', "fund_id,asset_id,amount,reference\n1,1,9,inv-9\n1,1,6,inv-1\n", qr/^ERROR:  line 3: reference "inv-1" is recorded with other content\nDETAIL:  Recorded is amount 5, not 6\.\nHINT:  .*another reference/m,
	'another amount with the same reference');
refuses('royalties', "fund_id,asset_id,amount,reference,period,effective_at\n1,3,5,inv-1,2023-05,2023-06-20\n",
	qr/^DETAIL:  Recorded is asset 1, not 3, period empty, not 2023-05-01, effective_at .*, not 2023-06-20 00:00:01\+09\.$/m, 'all that may differ');
is($node->safe_psql('postgres', q{do $$ begin
	perform fundes.import_royalties('[["fund_id","asset_id","amount","reference"],["1","1","6","inv-1"]]');
	raise exception 'accepted';
	exception when sqlstate 'UF008' then null; end $$}), '', 'the SQLSTATE');
refuses('royalties', "fund_id,asset_id,amount,reference\n1,1,9,inv-9\n1,1,9,inv-9\n", qr/line 3: the same reference as in line 2/, 'a reference twice');
refuses('royalties', "fund_id,asset_id,amount\n1,1,9\n1,99,9\n", qr/line 3: MCP not held/, 'what the fund never held');
refuses('royalties', "fund_id,copyright_code,registration_number,music_id,amount\n1,M1,R1,S1,9\n1,M9,R1,S1,9\n", qr/line 3: MCP not held\nDETAIL:  Fund 1 never held \(M9, R1, S1\)/, 'a copyright that it never held');
refuses('royalties', "fund_id,asset_id,copyright_code,registration_number,music_id,amount\n1,1,M2,R2,S2,9\n", qr/line 2: MCP not held\nDETAIL:  .*as asset 1/, 'an asset that is another copyright');
refuses('royalties', "fund_id,asset_id,amount\n1,1,9\n1,1,9.5\n", qr/line 3: Invalid amount or quantity/, 'more decimals than the fund has');
refuses('royalties', "fund_id,asset_id,amount\n1,1,9\n99,1,9\n", qr/line 3: Fund not found/, 'an unknown fund');
refuses('royalties', "fund_id,amount\n1,9\n", qr/line 2: asset_id is missing/, 'neither asset nor name');
refuses('royalties', "fund_id,asset_id,amount,effective_at\n1,1,9,2123-01-01\n", qr/line 2: Effective date is in the future/i, 'in the future');
refuses('royalties', "fund_id,asset_id,amount,effective_at\n1,1,9,2023-06-10 25:00\n", qr/line 2: effective_at is not a moment/, 'a time that there is not');
refuses('royalties', "fund_id,asset_id,amount,period\n1,1,9,June\n", qr/line 2: period is not a month/, 'a month in words');

# Index levels: a fall long ago halts nothing today, one of the last day does.
my $levels = "index_date,level,index_name\n2020-06-02,100,mcpi\n2020-06-01,200,mcpi\n2020-06-03,100,mcpi\n";
loads('index', $levels, '3 lines, 3 recorded, 0 known', 'index levels, in no order');
is($node->safe_psql('postgres', q{select string_agg(index_date || ' ' || trim_scale(level), ', ' order by index_date) from fundes.market_index}),
	'2020-06-01 200, 2020-06-02 100, 2020-06-03 100', 'they are those of the file');
is($node->safe_psql('postgres', q{select string_agg(effective_at::text, ', ' order by position) from fundes.event_log where type = 'IndexPublished' and effective_at < now() - interval '1 year'}),
	'2020-06-01 19:00:00+09, 2020-06-02 19:00:00+09', 'days before the last of the file are published as of their end where it is first');
is($node->safe_psql('postgres', q{select string_agg(effective_at || ' ' || (payload ->> 'until')::timestamptz, ', ') from fundes.event_log where type = 'TradingHalted'}),
	'2020-06-02 19:00:00+09 2020-06-02 19:20:00+09', 'what fell then halted then');
is($node->safe_psql('postgres', q{select count(*) from fundes.daily_control where 'trading halted' = any (findings)}), '0', 'dealing goes on');
{
	# the newest day has begun somewhere, wherever the clock stands: the day before it has ended there
	my @days = split /\n/, $node->safe_psql('postgres', q{select (now() at time zone 'Pacific/Kiritimati')::date - n from generate_series(0, 2) n});
	# it may have ended some minutes ago, so that a longer halt would still be in force
	$node->safe_psql('postgres', q{alter database postgres set fundes.halt_duration = '1s'});
	loads('index', "index_date,level,index_name\n$days[2],200,east\n$days[1],180,east\n$days[0],181,east\n", '3 lines, 3 recorded, 0 known', 'a fall of the day before');
	$node->safe_psql('postgres', q{alter database postgres reset fundes.halt_duration});
	is($node->safe_psql('postgres', qq{select bool_and(effective_at = ((payload ->> 'index_date')::date + 1)::timestamp at time zone 'Pacific/Kiritimati'), count(*)
		from fundes.event_log where type = 'IndexPublished' and payload ->> 'index_date' in ('$days[1]', '$days[2]')}),
		't|2', 'is published as of the end of that day, not as of now');
}
refuses('index', $levels . "2020-06-03,101,mcpi\n", qr/line 5: another level than in line 4/, 'two levels of a day');
refuses('index', "index_date,level,index_name\n2020-06-04,1,mcpi\n2020-06-05,0,mcpi\n", qr/line 3: Invalid amount/, 'a level of 0');
refuses('index', "date,level,index_name\n2020-06-04,1,mcpi\n", qr/unknown: date; missing: index_date/, 'an unknown column');
{
	my ($code, $output) = import_file('index', $levels . "2020-06-04,92,mcpi\n", '--check');
	is("$code $output", "0 4 lines, 1 recorded, 3 known (nothing loaded); dealing is halted\n", 'a fall of the last day would halt dealing');
	($code, $output) = import_file('index', $levels . "2020-06-04,92,mcpi\n");
	is("$code $output", "0 4 lines, 1 recorded, 3 known; dealing is halted\n", 'and does');
}
is($node->safe_psql('postgres', q{select count(*) from fundes.daily_control where 'trading halted' = any (findings)}), '2', 'dealing is halted');
is($node->safe_psql('postgres', q{select distinct metadata - 'actor' from fundes.event_log where type = 'IndexPublished' and (payload ->> 'level')::numeric = 92}),
	'{"file": "file.csv", "line": 5}', 'the line is in the metadata');

# The script itself.
for my $case ([ [ 'prices', "$folder/nothing.csv" ], 2, qr/there is no file/ ], [ [ 'quotes', "$folder/file.csv" ], 2, qr/prices, royalties or index/ ],
	[ [], 2, qr/^usage/ ], [ ['--help'], 0, qr/^usage/ ])
{
	my ($arguments, $code, $expected) = @$case;
	my $output = '';
	IPC::Run::run([ 'scripts/import', @$arguments ], '>', \$output, '2>', \$output);
	is($? >> 8, $code, "import @$arguments: exit code");
	like($output, $expected, "import @$arguments: message");
}
{
	my $input = $header . "M1,R1,S1,2023-06-20,9\n";
	my $output = '';
	IPC::Run::run([ 'scripts/import', 'prices', '-', '-d', $node->connstr('postgres') ], '<', \$input, '>', \$output);
	is($output, "1 line, 1 recorded, 0 known\n", 'from the standard input');
}

# Every view out by COPY, and in again: the same rows. All within a transaction,
# as some figures depend on now().
$node->safe_psql('postgres', q{
	set client_min_messages = warning;
	select fundes.create_investor('B', E'Lee "Q", \u0416; \\\\N', effective_at => '2023-06-01 09:00');
	select fundes.create_investment('B', 1, 5000, effective_at => '2023-06-01 10:30');
	select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-02', 2000);
	select fundes.update_mcp_asset_value(valuation_date => '2023-06-02');
	select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-02', 3000);
	select fundes.create_investment('A', 1, 5000, effective_at => '2023-06-02 12:00',
		metadata => jsonb_build_object('actor', 'kay', 'reason', E'two\nlines, "quoted"'));
	select fundes.restate_nav(1, '2023-06-02');
	select fundes.declare_distribution(1, 100);
	select fundes.create_subscription('mailer');});
my @views = split /\n/, $node->safe_psql('postgres', q{select relname from pg_class where relnamespace = 'fundes'::regnamespace and relkind = 'v' order by 1});
cmp_ok(@views, '>', 15, 'there are views');
my $appender = Session->new($node);
$appender->rows('begin');
$appender->rows(q{select fundes.append('other', 'Other', '{}')});
for my $view (@views)
{
	is($node->safe_psql('postgres', qq{
		set client_min_messages = warning;
		begin isolation level repeatable read;
		create temporary table again (like fundes.$view);
		copy (select * from fundes.$view) to stdout (format csv, header) \\g '$folder/$view.csv'
		\\copy again from '$folder/$view.csv' (format csv, header)
		select count(*) > 0, array_agg(a::text order by a::text) = (select array_agg(v::text order by v::text) from fundes.$view v) from again a;
		commit}), 't|t', "$view comes out by COPY as it is");
}
$appender->rows('rollback');
$appender->close;
is($node->safe_psql('postgres', q{
	copy (select fund_id, day, subscriptions, purchases, closing_cash from fundes.fund_flow where day = '2023-06-01' order by fund_id) to stdout (format csv, header);
	copy (select actor, null as nothing, reason from fundes.audit_trail where actor = 'kay') to stdout (format csv)}), <<'CSV' =~ s/\n\z//r, 'as a spreadsheet reads it');
fund_id,day,subscriptions,purchases,closing_cash
1,2023-06-01,1005000,2000,1003000
2,2023-06-01,1000000.00,2000.00,998000.00
kay,,"two
lines, ""quoted"""
CSV

is($node->safe_psql('postgres', q{select lines, recorded from fundes.import_index('[["\uFEFFindex_name", "index_date", "level"], ["\u00A0KPOP\u00A0", "2023-06-01", "100"]]')}),
	'1|1', 'no-break spaces and a byte order mark around fields are taken off');
is($node->safe_psql('postgres', q{select index_name from fundes.market_index where index_date = '2023-06-01' and level = 100}), 'KPOP', 'and not stored');

# A database need not be in UTF-8.
$node->safe_psql('postgres', q{create database korean template template0 encoding 'EUC_KR' locale 'C'});
$node->safe_psql('korean', 'create extension fundes');
is($node->safe_psql('korean', q{select lines, recorded from fundes.import_index('[["index_name", "index_date", "level"], [" KPOP ", "2023-06-01", "100"]]')}),
	'1|1', 'a file goes into a database of another encoding');

$node->stop;
done_testing();
