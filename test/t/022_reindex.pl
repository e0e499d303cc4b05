# REINDEX CONCURRENTLY puts one index after the other in the place of another while
# commands and readers look rows up by them: none fails, and none reads an index
# that nobody keeps any more.
#
# FUNDES_REINDEX_SECONDS: how long it runs, 10 by default.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{FUNDES_REINDEX_SECONDS} || 10;
my $node = new_store('reindex', 'log_statement = none');
my $dir = $node->basedir;

$node->safe_psql('postgres', q{
	create sequence b;
	select fundes.create_fund('Fund ' || n, effective_at => now() - interval '10 days') from generate_series(1, 4) n;
	select fundes.create_investor('inv' || n, 'Investor', effective_at => now() - interval '10 days') from generate_series(0, 9) n;
	select fundes.set_price_limits(fund, null, null, effective_at => now() - interval '10 days') from generate_series(1, 4) fund;
	select fundes.create_investment('inv0', fund, 1000000000, effective_at => now() - interval '9 days') from generate_series(1, 4) fund;
	select fundes.purchase_mcp(fund, 'M' || fund || '-' || n, 'R', 'S', 1000, effective_at => now() - interval '8 days') from generate_series(1, 4) fund, generate_series(1, 5) n;});

# What the sessions do, each script a transaction.
my %does = (
	value => q{
\set f random(1, 4)
select fundes.record_mcp_price('M' || :f || '-' || 1 + random() * 4, 'R', 'S', current_date - 1, 900 + trunc(random() * 200)::integer);
select 1 / (status <> '')::integer from fundes.update_mcp_asset_value(:f);},
	# what was bought before the day ended is in the value
	buy => q{
\set f random(1, 4)
begin;
select fundes.purchase_mcp(:f, 'B' || nextval('b'), 'R', 'S', 1000, effective_at => now() - interval '3 days') as asset_id \gset
select status from fundes.update_mcp_asset_value(:f);
select 1 / (count(*) = 1)::integer from fundes.event_log
 where stream = 'fund-' || :f and type = 'FundValued' and payload -> 'values' ? :asset_id::text;
commit;},
	pay => q{
\set f random(1, 4)
\set i random(0, 9)
select * from fundes.create_investment('inv' || :i, :f, 5000, event_id => gen_random_uuid());
select * from fundes.withdraw_investment('inv0', :f, 1);},
	read => q{
\set f random(1, 4)
select 1 / (fundes.fund_nav(:f, now() - interval '1 day') > 0)::integer;
select 1 / (count(*) > 0)::integer from fundes.read_stream('fund-' || :f, null, 10);
select fundes.get_mcp_index('M1-1', 'R', 'S', current_date);},
	append => q{
\set s random(1, 100)
select * from fundes.append('s-' || :s, 'Noted', '{}', event_id => gen_random_uuid());
select 1 / (fundes.stream_version('s-' || :s) > 0)::integer;});
append_to_file("$dir/$_.sql", "$does{$_}\n") foreach keys %does;

# The indexes by which rows are looked up, again and again.
my @indexes = qw(mcp_fund mcp_pkey mcp_held_once mcp_once_held mcp_price_pkey fund_pkey investment_pkey investor_pkey
  stream_name_key event_given_id event_stream_id_version_key event_pkey fund_entry_pkey fund_balance_pkey fund_balance_recorded holding_entry_pkey);
append_to_file("$dir/reindex.sql", join('', map { "reindex index concurrently fundes.$_;\n" } @indexes));
my $reindexing = IPC::Run::start(
	[ 'sh', '-c', "while [ ! -e $dir/stop ]; do psql -XAtq -v ON_ERROR_STOP=1 -d \"\$1\" -f $dir/reindex.sql || exit; echo done; done", 'sh', $node->connstr('postgres') ],
	'<', \undef, '>', \my $rounds, '2>', \my $reindex_errors);
my ($out, $err);
IPC::Run::run([ 'pgbench', '-n', '-c', '5', '-j', '2', '-T', $seconds, (map { ('-f', "$dir/$_.sql") } sort keys %does), $node->connstr('postgres') ],
	'<', \undef, '>', \$out, '2>', \$err);
append_to_file("$dir/stop", '');
$reindexing->finish;

is($err =~ s/^pgbench \(.*\n|^pgbench: (?:pghost|setting|starting).*\n//gmr, '', 'no call fails');
like($out, qr/number of transactions actually processed: [1-9]\d\d/, 'and there were hundreds');
is($reindex_errors, '', 'nor does an index');
cmp_ok($rounds =~ tr/\n//, '>=', 1, 'each of which was made anew');
is($node->safe_psql('postgres', 'select count(*) from fundes.verify_projections()'), '0', 'the projections are what the log says');
is($node->safe_psql('postgres', q{
	set enable_indexscan = off;
	set enable_bitmapscan = off;
	set enable_indexonlyscan = off;
	select count(*) from fundes.event_log group by stream having count(*) <> max(version)}), '', 'no stream has a gap');
$node->stop;

done_testing();
