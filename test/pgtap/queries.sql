-- compute_fund_value, get_investment_details and the views where the worked
-- example does not reach: no investments, two currencies, absent rows.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(id, id, effective_at => '2023-06-01 08:00') from unnest(array['A', 'B', 'C']) id;
select fundes.create_fund('Won', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Dollar', 10, 2, 4, 'USD', effective_at => '2023-06-01 09:00');

select is(fundes.compute_fund_value(1), 0::numeric, 'compute_fund_value of a fund without copyrights is 0');
select pg_temp.refuses($$select fundes.compute_fund_value(99)$$, 'UF002', 'compute_fund_value of an unknown fund');
select pg_temp.refuses($$select fundes.compute_fund_value(null)$$, '22004', 'compute_fund_value of null');
select pg_temp.refuses($$select * from fundes.get_investment_details('nobody')$$, 'UF001', 'get_investment_details of an unknown investor');
select pg_temp.refuses($$select * from fundes.get_investment_details(null)$$, '22004', 'get_investment_details of null');

select pg_temp.same($$select * from fundes.get_investment_details('A')$$, $$values (0::numeric, 0::numeric, null::text)$$, 'an investor without investments: (0, 0, NULL)');
select pg_temp.same($$select investment_amount::numeric, current_value::numeric, currency from fundes.investment_details where investor_id = 'A'$$,
				  $$values (0::numeric, 0::numeric, null::text)$$, 'the view too');

select fundes.create_investment('A', 1, 50000, effective_at => '2023-06-01 09:10');
select fundes.create_investment('A', 2, 123.45, effective_at => '2023-06-01 09:10');
select fundes.create_investment('B', 2, 1000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(2, 'M1', 'R1', 'S1', 500.50, effective_at => '2023-06-01 09:20');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 600.505);
select fundes.update_mcp_asset_value(2, '2023-06-01', effective_at => '2023-06-02 00:00');
select is(pg_temp.figures(2, 'capital_cash', 'asset_value', 'total_supply', 'nav', 'base_price'),
		  'capital_cash 622.95, asset_value 600.51, total_supply 112.345, nav 1223.46, base_price 10.8902', 'a fund of cents: value half up, price down');
select pg_temp.same($$select * from fundes.get_investment_details('A') order by currency$$,
				  $$values (50000::numeric, 50000::numeric, 'KRW'), (123.45, 134.43, 'USD')$$, 'a row a currency');
select pg_temp.same($$select investment_amount::numeric, current_value::numeric, currency from fundes.investment_details where investor_id = 'A' order by currency$$,
				  $$select * from fundes.get_investment_details('A') order by currency$$, 'as in the view');
select pg_temp.same(
	$$select investor_id, units::numeric, current_value::numeric, unrealised_gain::numeric, value_at_cost::numeric, currency from fundes.investment_current_value where fund_id = 2 order by 1$$,
	$$values ('A', 12.345, 134.43, 10.98, 54.9973, 'USD'), ('B', 100.0000, 1089.02, 89.02, 445.5026, 'USD')$$,
	'current_value is floor(units * base_price) at cash_scale');
select is(fundes.compute_fund_value(2), 500.50, 'compute_fund_value stays at cost');
select fundes.withdraw_investment('A', 1, 50, effective_at => '2023-06-02 09:00');
select pg_temp.same($$select * from fundes.get_investment_details('A') order by currency$$,
				  $$values (50000::numeric, 0::numeric, 'KRW'), (123.45, 134.43, 'USD')$$, 'an exit stays in the sum of what was paid in');
select pg_temp.same(
	$$select units::numeric, current_value::numeric, value_at_cost::numeric from fundes.investment_current_value where fund_id = 1$$,
	$$values (0::numeric, 0::numeric, null::numeric)$$, 'value_at_cost of a fund without units is NULL');

select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-02', 601.00);
select fundes.update_mcp_asset_value(2, '2023-06-02', effective_at => '2023-06-03 00:00');
select pg_temp.same($$select valuation_date, change::numeric from fundes.nav_history where fund_id = 2 order by 1$$,
				  $$values (date '2023-06-01', null::numeric), ('2023-06-02', 0.0043)$$, 'change is the difference to the price of the day before');
select is_empty($$select * from fundes.nav_history where fund_id = 99$$, 'an unknown fund has no rows');
select is_empty($$select * from fundes.investment_details where investor_id = 'nobody'$$, 'an unknown investor has no rows');

set local transaction_read_only = on;
select is(fundes.compute_fund_value(2), 500.50, 'queries run in a read-only transaction');
select is((select count(*) from fundes.get_investment_details('A')), 2::bigint, 'all of them');

select * from finish();
rollback;
