# 100,000 events of one fund by append_batch: projected by few statements, and
# compute_fund_value costs what it did before.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('batch', 'max_wal_size = 2GB', 'autovacuum = off');
my $statements = extension_available($node, 'pg_stat_statements');
if ($statements)
{
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track = all\n");
	$node->restart;
	$node->safe_psql('postgres', 'create extension pg_stat_statements');
}
$node->safe_psql('postgres', q{
	select fundes.create_fund('Ballads');
	select fundes.create_investor('A', 'Kim');
	select fundes.create_investment('A', 1, 1000000);
	select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 600000);
	create function fill(events integer) returns bigint language sql as $$
		select count(*)
		  from fundes.append_batch(
				array_fill('fund-1'::text, array[events]), array_fill('RoyaltyReceived'::text, array[events]),
				array_fill(jsonb_build_object('fund_id', 1, 'asset_id', (select asset_id from fundes.mcp_holding), 'amount', 1), array[events]))
	$$;});

# Pages that a call touches, in a session that has called before.
sub pages
{
	my $plan = $node->safe_psql('postgres', q{
		\o /dev/null
		select fundes.compute_fund_value(1);
		select fundes.compute_fund_value(1);
		explain (analyze, buffers, costs off, timing off, summary off, format json) select fundes.compute_fund_value(1);
		\o
		explain (analyze, buffers, costs off, timing off, summary off, format json) select fundes.compute_fund_value(1);});
	my ($hit) = $plan =~ /"Shared Hit Blocks": (\d+)/ or die "no buffers in $plan";
	my ($read) = $plan =~ /"Shared Read Blocks": (\d+)/;
	return $hit + $read;
}

$node->safe_psql('postgres', 'select fill(10)');
my $before = pages();
cmp_ok($before, '<=', 20, "compute_fund_value reads few pages: $before");

$node->safe_psql('postgres', 'select pg_stat_statements_reset()') if $statements;
my $updates = $node->safe_psql('postgres', q{
	begin;
	select fill(100000);
	select string_agg(relname || ' ' || n_tup_upd, ', ' order by relname) from pg_stat_xact_user_tables where schemaname = 'fundes' and n_tup_upd > 0;
	commit;});
is($updates, "100000\nfund 1, mcp 1", "100,000 events are one update of each row that they touch");
SKIP:
{
	skip 'pg_stat_statements is not installed', 1 unless $statements;
	my $calls = $node->safe_psql('postgres', q{select sum(calls) from pg_stat_statements where not toplevel});
	cmp_ok($calls, '<=', 60, "they are appended and projected by few statements: $calls");
	note($node->safe_psql('postgres', q{select calls, left(regexp_replace(query, '\s+', ' ', 'g'), 100) from pg_stat_statements where not toplevel order by calls desc limit 20}));
}
is($node->safe_psql('postgres', 'select trim_scale(royalty_income::numeric), trim_scale(capital_cash::numeric) from fundes.fund_sheet'),
	'100010|500010', 'their sum is in the fund');
is($node->safe_psql('postgres', q{select fundes.stream_version('fund-1')}), '100012', 'and each in the log');
is(differences($node, 'postgres'), '', 'the projections equal the log');

my $after = pages();
cmp_ok($after, '<=', $before + 2, "compute_fund_value reads as many pages as before: $after");

# Commands too cost what they did.
my $plan = $node->safe_psql('postgres', q{
	select fundes.accrue_fee(1, 1);
	select fundes.accrue_fee(1, 1);
	explain (analyze, buffers, costs off, timing off, summary off, format json) select fundes.accrue_fee(1, 1);});
my ($hit) = $plan =~ /"Shared Hit Blocks": (\d+)/;
cmp_ok($hit, '<=', 200, "a command reads few pages: $hit");

# A batch over many funds, whose rows have dead entries in the index that it looks
# them up by: one on a column that changes makes each update leave some.
$node->safe_psql('postgres', q{
	select fundes.create_investor('many', 'Many');
	select count(fundes.create_fund('Fund ' || n)) from generate_series(1, 200) n;
	select count(*) from fundes.fund f, fundes.create_investment('many', f.fund_id, 1000000) where name like 'Fund %';
	create sequence asset start 1000;
	create function buy() returns bigint language sql as $$
		select count(*) from (
			select array_agg('fund-' || fund_id) as streams, array_agg('McpPurchased'::text) as types,
				   array_agg(jsonb_build_object('fund_id', fund_id, 'asset_id', nextval('asset'), 'copyright_code', 'B' || currval('asset'),
					'registration_number', 'R', 'music_id', 'S', 'price_cash', 10, 'estimated_value_cash', null, 'acquisition_date', '2026-01-31')) as payloads
			  from fundes.fund where name like 'Fund %') b, fundes.append_batch(streams, types, payloads) $$});
$node->safe_psql('postgres', 'create index on fundes.fund (last_position)');
is($node->safe_psql('postgres', 'select buy()'), '200', 'a batch over 200 funds') for 1 .. 10;
is(differences($node, 'postgres'), '', 'the projections equal the log');

$node->stop;
done_testing();
