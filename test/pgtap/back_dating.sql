-- Events dated into the past, each with what it does to the moments between:
-- cash that is short only later, purchases before a valuation, a life that
-- begins, ends with a residue and goes on.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(id, id, effective_at => '2023-01-01 09:00') from unnest(array['A', 'B', 'C']) id;

-- What a fund comes to at some moments, as 'cash assets units price' of each.
create function pg_temp.path(fund bigint, variadic moments timestamptz[]) returns text
language sql as $$
	select string_agg(concat_ws(' ', trim_scale(capital_cash), trim_scale(asset_value), trim_scale(total_supply), coalesce(trim_scale(base_price)::text, '-')), ', ' order by n)
	  from unnest(moments) with ordinality m(at, n), fundes.fund_state_at(fund, at)
$$;

-- A withdrawal in the past that leaves enough cash then, and now, but not on a
-- day between.
select fundes.create_fund('Ballads', effective_at => '2023-01-01 09:00') as f \gset
select fundes.set_price_limits(:f, null, null, effective_at => '2023-01-01 09:00');
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:00');
select fundes.purchase_mcp(:f, 'W1', 'R', 'S', 90000, effective_at => '2023-06-10 09:00') as w1 \gset
select fundes.record_royalty(:f, :w1, 80000, effective_at => '2023-06-20 09:00');
select pg_temp.refuses(format('select fundes.withdraw_investment(''A'', %s, %s, effective_at => %L)', :f, units, at), 'UF003', rule)
  from (values
	(11, '2023-06-02 09:00', 'a withdrawal that makes cash short on 06-10 only'),
	(11, '2023-06-10 08:59:59.999999', 'the last moment before the purchase'),
	(11, '2023-06-19 09:00', 'a withdrawal on a day on which cash is short'),
	(91, '2023-06-20 09:00', 'a withdrawal beyond all of the cash')) v(units, at, rule);
select pg_temp.accepts(format('select fundes.withdraw_investment(''A'', %s, 10, effective_at => ''2023-06-02 09:00'')', :f), 'a withdrawal of all that is spare on 06-10');
select is(pg_temp.path(:f, '2023-06-01 12:00', '2023-06-02 09:00', '2023-06-10 09:00', '2023-06-20 09:00'),
		  '100000 0 100 1000, 90000 0 90 1000, 0 90000 90 1000, 80000 90000 90 1000', 'cash is never negative, and 0 from 06-10 to 06-20');
select pg_temp.refuses(format('select fundes.%s, effective_at => ''2023-06-05 09:00'')', command), 'UF003', rule)
  from (values
	(format('withdraw_investment(''A'', %s, 1', :f), 'then not one unit more'),
	(format('purchase_mcp(%s, ''W2'', ''R'', ''S'', 1', :f), 'nor the cheapest copyright'),
	(format('accrue_fee(%s, 1', :f), 'nor the least fee')) v(command, rule);
select pg_temp.accepts(format('select fundes.create_investment(''B'', %s, 5000, effective_at => ''2023-06-04 09:00'')', :f), 'a pay-in before that day');
select pg_temp.accepts(format('select fundes.withdraw_investment(''A'', %s, 5, effective_at => ''2023-06-05 09:00'')', :f), 'makes room for a withdrawal after it');
select pg_temp.refuses(format('select fundes.withdraw_investment(''A'', %s, 1, effective_at => ''2023-06-03 09:00'')', :f), 'UF003', 'but not for one before it, which would be paid twice');

-- Nothing that moves no cash comes in the way.
select fundes.set_price_limits(:f, null, null, effective_at => '2023-07-01 09:00');
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''W3'', ''R'', ''S'', 80000, effective_at => ''2023-06-25 09:00'')', :f), 'a purchase in the past, before limits were set');
select pg_temp.books_balance('the books balance');

