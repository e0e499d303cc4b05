-- create_investment and withdraw_investment: units, rounding, refusals.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(id, 'Name of ' || id, effective_at => '2023-06-01 08:00') from unnest(array['A', 'B', 'C', 'D']) id;
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00');

-- A pay-in
select pg_temp.same(
	$$select units::numeric, unit_price::numeric, cash_taken::numeric, refund_cash::numeric, event_id is not null
		from fundes.create_investment('A', 1, 100999.0, effective_at => '2023-06-01 09:10')$$,
	$$values (100::numeric, 1000::numeric, 100000::numeric, 999::numeric, true)$$, 'units: floor; the rest is refunded; 10.0 is 10');
select pg_temp.same($$select type, version, payload - 'investment_amount' from fundes.read_stream('holding-1-A')$$,
	$$values ('InvestmentCreated', 1::bigint, '{"investor_id": "A", "fund_id": 1, "unit_price": 1000, "units": 100, "cash_taken": 100000, "refund_cash": 999}'::jsonb)$$,
	'InvestmentCreated goes to the holding''s stream');
select is(pg_temp.figures(1, 'capital_cash', 'total_supply', 'subscriptions', 'nav', 'nav_per_unit'),
		  'capital_cash 100000, total_supply 100, subscriptions 100000, nav 100000, nav_per_unit 1000', 'cash and units move');

create temporary table bad_amount (amount text, code text, rule text);
insert into bad_amount values
	('null', '22004', 'NULL'), ('0', 'UF005', 'zero'), ('-1', 'UF005', 'negative'), ($$'NaN'$$, 'UF005', 'NaN'), ($$'Infinity'$$, 'UF005', 'Infinity'),
	($$'-Infinity'$$, 'UF005', '-Infinity'), ('10.5', 'UF005', 'more decimals than the scale'), ('1000.0001', 'UF005', 'more decimals than the scale'),
	('1e20', '22003', 'too large'), ('1e200', '22003', 'much too large');
select pg_temp.refuses(format('select fundes.create_investment(''A'', 1, %s, effective_at => ''2023-06-01 09:20'')', amount), code, 'a pay-in of ' || rule)
  from bad_amount;
select pg_temp.refuses(format('select fundes.withdraw_investment(''A'', 1, %s, effective_at => ''2023-06-01 09:20'')', amount), code, 'a withdrawal of ' || rule)
  from bad_amount;
select pg_temp.refuses($$select fundes.withdraw_investment('A', 1, 1e18, effective_at => '2023-06-01 09:20')$$, '22003', 'a withdrawal of 10^18 units');

select pg_temp.refuses('select fundes.create_investment(' || arguments || ')', code, 'create_investment: ' || rule)
  from (values
	($$null, 1, 5000$$, '22004', 'investor_id is null'),
	($$'A', null, 5000$$, '22004', 'fund_id is null'),
	($$'nobody', 1, 5000$$, 'UF001', 'unknown investor'),
	($$'A', 99, 5000$$, 'UF002', 'unknown fund'),
	($$'A', 0, 5000$$, 'UF002', 'fund 0'),
	($$'A', -1, 5000$$, 'UF002', 'fund -1'),
	($$'A', 9223372036854775807, 5000$$, 'UF002', 'the largest fund_id'),
	($$'A', 1, 999, effective_at => '2023-06-01 09:20'$$, 'UF012', 'too little for one unit'),
	($$'A', 1, 99999999999999999999, effective_at => '2023-06-01 09:20'$$, '22003', 'a sum of cash that is too large'),
	($$'A', 1, 5000, effective_at => now() + interval '1 hour'$$, 'UF020', 'in the future'),
	($$'A', 1, 5000, effective_at => 'infinity'$$, '22023', 'at infinity'),
	($$'A', 1, 5000, effective_at => '2023-06-01 09:20', expected_version => 0$$, 'UF021', 'expected_version of the holding'),
	($$'A', 1, 5000, metadata => '1'$$, '22023', 'metadata is no object'),
	-- the order of the checks
	($$null, 1, -5$$, '22004', 'NULL before amounts'),
	($$'A', 1, -5, metadata => '1'$$, 'UF005', 'amounts before other arguments'),
	($$'nobody', 1, -5$$, 'UF005', 'amounts before who'),
	($$'nobody', 1, 10.5$$, 'UF005', 'decimals before who'),
	($$'nobody', 99, 5000$$, 'UF001', 'investor before fund'),
	($$'nobody', 1, 5000, effective_at => now() + interval '1 hour'$$, 'UF001', 'who before time'),
	($$'A', 1, 999, effective_at => now() + interval '1 hour'$$, 'UF020', 'time before what is too small'),
	($$'A', 1, 999, effective_at => '2023-06-01 09:20', expected_version => 0$$, 'UF021', 'expected_version before what the books allow')
  ) v(arguments, code, rule);
