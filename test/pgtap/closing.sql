-- The end of a fund: what nobody's units stand for is swept, and it is closed.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_investment('A', :f, 3000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(:f, 'M1', 'R', 'S', 1000, effective_at => '2023-06-01 11:00') as m1 \gset
create function pg_temp.last(fund bigint) returns jsonb
language sql as $$ select payload from fundes.read_stream('fund-' || fund, backward => true, max_count => 1) $$;

select pg_temp.refuses(format(command, :f), code, rule)
  from (values
	('select fundes.sweep_residual(null, ''trustee'')', '22004', 'sweep: no fund'),
	('select fundes.sweep_residual(%s, null)', '22004', 'sweep: to nobody'),
	('select fundes.sweep_residual(%s, '''', 0.5)', 'UF005', 'sweep: half a coin'),
	('select fundes.sweep_residual(%s, ''trustee'', 0)', 'UF005', 'sweep: nothing'),
	('select fundes.sweep_residual(%s, '''')', '22023', 'sweep: to somebody without a name'),
	('select fundes.sweep_residual(99, ''trustee'')', 'UF002', 'sweep: an unknown fund'),
	('select fundes.sweep_residual(%s, ''trustee'')', 'UF017', 'sweep: while there are units'),
	('select fundes.close_fund(null)', '22004', 'close: no fund'),
	('select fundes.close_fund(%s, '''')', '22023', 'close: an empty reason'),
	('select fundes.close_fund(99)', 'UF002', 'close: an unknown fund'),
	('select fundes.close_fund(%s)', 'UF017', 'close: while there is everything'),
	('select fundes.append(''fund-'' || %1$s, ''ResidualSwept'', ''{"fund_id": %1$s, "amount": 1, "to": "x"}'')', 'UF017', 'sweep, appended: while there are units'),
	('select fundes.append(''fund-'' || %1$s, ''FundClosed'', ''{"fund_id": %1$s}'')', 'UF017', 'close, appended: while there is everything')) v(command, code, rule);

-- A residue of one coin: 3 units at 1000.3333 are 3000.9999.
select fundes.record_mcp_price('M1', 'R', 'S', '2023-06-01', 1001);
select fundes.update_mcp_asset_value(:f, '2023-06-01', effective_at => '2023-06-02 00:00');
select fundes.sell_mcp(:f, :m1, 1001, effective_at => '2023-06-02 09:00');
select fundes.withdraw_investment('A', :f, 3, effective_at => '2023-06-02 10:00');
select is(pg_temp.figures(:f, 'capital_cash', 'total_supply', 'nav_per_unit'), 'capital_cash 1, total_supply 0, nav_per_unit null', 'redeeming everything leaves a residue of 1');
select pg_temp.refuses(format('select fundes.create_investment(''A'', %s, 3000, effective_at => ''2023-06-02 11:00'')', :f), 'UF017', 'it would fall to a newcomer');
select pg_temp.refuses(format('select fundes.close_fund(%s)', :f), 'UF017', 'a fund with a residue is not closed');
select pg_temp.refuses(format('select fundes.sweep_residual(%s, ''trustee'', 2, effective_at => ''2023-06-02 12:00'')', :f), 'UF003', 'more than there is');
select pg_temp.refuses(format('select fundes.sweep_residual(%s, ''trustee'', effective_at => ''2023-06-02 09:30'')', :f), 'UF017', 'when there were units still');
select pg_temp.accepts(format('select fundes.sweep_residual(%s, ''trustee'', effective_at => ''2023-06-02 12:00'', event_id => ''83000000-0000-4000-8000-000000000001'')', :f), 'all of it');
select is(pg_temp.last(:f), format('{"fund_id": %s, "amount": 1, "to": "trustee"}', :f)::jsonb, 'what it states');
select is(pg_temp.figures(:f, 'capital_cash', 'nav', 'distributed'), 'capital_cash 0, nav 0, distributed 1', 'it counts as distributed');
select pg_temp.books_balance('the books balance');
select pg_temp.writes_nothing(format('select fundes.sweep_residual(%s, ''trustee'', event_id => ''83000000-0000-4000-8000-000000000001'')', :f), 'repeated');
select pg_temp.refuses(format('select fundes.sweep_residual(%s, ''somebody'', event_id => ''83000000-0000-4000-8000-000000000001'')', :f), 'UF008', 'to somebody else');
select pg_temp.refuses(format('select fundes.sweep_residual(%s, ''trustee'', 2, event_id => ''83000000-0000-4000-8000-000000000001'')', :f), 'UF008', 'another amount');
select pg_temp.refuses(format('select fundes.sweep_residual(%s, ''trustee'')', :f), 'UF012', 'nothing is left');
select pg_temp.accepts(format('select fundes.create_investment(''A'', %s, 3000, effective_at => ''2023-06-03 09:00'')', :f), 'then somebody may pay in');
select fundes.withdraw_investment('A', :f, 3, effective_at => '2023-06-03 10:00');

-- Closing.
select fundes.purchase_mcp(g, 'M2', 'R', 'S', 1, effective_at => '2023-06-03 09:00') as m2, g
  from (select fundes.create_fund('Soul', effective_at => '2023-06-03 08:00') as g) n, lateral (select fundes.create_investment('A', g, 1000, effective_at => '2023-06-03 08:30')) p \gset
select fundes.record_mcp_price('M2', 'R', 'S', '2023-06-03', 0);
select fundes.update_mcp_asset_value(:g, '2023-06-03', effective_at => '2023-06-04 00:00');
select fundes.withdraw_investment('A', :g, 1, effective_at => '2023-06-04 09:00');
select is(pg_temp.figures(:g, 'capital_cash', 'asset_value', 'total_supply'), 'capital_cash 0, asset_value 0, total_supply 0', 'nothing but a worthless copyright');
select pg_temp.refuses(format('select fundes.close_fund(%s)', :g), 'UF017', 'is a copyright');
select fundes.sell_mcp(:g, :m2, 0, effective_at => '2023-06-04 10:00');
select pg_temp.refuses(format('select fundes.close_fund(%s, effective_at => ''2023-06-04 09:59'')', :g), '22023', 'before what is recorded');
select pg_temp.refuses(format('select fundes.close_fund(%s, expected_version => 0)', :g), 'UF021', 'another expected version');
select pg_temp.accepts(format('select fundes.close_fund(%s, ''term ended'', effective_at => ''2023-06-05 09:00'', event_id => ''83000000-0000-4000-8000-000000000002'')', :g), 'closed');
select is(pg_temp.last(:g), format('{"fund_id": %s, "amount": 0, "to": null, "reason": "term ended"}', :g)::jsonb, 'what it states');
select is((select status from fundes.fund_sheet where fund_id = :g), 'closed', 'its status');
select pg_temp.writes_nothing(format('select fundes.close_fund(%s, ''term ended'', event_id => ''83000000-0000-4000-8000-000000000002'')', :g), 'repeated');
select pg_temp.refuses(format('select fundes.close_fund(%s, event_id => ''83000000-0000-4000-8000-000000000002'')', :g), 'UF008', 'without the reason');
select pg_temp.refuses(format(command, :g, :m2), 'UF019', command)
  from unnest(array[
	'select fundes.close_fund(%s)',
	'select fundes.create_investment(''A'', %s, 1000)',
	'select fundes.create_investment(''A'', %s, 1000, effective_at => ''2023-06-03 12:00'')',
	'select fundes.create_investment(''A'', %s, 1000, effective_at => ''2100-01-01'')',
	'select fundes.withdraw_investment(''A'', %s, 1)',
	'select fundes.purchase_mcp(%s, ''M3'', ''R'', ''S'', 1)',
	'select fundes.accrue_fee(%s, 1)',
	'select fundes.declare_distribution(%s, 1)',
	'select fundes.set_price_limits(%s, 0.02, ''7 days'')',
	'select fundes.update_mcp_asset_value(%s)',
	'select fundes.append(''fund-'' || %1$s, ''FeeAccrued'', ''{"fund_id": %1$s, "amount": 1, "kind": "x"}'')',
	'select fundes.append(''fund-'' || %1$s, ''FundClosed'', ''{"fund_id": %1$s}'')']) command;
select pg_temp.refuses(format('select fundes.create_investment(''Z'', %s, 1000)', :g), 'UF001', 'who, before closed');
select pg_temp.refuses(format('select fundes.sell_mcp(%s, %s, 1)', :g, :m2), 'UF007', 'what, before closed');
select pg_temp.refuses(format('select fundes.withdraw_investment(''A'', %s, 1, effective_at => ''2100-01-01'')', :g), 'UF019', 'closed, before the time');
select is(array(select fund_id from fundes.update_mcp_asset_value(valuation_date => '2023-06-04', effective_at => '2023-06-06 00:00')), array[:f]::bigint[], 'a valuation of all funds leaves it out');
select is((select count(*) from fundes.mcp where fund_id = :g), 1::bigint, 'it held a copyright once');
select pg_temp.accepts(format('select fundes.record_royalty(%s, %s, 50)', :g, :m2), 'a royalty may still come in');
select pg_temp.accepts(format('select fundes.sweep_residual(%s, ''trustee'', 20)', :g), 'and goes out, in part');
select pg_temp.accepts(format('select fundes.sweep_residual(%s, ''trustee'')', :g), 'or all');
select pg_temp.accepts(format('select fundes.close_period(%s, ''2023-06-30'')', :g), 'its periods are closed');
select is(pg_temp.figures(:g, 'nav', 'royalty_income', 'distributed'), 'nav 0, royalty_income 50, distributed 50', 'what is left');
select pg_temp.books_balance('the books balance after all');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
