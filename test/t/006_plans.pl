# At 1,000 funds and 100,000 investments each view finds one investor's or one
# fund's rows by an index.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('plans', 'max_wal_size = 4GB', 'shared_buffers = 512MB', 'jit = off');

# Built-in events as an import brings them: 1,000 funds, each with 100 of
# 20,000 investors, 3 copyrights and 20 valuations.
$node->safe_psql('postgres', q{
	create function import(query text) returns bigint language plpgsql as $$
	declare
		n bigint;
	begin
		execute format('select count(*) from (select array_agg(stream order by n) s, array_agg(type order by n) t, array_agg(payload order by n) p,'
					   ' array_agg(at order by n) a from (%s) e) b, fundes.append_batch(b.s, b.t, b.p, effective_at => b.a)', query) into n;
		return n;
	end $$;
	select import($$select f as n, 'fund-' || f as stream, 'FundCreated' as type, timestamptz '2023-06-01 09:00' as at,
						   jsonb_build_object('fund_id', f, 'name', 'Fund ' || f, 'initial_price', 1000, 'cash_scale', 0, 'unit_scale', 0,
											  'currency', 'KRW', 'time_zone', 'Asia/Seoul') as payload
					  from generate_series(1, 1000) f$$);
	select import($$select i as n, 'investor-i' || i as stream, 'InvestorCreated' as type, timestamptz '2023-06-01 09:00' as at,
						   jsonb_build_object('investor_id', 'i' || i, 'name', 'Kim') as payload
					  from generate_series(1, 20000) i$$);
	select import($$select k as n, format('holding-%s-i%s', 1 + k / 100, 1 + (k * 7) % 20000) as stream, 'InvestmentCreated' as type, timestamptz '2023-06-01 10:00' as at,
						   jsonb_build_object('investor_id', 'i' || 1 + (k * 7) % 20000, 'fund_id', 1 + k / 100, 'investment_amount', 5000, 'unit_price', 1000,
											  'units', 5, 'cash_taken', 5000, 'refund_cash', 0) as payload
					  from generate_series(0, 99999) k$$);
	select import($$select k as n, 'fund-' || 1 + k / 3 as stream, 'McpPurchased' as type, timestamptz '2023-06-01 11:00' as at,
						   jsonb_build_object('fund_id', 1 + k / 3, 'asset_id', 1 + k, 'copyright_code', 'M' || k, 'registration_number', 'R', 'music_id', 'S',
											  'price_cash', 100000, 'acquisition_date', '2023-06-01') as payload
					  from generate_series(0, 2999) k$$);
	select import($$select k as n, 'fund-' || 1 + k / 20 as stream, 'FundValued' as type, timestamptz '2023-06-02 00:00' + k % 20 * interval '1 day' as at,
						   jsonb_build_object('fund_id', 1 + k / 20, 'valuation_date', date '2023-06-01' + k % 20, 'revision', 1,
											  'values', (select jsonb_object_agg(3 * (k / 20) + a, 100000) from generate_series(1, 3) a), 'sources', '{}'::jsonb,
											  'stale', '[]'::jsonb, 'asset_value', 300000, 'capital_cash', 200000, 'liabilities', 0, 'nav', 500000, 'total_supply', 500,
											  'base_price', 1000) as payload
					  from generate_series(0, 19999) k$$);});
$node->safe_psql('postgres', 'vacuum analyze');

is($node->safe_psql('postgres', 'select count(*) from fundes.fund_sheet'), '1000', '1,000 funds');
is($node->safe_psql('postgres', 'select count(*) from fundes.investment_current_value'), '100000', '100,000 investments');

# A plan that reads no table of 1,000 rows or more from end to end, and few
# pages where the session has run it before.
sub uses_indexes
{
	my ($query, $rows, $pages) = @_;
	my $plan = $node->safe_psql('postgres',
		"\\o /dev/null\n$query;\n\\o\nexplain (analyze, buffers, timing off, summary off, format json) $query");
	my @scanned = $plan =~ /"Node Type": "Seq Scan".*?"Relation Name": "(\w+)"/sg;
	my @large = grep { $node->safe_psql('postgres',
			"select reltuples >= 1000 from pg_class where oid = 'fundes.$_'::regclass") eq 't' } @scanned;
	my ($found) = $plan =~ /"Actual Rows": (\d+)/;
	my ($hit) = $plan =~ /"Shared Hit Blocks": (\d+)/;
	my ($read) = $plan =~ /"Shared Read Blocks": (\d+)/;

	is(join(' ', @large), '', "by index: $query") or diag($plan);
	is($found, $rows, "and finds its rows: $rows");
	cmp_ok($hit + $read, '<=', $pages, 'and reads few pages: ' . ($hit + $read));
	return;
}

uses_indexes(q{select * from fundes.investment_current_value where investor_id = 'i8'}, 5, 100);
uses_indexes(q{select * from fundes.investment_current_value where fund_id = 500}, 100, 600);
uses_indexes(q{select * from fundes.investment_current_value where investor_id = 'i8' and fund_id = 1}, 1, 40);
uses_indexes(q{select * from fundes.investment_details where investor_id = 'i8'}, 1, 100);
uses_indexes(q{select * from fundes.fund_sheet where fund_id = 500}, 1, 20);
uses_indexes(q{select * from fundes.mcp_holding where fund_id = 500}, 3, 50);
uses_indexes(q{select * from fundes.mcp_holding where asset_id = 1500}, 1, 20);
uses_indexes(q{select * from fundes.nav_history where fund_id = 500}, 20, 400);
uses_indexes(q{select * from fundes.nav_history where fund_id = 500 and valuation_date = '2023-06-10'}, 1, 60);
uses_indexes(q{select * from fundes.event_log where stream = 'fund-500'}, 24, 200);
uses_indexes(q{select * from fundes.event_log where position = 5000}, 1, 40);
uses_indexes(q{select * from fundes.event_log where stream = 'fund-500' and version > 20}, 4, 100);
uses_indexes(q{select * from fundes.read_stream('fund-500')}, 24, 300);
uses_indexes(q{select * from fundes.get_investment_details('i8')}, 1, 300);
uses_indexes(q{select fundes.compute_fund_value(500)}, 1, 100);
is($node->safe_psql('postgres', q{select * from fundes.get_investment_details('i8')}), '25000|25000|KRW', 'get_investment_details finds the same');
is(differences($node, 'postgres'), '', 'the projections equal the log');

$node->stop;
done_testing();