select is(pg_temp.figures(1, 'capital_cash', 'total_supply'), 'capital_cash 100000, total_supply 100', 'nothing of it moved the fund');
select ok(message || detail like '%nobody%', 'UF001 names the investor: ' || message || ' / ' || detail)
  from pg_temp.attempt($$select fundes.create_investment('nobody', 1, 5000)$$);
select ok(message || detail like '%99%', 'UF002 names the fund: ' || message || ' / ' || detail)
  from pg_temp.attempt($$select fundes.create_investment('A', 99, 5000)$$);
select is(message, 'Investor not found', 'UF001 in the source''s words') from pg_temp.attempt($$select fundes.create_investment('nobody', 1, 5000)$$);
select is(message, 'Fund not found', 'UF002 in the source''s words') from pg_temp.attempt($$select fundes.create_investment('A', 99, 5000)$$);
select is(message, 'Not enough stock quantity', 'UF004 in the source''s words') from pg_temp.attempt($$select fundes.withdraw_investment('A', 1, 101, effective_at => '2023-06-01 09:20')$$);
select is(message, 'Investment not found', 'UF006 in the source''s words') from pg_temp.attempt($$select fundes.withdraw_investment('B', 1, 1, effective_at => '2023-06-01 09:20')$$);

-- A withdrawal
select pg_temp.refuses('select fundes.withdraw_investment(' || arguments || ')', code, 'withdraw_investment: ' || rule)
  from (values
	($$null, 1, 1$$, '22004', 'investor_id is null'),
	($$'A', null, 1$$, '22004', 'fund_id is null'),
	($$'nobody', 1, 1$$, 'UF001', 'unknown investor'),
	($$'A', 99, 1$$, 'UF002', 'unknown fund'),
	($$'B', 1, 1, effective_at => '2023-06-01 09:20'$$, 'UF006', 'never invested'),
	($$'A', 1, 101, effective_at => '2023-06-01 09:20'$$, 'UF004', 'more than is held'),
	($$'A', 1, 1, effective_at => now() + interval '1 hour'$$, 'UF020', 'in the future'),
	($$'A', 1, 1, effective_at => '2023-06-01 09:20', expected_version => 7$$, 'UF021', 'expected_version of the holding'),
	($$null, 1, 0$$, '22004', 'NULL before quantities'),
	($$'nobody', 1, 0$$, 'UF005', 'quantities before who'),
	($$'nobody', 99, 1$$, 'UF001', 'investor before fund'),
	($$'B', 1, 1, effective_at => now() + interval '1 hour'$$, 'UF006', 'what before time'),
	($$'A', 1, 101, effective_at => now() + interval '1 hour'$$, 'UF020', 'time before the books'),
	($$'A', 1, 101, effective_at => '2023-06-01 09:20', expected_version => 7$$, 'UF021', 'expected_version before the books')
  ) v(arguments, code, rule);
select pg_temp.same(
	$$select withdrawn_amount::numeric, unit_price::numeric, realised_gain::numeric, event_id is not null
		from fundes.withdraw_investment('A', 1, 40.0, effective_at => '2023-06-01 09:30', expected_version => 1)$$,
	$$values (40000::numeric, 1000::numeric, 0::numeric, true)$$, 'a withdrawal pays the units at base_price');
select pg_temp.same($$select type, payload from fundes.read_stream('holding-1-A', 2)$$,
	$$values ('InvestmentWithdrawn', '{"investor_id": "A", "fund_id": 1, "unit_price": 1000, "stock_quantity": 40, "withdrawn_amount": 40000, "cost_relieved": 40000, "realised_gain": 0}'::jsonb)$$,
	'InvestmentWithdrawn goes to the holding''s stream');