-- A purchase dated before a valuation. The valuation stands: what it did not
-- know is carried at cost until it is valued.
select fundes.create_fund('Soul', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:00');
select fundes.purchase_mcp(:f, 'P1', 'R', 'S', 50000, effective_at => '2023-06-02 09:00');
select fundes.record_mcp_price('P1', 'R', 'S', '2023-06-02', 60000), fundes.record_mcp_price('P2', 'R', 'S', '2023-06-02', 15000);
select fundes.update_mcp_asset_value(:f, '2023-06-02', effective_at => '2023-06-03 00:00');
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''P2'', ''R'', ''S'', 10000, effective_at => ''2023-06-02 12:00'')', :f), 'a purchase dated before a valuation, though it has a quote');
select is(pg_temp.path(:f, '2023-06-02 11:59', '2023-06-02 12:00', '2023-06-02 23:59:59.999999', '2023-06-03 00:00'),
		  '50000 50000 100 1000, 40000 60000 100 1000, 40000 60000 100 1000, 40000 70000 100 1100', 'it is carried at cost, before the valuation and after it');
select pg_temp.same(format('select revision - first_value(revision) over (order by revision), asset_value::numeric, nav::numeric, base_price::numeric from fundes.nav_history where fund_id = %s', :f),
				  'values (0, 60000::numeric, 110000::numeric, 1100::numeric)', 'the valuation on record is as it was');
select is((select status || ' ' || trim_scale(asset_value::numeric) || ' ' || trim_scale(nav::numeric) || ' ' || trim_scale(base_price::numeric) from fundes.update_mcp_asset_value(:f, '2023-06-02', effective_at => '2023-06-03 09:00')),
		  'revised 75000 115000 1150', 'valued again, the day knows it');
select is(pg_temp.path(:f, '2023-06-02 12:00', '2023-06-03 00:00', '2023-06-03 09:00'),
		  '40000 60000 100 1000, 40000 70000 100 1100, 40000 75000 100 1150', 'from then on; what was struck before stays');
select is(pg_temp.path(:f, 'infinity'), pg_temp.path(:f, '2023-06-03 09:00'), 'and is what there is now');
select pg_temp.books_balance('the books balance');

-- One dated before a valuation, and not valued by it nor by any later one: no
-- quote.
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''P3'', ''R'', ''S'', 5000, effective_at => ''2023-06-02 13:00'')', :f), 'another purchase dated before the valuations, without a quote');
select fundes.record_mcp_price('P1', 'R', 'S', '2023-06-04', 61000);
select is((select status || ' ' || trim_scale(asset_value::numeric) || ' ' || stale_count from fundes.update_mcp_asset_value(:f, '2023-06-04', effective_at => '2023-06-05 00:00')),
		  'valued 81000 1', 'the next day carries it at cost');
select is((select value_cash::numeric || ' ' || is_stale from fundes.mcp_holding where fund_id = :f and copyright_code = 'P3'), '5000 true', 'as stale');

