# The sample market is what its rule makes, scripts/demo runs it to the end,
# and says what is wrong with a folder that it cannot use.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use Test::More;

my @files = qw(songs song_genre song_auction song_price_daily
  song_royalty_monthly mcpi_daily);
my $sample = 'examples/market';

# What the demo leaves behind would be found here.
$ENV{TMPDIR} = tempdir(CLEANUP => 1);

sub slurp
{
	my ($name) = @_;
	open my $file, '<:raw', $name or die "cannot read $name: $!";
	local $/;
	return <$file>;
}

sub spew
{
	my ($name, $content) = @_;
	open my $file, '>:raw', $name or die "cannot write $name: $!";
	print $file $content;
	close $file or die "cannot write $name: $!";
	return;
}

# A copy of the sample, to be spoilt.
sub sample_copy
{
	my $folder = tempdir(CLEANUP => 1, DIR => '/tmp');
	copy("$sample/$_.csv", "$folder/$_.csv") or die "cannot copy $_: $!" foreach @files;
	return $folder;
}

# Exit code and output of scripts/demo.
sub demo
{
	my (@arguments) = @_;
	my $output = qx(scripts/demo @arguments 2>&1 </dev/null);
	return ($? >> 8, $output);
}

sub refuses
{
	my ($folder, $expected, $what) = @_;
	my ($code, $output) = demo('--installed', '--data', $folder);
	is($code, 2, "$what: exit code");
	like($output, $expected, "$what: message");
	return;
}

# Runs to the end, with all checks of its own.
sub runs
{
	my ($folder, $what) = @_;
	my ($code, $output) = demo('--installed', '--data', $folder);

	is($code, 0, "$what: exit code") or diag $output;
	like($output, qr/ERROR:  UF003: .*\nDETAIL: .*\nHINT: /, "$what: a command is refused, in full");
	like($output, qr/All [\d,]+ events folded anew: 0 rows of the projections differ/, "$what: projections");
	my ($nights, $equal) = $output =~ /Of ([\d,]+) nightly fund values, ([\d,]+) equal/;
	is($equal, $nights, "$what: values of funds");
	return $output;
}

sub number_before
{
	my ($output, $what) = @_;
	my ($number) = $output =~ /([\d,]+) $what/;
	$number =~ tr/,//d;
	return $number;
}

sub rows
{
	my ($name) = @_;
	return (slurp($name) =~ tr/\n//) - 1;
}

# The sample

my $again = tempdir(CLEANUP => 1);
is(system("$sample/make-sample", $again), 0, 'the rule of the sample runs');
ok(slurp("$again/$_.csv") eq slurp("$sample/$_.csv"), "$_.csv is as its rule makes it") foreach @files;

my $output = runs($sample, 'sample');
is(number_before($output, 'quotes'), rows("$sample/song_price_daily.csv"), 'sample: all quotes');
is(number_before($output, 'purchases'), rows("$sample/song_auction.csv"), 'sample: all purchases');
is(number_before($output, 'valuations'), 4 * 40, 'sample: every fund in every night');

# The same market in other words: byte order mark, CRLF, columns turned round
# and one more.

my $other = sample_copy();
my $genres = slurp("$sample/song_genre.csv");
$genres =~ s/^(.*),(.*)$/$2,$1,x/mg;
$genres =~ s/,x$/,remark/m;
spew("$other/song_genre.csv", $genres);
my $songs = slurp("$sample/songs.csv");
$songs =~ s/\n/\r\n/g;
spew("$other/songs.csv", "\xEF\xBB\xBF$songs");
my $other_output = runs($other, 'other form');
my ($sheet, $other_sheet) = map { /^(Funds.*?)^Unit prices/ms } $output, $other_output;
is($other_sheet, $sheet, 'other form: the same figures');

# Folders and options that cannot be used

refuses('/nonexistent', qr/no folder/, 'no folder');

my $folder = sample_copy();
unlink "$folder/songs.csv";
refuses($folder, qr/no file songs\.csv/, 'file missing');

$folder = sample_copy();
my $auctions = slurp("$folder/song_auction.csv");
$auctions =~ s/auction1_units/units/;
spew("$folder/song_auction.csv", $auctions);
refuses($folder, qr/song_auction\.csv has no column auction1_units/, 'column missing');

$folder = sample_copy();
spew("$folder/mcpi_daily.csv", '');
refuses($folder, qr/mcpi_daily\.csv has no column date/, 'empty file');

$folder = sample_copy();
my $prices = slurp("$folder/song_price_daily.csv");
$prices =~ s/^(101,2021-03-05),\d+$/$1,many/m;
spew("$folder/song_price_daily.csv", $prices);
my ($code, $text) = demo('--installed', '--data', $folder);
isnt($code, 0, 'a price that is no number: exit code');
like($text, qr/song_price_daily, line \d+, column price_krw_per_unit: "many"/, 'a price that is no number: message');

($code, $text) = demo('--frobnicate');
is($code, 2, 'unknown option: exit code');
like($text, qr/^usage: /, 'unknown option: usage');
($code, $text) = demo('--help');
is($code, 0, 'help: exit code');
like($text, qr/^usage: /, 'help: usage');

# A real market, where there is one

SKIP:
{
	my $market = $ENV{FUNDES_MARKET_DATA};
	skip 'no market data beside the checkout', 7 unless $market;

	$output = runs($market, 'market');
	is(number_before($output, 'quotes'), rows("$market/song_price_daily.csv"), 'market: all quotes');
	is(number_before($output, 'purchases'), rows("$market/song_auction.csv"), 'market: all purchases');
	my ($funds) = $output =~ /([\d,]+) funds from/;
	is(number_before($output, 'valuations'), 150 * $funds, 'market: every fund in every night');
}

is_deeply([glob "$ENV{TMPDIR}/fundes.*"], [], 'nothing is left behind');
done_testing();