select is(pg_temp.figures(1, 'capital_cash', 'total_supply', 'redemptions'), 'capital_cash 60000, total_supply 60, redemptions 40000', 'cash and units go');
select pg_temp.accepts($$select fundes.withdraw_investment('A', 1, 60, effective_at => '2023-06-01 09:40')$$, 'a full exit');
select pg_temp.refuses($$select fundes.withdraw_investment('A', 1, 1, effective_at => '2023-06-01 09:50')$$, 'UF004', 'after a full exit');
select pg_temp.same(
	$$select units::numeric, investment_amount::numeric, cost_basis::numeric, current_value::numeric, realised_gain::numeric from fundes.investment_current_value where investor_id = 'A'$$,
	$$values (0::numeric, 100000::numeric, 0::numeric, 0::numeric, 0::numeric)$$, 'a holding without units stays with its history');
select pg_temp.books_balance('the books balance');

-- Cash that may be spent is capital_cash less liabilities.
select fundes.create_fund('Jazz', effective_at => '2023-06-01 09:00');
select fundes.create_investment('B', 2, 100000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(2, 'M1', 'R1', 'S1', 90000, effective_at => '2023-06-01 09:20');
select pg_temp.refuses($$select fundes.withdraw_investment('B', 2, 11, effective_at => '2023-06-01 09:30')$$, 'UF003', 'a withdrawal beyond the cash');
select is(message, 'Insufficient fund', 'UF003 in the source''s words')
  from pg_temp.attempt($$select fundes.withdraw_investment('B', 2, 11, effective_at => '2023-06-01 09:30')$$);
select pg_temp.refuses($$select fundes.withdraw_investment('B', 2, 101, effective_at => '2023-06-01 09:30')$$, 'UF004', 'units before cash');
select fundes.accrue_fee(2, 1000, effective_at => '2023-06-01 09:30');
select pg_temp.refuses($$select fundes.withdraw_investment('B', 2, 10, effective_at => '2023-06-01 09:40')$$, 'UF003', 'a withdrawal of what is owed');
select pg_temp.accepts($$select fundes.withdraw_investment('B', 2, 9, effective_at => '2023-06-01 09:40')$$, 'exactly what may be spent');
select is(pg_temp.figures(2, 'capital_cash', 'liabilities'), 'capital_cash 1000, liabilities 1000', 'is gone');

-- Rounding: units down, cash taken up, cash paid down, cost relieved down.
select fundes.create_fund('Rock', 3.3333, effective_at => '2023-06-01 09:00');
select fundes.set_price_limits(3, null, null, effective_at => '2023-06-01 09:00');
select pg_temp.same(
	$$select units::numeric, cash_taken::numeric, refund_cash::numeric from fundes.create_investment('C', 3, 11, effective_at => '2023-06-01 09:10')$$,
	$$values (3::numeric, 10::numeric, 1::numeric)$$, '11 at 3.3333: 3 units for ceil(9.9999)');
select pg_temp.same(
	$$select withdrawn_amount::numeric, realised_gain::numeric from fundes.withdraw_investment('C', 3, 1, effective_at => '2023-06-01 09:20')$$,
	$$values (3::numeric, 0::numeric)$$, 'one unit pays floor(3.3333), and relieves floor(10 / 3)');
select pg_temp.same(
	$$select withdrawn_amount::numeric, realised_gain::numeric from fundes.withdraw_investment('C', 3, 1, effective_at => '2023-06-01 09:30')$$,
	$$values (3::numeric, 0::numeric)$$, 'the next relieves floor(7 / 2)');
select pg_temp.same(
	$$select withdrawn_amount::numeric, realised_gain::numeric from fundes.withdraw_investment('C', 3, 1, effective_at => '2023-06-01 09:40')$$,
	$$values (3::numeric, -1::numeric)$$, 'the last relieves all that is left');
select is(pg_temp.figures(3, 'capital_cash', 'total_supply', 'subscriptions', 'redemptions', 'nav'),
		  'capital_cash 1, total_supply 0, subscriptions 10, redemptions 9, nav 1', 'what is below the smallest coin stays in the fund');
select is((select jsonb_agg(payload -> 'cost_relieved') from fundes.read_stream('holding-3-C', 2)), '[3, 3, 4]'::jsonb, 'the cost relieved is in the events');

select fundes.create_fund('Folk', 3.3333, 2, 3, effective_at => '2023-06-01 09:00');
select pg_temp.same(format($$select units::numeric, cash_taken::numeric, refund_cash::numeric from fundes.create_investment('C', 4, %s, effective_at => '2023-06-01 09:10')$$, amount),
				  format($$values (%s, %s, %s)$$, units, taken, refund), format('%s at 3.3333, cash_scale 2, unit_scale 3', amount))
  from (values (100.00, 30.000, 100.00, 0.00), (50.01, 15.003, 50.01, 0.00), (3.34, 1.002, 3.34, 0.00), (0.05, 0.015, 0.05, 0.00)) v(amount, units, taken, refund);
select pg_temp.same(
	$$select withdrawn_amount::numeric from fundes.withdraw_investment('C', 4, 0.999, effective_at => '2023-06-01 09:20')$$,
	$$values (3.32)$$, 'a payment is rounded down at cash_scale: 3.3299667');
select pg_temp.refuses($$select fundes.create_investment('C', 4, 0.001, effective_at => '2023-06-01 09:30')$$, 'UF005', 'a third decimal of cash at cash_scale 2');
select pg_temp.refuses($$select fundes.withdraw_investment('C', 4, 0.0001, effective_at => '2023-06-01 09:30')$$, 'UF005', 'a fourth decimal of units at unit_scale 3');
select pg_temp.refuses($$select fundes.withdraw_investment('C', 4, 0.001, effective_at => '2023-06-01 09:30')$$, 'UF012', 'a withdrawal that would pay 0');
select pg_temp.accepts($$select fundes.withdraw_investment('C', 4, 0.004, effective_at => '2023-06-01 09:30')$$, 'one that pays a cent');

-- Too many units
select fundes.create_fund('Tiny', 0.0001, 0, 0, effective_at => '2023-06-01 09:00');
select pg_temp.refuses($$select fundes.create_investment('C', 5, 99999999999999999999, effective_at => '2023-06-01 09:10')$$, '22003', 'more units than can be counted');
select pg_temp.accepts($$select fundes.create_investment('C', 5, 90000000000000, effective_at => '2023-06-01 09:10')$$, '9 * 10^17 units');
select pg_temp.refuses($$select fundes.create_investment('C', 5, 90000000000000, effective_at => '2023-06-01 09:20')$$, '22003', 'a sum of units that is too large');

-- The whole position may pay nothing; a part may not.
select fundes.create_fund('Dust', 1000, 0, 3, effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', 6, 1000, effective_at => '2023-06-01 09:10');
select is((fundes.create_investment('D', 6, 1, effective_at => '2023-06-01 09:10')).units::numeric, 0.001, 'one cash buys a thousandth');
select fundes.purchase_mcp(6, 'M6', 'R6', 'S6', 600, effective_at => '2023-06-01 09:20');
select fundes.record_mcp_price('M6', 'R6', 'S6', '2023-06-01', 0);
select pg_temp.same($$select base_price::numeric, asset_value::numeric from fundes.update_mcp_asset_value(6, '2023-06-01', effective_at => '2023-06-02 00:00')$$,
				  $$values (400.5994, 0::numeric)$$, 'the price falls to 400.5994, floor of 401 / 1.001');
select pg_temp.refuses($$select fundes.withdraw_investment('A', 6, 0.002, effective_at => '2023-06-02 09:00')$$, 'UF012', 'a part that would pay 0.8');
select pg_temp.same(
	$$select withdrawn_amount::numeric, realised_gain::numeric from fundes.withdraw_investment('D', 6, 0.001, effective_at => '2023-06-02 09:00')$$,
	$$values (0::numeric, -1::numeric)$$, 'the whole position pays 0.4, that is 0');

-- A price of 0.
select fundes.create_fund('Lost', 1000, effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', 7, 10000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(7, 'M7', 'R7', 'S7', 10000, effective_at => '2023-06-01 09:20');
select fundes.record_mcp_price('M7', 'R7', 'S7', '2023-06-01', 0);
select is((select base_price::numeric from fundes.update_mcp_asset_value(7, '2023-06-01', effective_at => '2023-06-02 00:00')), 0::numeric, 'a fund that has lost all has price 0');
select pg_temp.refuses($$select fundes.create_investment('B', 7, 10000, effective_at => '2023-06-02 09:00')$$, 'UF012', 'a pay-in at base_price 0');
select pg_temp.refuses($$select fundes.withdraw_investment('A', 7, 5, effective_at => '2023-06-02 09:00')$$, 'UF012', 'a part of a holding at base_price 0');
select pg_temp.same(
	$$select withdrawn_amount::numeric, realised_gain::numeric from fundes.withdraw_investment('A', 7, 10, effective_at => '2023-06-02 09:00')$$,
	$$values (0::numeric, -10000::numeric)$$, 'all of a holding at base_price 0');

-- A residue without units.
select fundes.create_fund('Residue', effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', 8, 10000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(8, 'M8', 'R8', 'S8', 100, effective_at => '2023-06-01 09:20');
select fundes.sell_mcp(8, pg_temp.asset('M8'), 100, effective_at => '2023-06-01 09:30');
select fundes.withdraw_investment('A', 8, 10, effective_at => '2023-06-01 09:40');
select fundes.record_royalty(8, pg_temp.asset('M8'), 50, effective_at => '2023-06-01 09:50');
select is(pg_temp.figures(8, 'total_supply', 'nav', 'nav_per_unit', 'price_drift'), 'total_supply 0, nav 50, nav_per_unit null, price_drift null', 'cash that no unit owns');
select pg_temp.refuses($$select fundes.create_investment('A', 8, 10000, effective_at => '2023-06-01 10:00')$$, 'UF017', 'a pay-in into a fund with a residue and no units');
select pg_temp.refuses($$select fundes.create_investment('A', 8, 10000, effective_at => '2023-06-01 10:00', expected_version => 0)$$, 'UF017', 'which comes before expected_version');

-- A price struck anew.
select fundes.create_fund('Again', effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', 9, 10000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(9, 'M9', 'R9', 'S9', 5000, effective_at => '2023-06-01 09:20');
select fundes.record_mcp_price('M9', 'R9', 'S9', '2023-06-01', 6000);
select is((select base_price::numeric from fundes.update_mcp_asset_value(9, '2023-06-01', effective_at => '2023-06-02 00:00')), 1100::numeric, 'the price rises to 1100');
select fundes.sell_mcp(9, pg_temp.asset('M9'), 6000, effective_at => '2023-06-02 09:00');
select is((fundes.withdraw_investment('A', 9, 10, effective_at => '2023-06-02 10:00')).withdrawn_amount::numeric, 11000::numeric, 'all is paid out');
select pg_temp.same(
	$$select units::numeric, unit_price::numeric from fundes.create_investment('B', 9, 5000, effective_at => '2023-09-01 10:00')$$,
	$$values (5::numeric, 1000::numeric)$$, 'a fund with no units and NAV 0 deals at initial_price, whatever the age of its last price');
select is(pg_temp.figures(9, 'base_price', 'nav', 'nav_per_unit'), 'base_price 1000, nav 5000, nav_per_unit 1000', 'and base_price is struck anew');

-- A pay-in's payload is not checked against its type: it fits, at all bounds.
create temporary table extreme as
select fundes.create_fund('Extreme', price, cash_scale, unit_scale, effective_at => '2023-06-01 09:00') as fund_id
  from unnest(array[0.0001, 1, 1000.0001, 9999999999999999.9999]) price,
	   unnest(array[0, 4]) cash_scale, unnest(array[0, 6]) unit_scale;
select cmp_ok(count(*) filter (where (pg_temp.attempt(format('select fundes.create_investment(%L, %s, %s, effective_at => ''2023-06-01 09:10'')',
															 id, fund_id, amount))).state = '00000'),
			  '>', 50::bigint, 'pay-ins of the least and the greatest amounts')
  from extreme, unnest(array['A', 'B']) id,
	   unnest(array[0.0001, 0.0002, 1, 3, 99999999999999.9999, 1e16, 9999999999999999999, 49999999999999999999.9999, 99999999999999999999, 99999999999999999999.9999]) amount;
select is_empty($$
	with pay_in as materialized (select stream, payload from fundes.event_log where type = 'InvestmentCreated')
	select payload from pay_in
	 where not (payload <@ to_jsonb(jsonb_populate_record(null::fundes.investment_created, payload))
				and stream = format('holding-%s-%s', payload ->> 'fund_id', payload ->> 'investor_id'))$$,
	'all of them fit');
select pg_temp.books_balance('the books balance');
select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select is_empty($$select stream from fundes.event_log group by stream having count(*) <> max(version) or min(version) <> 1$$, 'versions have no gaps, also where a row tells the last one');

select * from finish();
rollback;