-- A valuation recorded after a sale, and dated before it: what was sold has the
-- value until then.
select fundes.create_fund('Late', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:00');
select fundes.purchase_mcp(:f, 'N1', 'R', 'S', 50000, effective_at => '2023-06-01 10:00') as n1 \gset
select fundes.purchase_mcp(:f, 'N2', 'R', 'S', 10000, effective_at => '2023-06-01 10:00') as n2 \gset
select fundes.record_mcp_price('N1', 'R', 'S', '2023-06-01', 60000), fundes.record_mcp_price('N2', 'R', 'S', '2023-06-01', 10500);
select fundes.sell_mcp(:f, :n1, 61000, effective_at => '2023-06-02 10:00');
select (select event_id from fundes.event_log where stream = 'fund-' || :f and type = 'McpSold') as sale \gset
select is((select trim_scale(nav::numeric) || ' ' || trim_scale(base_price::numeric) from fundes.update_mcp_asset_value(:f, '2023-06-01', effective_at => '2023-06-02 00:00')), '110500 1105', 'the night''s valuation, run after a sale of the morning');
select is((select string_agg(trim_scale(nav) || ' ' || trim_scale(asset_value), ', ' order by at) from unnest(array['2023-06-01 23:59:59.999999', '2023-06-02 00:00', '2023-06-02 09:59:59.999999', '2023-06-02 10:00', 'infinity']::timestamptz[]) at, fundes.fund_state_at(:f, at)),
		  '100000 60000, 110500 70500, 110500 70500, 111500 10500, 111500 10500', 'it counts from midnight, until the sale for what was sold');
select pg_temp.accepts(format('select fundes.create_investment(''B'', %s, 11050, effective_at => ''2023-06-02 09:00'')', :f), 'between them the price has not drifted');
select is((select trim_scale(unrealised_gain) || ' ' || trim_scale(realised_gain) from fundes.fund_state_at(:f, '2023-06-02 09:30')), '10500 0', 'the gain is unrealised before the sale');
select pg_temp.accepts(format('select fundes.reverse_event(%L, ''fell through'', effective_at => ''2023-06-03 09:00'')', :'sale'), 'the sale is reversed');
select is((select value_cash::numeric from fundes.mcp_holding where asset_id = :n1), 60000::numeric, 'and the copyright comes back at that value');
select is((select string_agg(trim_scale(nav) || ' ' || trim_scale(asset_value), ', ' order by at) from unnest(array['2023-06-02 10:00', '2023-06-03 08:59:59.999999', '2023-06-03 09:00']::timestamptz[]) at, fundes.fund_state_at(:f, at)),
		  '122550 10500, 122550 10500, 121550 70500', 'from the reversal on');
select pg_temp.books_balance('the books balance');

-- A life: units, none and a residue, none at all, units again.
select fundes.create_fund('Folk', 3, effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 1000, effective_at => '2023-06-01 09:00');
select fundes.purchase_mcp(:f, 'L1', 'R', 'S', 10, effective_at => '2023-06-01 10:00') as l1 \gset
select fundes.sell_mcp(:f, :l1, 11, effective_at => '2023-06-01 11:00');
select is((select base_price::numeric from fundes.update_mcp_asset_value(:f, '2023-06-01', effective_at => '2023-06-02 00:00')), 3.003, '1000 / 333 is 3.003003');
select is((select trim_scale(withdrawn_amount) from fundes.withdraw_investment('A', :f, 333, effective_at => '2023-06-02 09:00')), 999::numeric, '333 at 3.0030 pay 999');
select is(pg_temp.path(:f, '2023-06-01 09:00', '2023-06-02 00:00', '2023-06-02 09:00'), '999 0 333 3, 1000 0 333 3.003, 1 0 0 3.003', 'one coin is left, which no unit owns');
select is((select concat_ws(' ', trim_scale(nav), trim_scale(unrealised_gain), trim_scale(realised_gain), coalesce(nav_per_unit::text, '-')) from fundes.fund_state_at(:f, 'infinity')), '1 0 1 -', 'its NAV is 1 without a price a unit');
select pg_temp.refuses(format('select fundes.create_investment(''B'', %s, 1000, effective_at => %L)', :f, at), code, rule)
  from (values
	('2023-06-03 09:00', 'UF017', 'nobody may pay in beside a residue'),
	('2023-06-02 09:00', 'UF017', 'not at the moment at which it was left')) v(at, code, rule);
select is((select status || ' ' || trim_scale(nav::numeric) || ' ' || trim_scale(base_price::numeric) from fundes.update_mcp_asset_value(:f, '2023-06-02', effective_at => '2023-06-03 00:00')), 'valued 1 3.003', 'a valuation without units leaves the price');
select fundes.accrue_fee(:f, 1, effective_at => '2023-06-03 09:00');
select pg_temp.accepts(format('select fundes.pay_fee(%s, 1, effective_at => ''2023-06-03 10:00'')', :f), 'a fee takes the residue');
select is((select trim_scale(base_price::numeric) from fundes.update_mcp_asset_value(:f, '2023-06-03', effective_at => '2023-06-04 00:00')), 3::numeric, 'a valuation without units and NAV sets the initial price');
select pg_temp.same(format('select trim_scale(units), trim_scale(unit_price), trim_scale(cash_taken), trim_scale(refund_cash) from fundes.create_investment(''B'', %s, 10, effective_at => ''2023-06-05 09:00'')', :f), 'values (3, 3, 9, 1)', 'the fund starts again at the initial price');
select pg_temp.books_balance('the books balance');

-- Dust: amounts and units of the last decimal.
select fundes.create_fund('Dust', 0.0001, 4, 6, effective_at => '2023-01-01 09:00') as f \gset
select fundes.set_price_limits(:f, null, null, effective_at => '2023-01-01 09:00');
select pg_temp.same(format('select units::text, cash_taken::text, refund_cash::text from fundes.create_investment(''A'', %s, 0.0001, effective_at => ''2023-06-01 09:00'')', :f), $$values ('1.000000', '0.0001', '0.0000')$$, 'the least amount buys a unit of the least price');
select pg_temp.refuses(format('select fundes.withdraw_investment(''A'', %s, %s, effective_at => ''2023-06-01 10:00'')', :f, units), code, 'a withdrawal of ' || units)
  from (values ('0.000001', 'UF012'), ('0.999999', 'UF012'), ('1.000001', 'UF004'), ('0.0000001', 'UF005')) v(units, code);
select fundes.create_investment('B', :f, 0.0003, effective_at => '2023-06-01 09:00');
select pg_temp.same(format('select withdrawn_amount::text, realised_gain::text from fundes.withdraw_investment(''B'', %s, 2.999999, effective_at => ''2023-06-01 10:00'')', :f), $$values ('0.0002', '0.0000')$$, 'all but a millionth of three units pay 2 of 3, and relieve 2 of 3');
select pg_temp.same(format('select withdrawn_amount::text, realised_gain::text from fundes.withdraw_investment(''B'', %s, 0.000001, effective_at => ''2023-06-01 11:00'')', :f), $$values ('0.0000', '-0.0001')$$, 'the last millionth pays nothing, and relieves the rest');
select is(pg_temp.figures(:f, 'capital_cash', 'total_supply', 'nav_per_unit'), 'capital_cash 0.0002, total_supply 1, nav_per_unit 0.0002', 'the rest stays in the fund');
select pg_temp.books_balance('the books balance');

-- A price of zero, and back.
select fundes.create_fund('Lost', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 10000, effective_at => '2023-06-01 09:00');
select fundes.purchase_mcp(:f, 'Z1', 'R', 'S', 10000, effective_at => '2023-06-01 10:00') as z1 \gset
select fundes.record_mcp_price('Z1', 'R', 'S', '2023-06-01', 0), fundes.record_mcp_price('Z1', 'R', 'S', '2023-06-02', 20000);
select is((select concat_ws(' ', trim_scale(nav::numeric), trim_scale(base_price::numeric)) from fundes.update_mcp_asset_value(:f, '2023-06-01', effective_at => '2023-06-02 00:00')), '0 0', 'all is lost');
select is((select trim_scale(current_value) from fundes.investment_value_at('A', :f, '2023-06-02 00:00')), 0::numeric, 'units are worth nothing');
select is((select price_drift from fundes.fund_sheet where fund_id = :f), null, 'there is no drift from a price of 0');
select pg_temp.refuses(format('select fundes.create_investment(''B'', %s, 10000, effective_at => ''2023-06-02 09:00'')', :f), 'UF012', 'nobody can pay in');
select is((select concat_ws(' ', trim_scale(nav::numeric), trim_scale(base_price::numeric)) from fundes.update_mcp_asset_value(:f, '2023-06-02', effective_at => '2023-06-03 00:00')), '20000 2000', 'a day later it is worth more than ever');
select pg_temp.accepts(format('select fundes.create_investment(''B'', %s, 10000, effective_at => ''2023-06-03 09:00'')', :f), 'and one can');
select pg_temp.accepts(format('select fundes.create_investment(''B'', %s, 10000, effective_at => ''2023-06-01 23:59:59.999999'')', :f), 'in the past too, before all was lost');
select is((select string_agg(trim_scale(units) || ' ' || trim_scale(base_price), ', ' order by at) from unnest(array['2023-06-01 23:59:59.999999', '2023-06-02 00:00', '2023-06-03 09:00']::timestamptz[]) at, fundes.investment_value_at('B', :f, at)), '10 1000, 10 0, 15 2000', 'at the price of then');

-- A pay-in of a moment at which there were units is no start anew, though there
-- are none now.
select fundes.create_fund('Empty now', effective_at => '2020-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2020-01-02 09:00');
select fundes.purchase_mcp(:f, 'EN', 'R', 'S', 50000, effective_at => '2020-01-02 09:00') as en \gset
select fundes.record_mcp_price('EN', 'R', 'S', '2020-01-02', 60000);
select fundes.update_mcp_asset_value(:f, '2020-01-02', effective_at => '2020-01-03 00:00');
select fundes.sell_mcp(:f, :en, 60000, effective_at => '2020-01-06 09:00');
select fundes.withdraw_investment('A', :f, 100, effective_at => '2020-01-07 09:00');
select pg_temp.accepts(format('select fundes.create_investment(''B'', %s, 10000, effective_at => ''2020-01-02 12:00'')', :f), 'a pay-in before the valuation');
select pg_temp.accepts(format('select fundes.create_investment(''B'', %s, 10000, effective_at => ''2020-01-05 09:00'')', :f), 'a pay-in after it');
select is((select concat_ws(' ', trim_scale(base_price::numeric), price_date, price_since) from fundes.fund where fund_id = :f), '1100 2020-01-02', 'the price is that of the valuation');
select pg_temp.refuses(format('select fundes.create_investment(''B'', %s, 10000, effective_at => ''2020-01-11 00:00:01'')', :f), 'UF009', 'and as old');
select pg_temp.books_balance('the books balance');
-- but of a moment without units it is, though there are some now
select fundes.create_fund('Empty then', effective_at => '2020-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2020-01-05 09:00');
select pg_temp.accepts(format('select fundes.create_investment(''B'', %s, 10000, effective_at => ''2020-01-03 09:00'')', :f), 'a pay-in before the first');
select pg_temp.refuses(format($$select fundes.append('holding-%1$s-B', 'InvestmentCreated', '{"investor_id": "B", "fund_id": %1$s, "investment_amount": 1000, "unit_price": 1000, "units": 1, "cash_taken": 1000, "refund_cash": 0, "struck": true}', effective_at => '2019-12-31 09:00')$$, :f), 'UF023', 'a price that would be struck before another');

-- A withdrawal in the past relieves the cost of then; what is left without units
-- goes at the holding's last moment.
select fundes.create_fund('Cost', effective_at => '2020-01-01 09:00') as f \gset
select fundes.set_price_limits(:f, null, null, effective_at => '2020-01-01 09:00');
select fundes.create_investment('A', :f, 100000, effective_at => '2020-01-02 09:00');
select fundes.purchase_mcp(:f, 'CO', 'R', 'S', 1000, effective_at => '2020-01-02 09:00') as co \gset
select fundes.record_royalty(:f, :co, 1000, effective_at => '2020-01-02 10:00');
select fundes.record_mcp_price('CO', 'R', 'S', '2020-01-05', 100000);
select fundes.update_mcp_asset_value(:f, '2020-01-05', effective_at => '2020-01-06 00:00');
select fundes.create_investment('A', :f, 200000, effective_at => '2020-01-07 09:00');
create function pg_temp.cost(fund bigint, variadic moments timestamptz[]) returns text
language sql as $$
	select string_agg(concat_ws(' ', trim_scale(units), trim_scale(cost_basis), trim_scale(realised_gain)), ', ' order by n)
	  from unnest(moments) with ordinality m(at, n), fundes.investment_value_at('A', fund, at)
$$;
select is(pg_temp.cost(:f, '2020-01-02 09:00', '2020-01-07 09:00'), '100 100000 0, 200 300000 0', 'units at 1000 and at 2000');
savepoint all_of_then;
select is((fundes.withdraw_investment('A', :f, 100, effective_at => '2020-01-03 09:00')).realised_gain::numeric, 0::numeric, 'all of then at cost is no gain');
select is(pg_temp.cost(:f, '2020-01-02 09:00', '2020-01-03 09:00', '2020-01-07 09:00'), '100 100000 0, 0 0 0, 100 200000 0', 'and leaves the cost of what came later');
rollback to all_of_then;
select fundes.withdraw_investment('A', :f, 100, effective_at => '2020-01-08 09:00');
select is(pg_temp.cost(:f, '2020-01-08 09:00'), '100 150000 50000', 'half of all, at the average');
select event_id as late from fundes.withdraw_investment('A', :f, 100, effective_at => '2020-01-03 09:00') \gset
select is(pg_temp.cost(:f, '2020-01-02 12:00', '2020-01-03 09:00', '2020-01-07 09:00', '2020-01-08 09:00'), '100 100000 0, 0 0 0, 100 200000 0, 0 0 0', 'then all of then: no cost stays without units');
select pg_temp.books_balance('the books balance');
select pg_temp.refuses(format($$select fundes.append('holding-%1$s-A', 'InvestmentWithdrawn', '{"investor_id": "A", "fund_id": %1$s, "stock_quantity": 0, "unit_price": 1000, "withdrawn_amount": 0, "cost_relieved": 0, "realised_gain": 0, "relieved_later": %2$s, "relieved_at": "%3$s"}', effective_at => '2020-01-03 09:00')$$, :f, later, at), 'UF023', rule)
  from (values (1, '2020-01-08T00:00:00+09:00', 'more relieved later than at all'), (0, '2021-01-08T00:00:00+09:00', 'later than all that happened'), (0, '2020-01-08T00:00:00', 'at a moment without an offset')) v(later, at, rule);
select fundes.reverse_event(:'late', 'mistaken', effective_at => '2020-01-04 09:00');
select is(pg_temp.cost(:f, '2020-01-03 09:00', '2020-01-04 09:00', '2020-01-07 09:00', '2020-01-08 09:00'), '0 0 0, 100 100000 0, 200 300000 0, 100 150000 50000', 'reversed, all parts come back, each at its moment');
select pg_temp.books_balance('the books balance');

-- A valuation that is recorded after a sale and its reversal, but dated before
-- the sale, does not count for the time between.
select fundes.create_fund('Gap', effective_at => '2020-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2020-01-02 09:00');
select fundes.purchase_mcp(:f, 'GA', 'R', 'S', 50000, effective_at => '2020-01-02 09:00') as ga \gset
select fundes.record_mcp_price('GA', 'R', 'S', '2020-01-02', 60000);
select fundes.sell_mcp(:f, :ga, 55000, effective_at => '2020-01-06 09:00');
select event_id as sale from fundes.event_log where stream = 'fund-' || :f and type = 'McpSold' \gset
select fundes.reverse_event(:'sale', 'mistaken', effective_at => '2020-01-06 11:00');
select fundes.update_mcp_asset_value(:f, '2020-01-02', effective_at => '2020-01-06 08:00');
select is(pg_temp.path(:f, '2020-01-06 07:00', '2020-01-06 08:00', '2020-01-06 09:00', '2020-01-06 11:00'),
	'50000 50000 100 1000, 50000 60000 100 1100, 105000 0 100 1100, 50000 60000 100 1100', 'a value that rose before a sale that was taken back');
select pg_temp.books_balance('the books balance');

-- Nothing is dated into the future, whatever way it comes.
select pg_temp.refuses(format($$select fundes.append('fund-%1$s', 'RoyaltyReceived', '{"fund_id": %1$s, "asset_id": %2$s, "amount": 5}', effective_at => '2099-01-01')$$, :f, :ga), 'UF020', 'an appended event of the future');
select pg_temp.refuses($$select fundes.append('investor-F', 'InvestorCreated', '{"investor_id": "F", "name": "F"}', effective_at => '2099-01-01')$$, 'UF020', 'an investor of the future');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
