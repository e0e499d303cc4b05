-- The worked example: two funds, three investors, four copyrights, two
-- valuation days, a distribution, a royalty that is corrected, three refused
-- commands; every figure after every event.

begin;
\ir helper.inc
select no_plan();

-- What must be seen after each event, of the fund that it touched.
create temporary table expected_state (
	n text, effective_at timestamptz, type text, fund bigint,
	capital_cash numeric, asset_value numeric, liabilities numeric, nav numeric,
	total_supply numeric, base_price numeric, nav_per_unit_live numeric,
	accumulated_purchase_value numeric, accumulated_sold_value numeric,
	compute_fund_value numeric, cost_of_held_mcps numeric, realised_gain numeric,
	unrealised_gain numeric, royalty_income numeric, fee_expense numeric, distributed numeric
);
copy expected_state from stdin with (format csv);
E01,2023-06-01 09:00+09,FundCreated,1,0,0,0,0,0,1000.0000,,0,0,0,0,0,0,0,0,0
E02,2023-06-01 09:01+09,FundCreated,2,0,0,0,0,0,1000.0000,,0,0,0,0,0,0,0,0,0
E03,2023-06-01 09:05+09,InvestorCreated,,,,,,,,,,,,,,,,,
E04,2023-06-01 09:06+09,InvestorCreated,,,,,,,,,,,,,,,,,
E05,2023-06-01 09:10+09,InvestmentCreated,1,1000000,0,0,1000000,1000,1000.0000,1000.0000,0,0,0,0,0,0,0,0,0
E06,2023-06-01 09:20+09,InvestmentCreated,1,1500000,0,0,1500000,1500,1000.0000,1000.0000,0,0,0,0,0,0,0,0,0
E07,2023-06-01 09:30+09,InvestmentCreated,2,100000,0,0,100000,100,1000.0000,1000.0000,0,0,0,0,0,0,0,0,0
E08,2023-06-01 10:00+09,McpPurchased,1,900000,600000,0,1500000,1500,1000.0000,1000.0000,600000,0,600000,600000,0,0,0,0,0
E09,2023-06-01 10:05+09,McpPurchased,1,450000,1050000,0,1500000,1500,1000.0000,1000.0000,1050000,0,1050000,1050000,0,0,0,0,0
E10,2023-06-01 10:10+09,McpPurchased,2,0,100000,0,100000,100,1000.0000,1000.0000,100000,0,100000,100000,0,0,0,0,0
E11,2023-06-02 00:00+09,FundValued,1,450000,1071000,0,1521000,1500,1014.0000,1014.0000,1050000,0,1050000,1050000,0,21000,0,0,0
E12,2023-06-02 00:00+09,FundValued,2,0,100000,0,100000,100,1000.0000,1000.0000,100000,0,100000,100000,0,0,0,0,0
E13,2023-06-02 09:00+09,InvestorCreated,,,,,,,,,,,,,,,,,
E14,2023-06-02 10:00+09,InvestmentCreated,1,749130,1071000,0,1820130,1795,1014.0000,1014.0000,1050000,0,1050000,1050000,0,21000,0,0,0
E15,2023-06-10 12:00+09,RoyaltyReceived,1,761475,1071000,0,1832475,1795,1014.0000,1020.8774,1050000,0,1050000,1050000,0,21000,12345,0,0
E16,2023-06-15 12:00+09,McpSold,1,1231475,630000,0,1861475,1795,1014.0000,1037.0334,1050000,470000,580000,600000,20000,30000,12345,0,0
E17,2023-06-20 12:00+09,McpPurchased,1,898142,963333,0,1861475,1795,1014.0000,1037.0334,1383333,470000,913333,933333,20000,30000,12345,0,0
E18,2023-06-30 23:00+09,FeeAccrued,1,898142,963333,1500,1859975,1795,1014.0000,1036.1977,1383333,470000,913333,933333,20000,30000,12345,1500,0
E19,2023-07-01 00:00+09,FundValued,1,898142,948333,1500,1844975,1795,1027.8412,1027.8412,1383333,470000,913333,933333,20000,15000,12345,1500,0
E20,2023-07-03 10:00+09,InvestmentWithdrawn,1,487006,948333,1500,1433839,1395,1027.8412,1027.8415,1383333,470000,913333,933333,20000,15000,12345,1500,0
E21,2023-07-05 10:00+09,DistributionDeclared,1,487006,948333,11499,1423840,1395,1020.6738,1020.6738,1383333,470000,913333,933333,20000,15000,12345,1500,9999
E22,2023-07-10 10:00+09,DistributionPaid,1,477007,948333,1500,1423840,1395,1020.6738,1020.6738,1383333,470000,913333,933333,20000,15000,12345,1500,9999
E23,2023-07-11 10:00+09,FeePaid,1,475507,948333,0,1423840,1395,1020.6738,1020.6738,1383333,470000,913333,933333,20000,15000,12345,1500,9999
E24,2023-06-10 12:00+09,EventReversed,1,463162,948333,0,1411495,1395,1020.6738,1011.8243,1383333,470000,913333,933333,20000,15000,0,1500,9999
E25,2023-06-10 12:00+09,RoyaltyReceived,1,475516,948333,0,1423849,1395,1020.6738,1020.6802,1383333,470000,913333,933333,20000,15000,12354,1500,9999
\.

create temporary table expected_holding (
	n text, investor text, fund bigint, units numeric, cost_basis numeric, paid_in numeric,
	withdrawn numeric, realised_gain numeric, distributions numeric,
	current_value_at_base_price numeric
);
copy expected_holding from stdin with (format csv);
E05,A,1,1000,1000000,1000000,0,0,0,1000000
E06,A,1,1000,1000000,1000000,0,0,0,1000000
E06,B,1,500,500000,500000,0,0,0,500000
E07,B,2,100,100000,100000,0,0,0,100000
E08,A,1,1000,1000000,1000000,0,0,0,1000000
E08,B,1,500,500000,500000,0,0,0,500000
E09,A,1,1000,1000000,1000000,0,0,0,1000000
E09,B,1,500,500000,500000,0,0,0,500000
E10,B,2,100,100000,100000,0,0,0,100000
E11,A,1,1000,1000000,1000000,0,0,0,1014000
E11,B,1,500,500000,500000,0,0,0,507000
E12,B,2,100,100000,100000,0,0,0,100000
E14,A,1,1000,1000000,1000000,0,0,0,1014000
E14,B,1,500,500000,500000,0,0,0,507000
E14,C,1,295,299130,299130,0,0,0,299130
E15,A,1,1000,1000000,1000000,0,0,0,1014000
E15,B,1,500,500000,500000,0,0,0,507000
E15,C,1,295,299130,299130,0,0,0,299130
E16,A,1,1000,1000000,1000000,0,0,0,1014000
E16,B,1,500,500000,500000,0,0,0,507000
E16,C,1,295,299130,299130,0,0,0,299130
E17,A,1,1000,1000000,1000000,0,0,0,1014000
E17,B,1,500,500000,500000,0,0,0,507000
E17,C,1,295,299130,299130,0,0,0,299130
E18,A,1,1000,1000000,1000000,0,0,0,1014000
E18,B,1,500,500000,500000,0,0,0,507000
E18,C,1,295,299130,299130,0,0,0,299130
E19,A,1,1000,1000000,1000000,0,0,0,1027841
E19,B,1,500,500000,500000,0,0,0,513920
E19,C,1,295,299130,299130,0,0,0,303213
E20,A,1,600,600000,1000000,411136,11136,0,616704
E20,B,1,500,500000,500000,0,0,0,513920
E20,C,1,295,299130,299130,0,0,0,303213
E21,A,1,600,600000,1000000,411136,11136,0,612404
E21,B,1,500,500000,500000,0,0,0,510336
E21,C,1,295,299130,299130,0,0,0,301098
E22,A,1,600,600000,1000000,411136,11136,4301,612404
E22,B,1,500,500000,500000,0,0,3584,510336
E22,C,1,295,299130,299130,0,0,2114,301098
E23,A,1,600,600000,1000000,411136,11136,4301,612404
E23,B,1,500,500000,500000,0,0,3584,510336
E23,C,1,295,299130,299130,0,0,2114,301098
E24,A,1,600,600000,1000000,411136,11136,4301,612404
E24,B,1,500,500000,500000,0,0,3584,510336
E24,C,1,295,299130,299130,0,0,2114,301098
E25,A,1,600,600000,1000000,411136,11136,4301,612404
E25,B,1,500,500000,500000,0,0,3584,510336
E25,C,1,295,299130,299130,0,0,2114,301098
\.

-- The figures of the fund that event n touched, and the holdings of it, as
-- the views show them now.
create function pg_temp.seen(n text) returns setof text
language plpgsql as $$
declare
	wanted expected_state;
	figures jsonb;
begin
	select * into strict wanted from expected_state e where e.n = seen.n;
	return next is(
		(select format('%s %s', type, effective_at) from fundes.event_log order by position desc limit 1),
		format('%s %s', wanted.type, wanted.effective_at),
		n || ' is the last event of the log');
	if wanted.fund is null then
		return;
	end if;

	select to_jsonb(f) into figures
	  from (select seen.n, wanted.effective_at, wanted.type, s.fund_id as fund,
				   s.capital_cash, s.asset_value, s.liabilities, s.nav,
				   s.total_supply, s.base_price, s.nav_per_unit as nav_per_unit_live,
				   s.accumulated_purchase_value, s.accumulated_sold_value,
				   fundes.compute_fund_value(s.fund_id) as compute_fund_value,
				   (select coalesce(sum(cost_cash), 0) from fundes.mcp_holding m
					 where m.fund_id = s.fund_id) as cost_of_held_mcps,
				   s.realised_gain, s.unrealised_gain, s.royalty_income, s.fee_expense, s.distributed
			  from fundes.fund_sheet s
			 where s.fund_id = wanted.fund) f;
	return next is(figures, to_jsonb(wanted), n || ': every figure of the fund');

	return next is(
		(select jsonb_agg(to_jsonb(h) order by h.investor)
		   from (select seen.n, v.investor_id as investor, v.fund_id as fund, v.units, v.cost_basis,
						v.investment_amount as paid_in, v.withdrawn_amount as withdrawn,
						v.realised_gain, v.distributions,
						v.current_value as current_value_at_base_price
				   from fundes.investment_current_value v
				  where v.fund_id = wanted.fund) h),
		(select jsonb_agg(to_jsonb(h) order by h.investor) from expected_holding h where h.n = seen.n),
		n || ': every figure of the holdings');
	return next pg_temp.books_balance(n || ': the books balance');
end
$$;

select is(fundes.create_fund('OKCOW-1', effective_at => '2023-06-01 09:00'), 1::bigint,
		  'on an empty store the first fund is 1');
select pg_temp.seen('E01');
select is(fundes.create_fund('OKCOW-2', effective_at => '2023-06-01 09:01'), 2::bigint, 'the next 2');
select pg_temp.seen('E02');
select is(fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:05'), 'A', 'create_investor returns the id');
select pg_temp.seen('E03');
select is(fundes.create_investor('B', 'Lee', effective_at => '2023-06-01 09:06'), 'B', 'create_investor returns the id');
select pg_temp.seen('E04');

select pg_temp.same(
	$$select units::numeric, unit_price::numeric, cash_taken::numeric, refund_cash::numeric
		from fundes.create_investment('A', 1, 1000000, effective_at => '2023-06-01 09:10')$$,
	$$values (1000::numeric, 1000.0000, 1000000::numeric, 0::numeric)$$, 'E05: 1000 units at 1000');
select pg_temp.seen('E05');
select pg_temp.same(
	$$select units::numeric, unit_price::numeric, cash_taken::numeric, refund_cash::numeric
		from fundes.create_investment('B', 1, 500500, effective_at => '2023-06-01 09:20')$$,
	$$values (500::numeric, 1000.0000, 500000::numeric, 500::numeric)$$, 'E06: 500 units, 500 refunded');
select pg_temp.seen('E06');
select pg_temp.same(
	$$select units::numeric, refund_cash::numeric
		from fundes.create_investment('B', 2, 100000, effective_at => '2023-06-01 09:30')$$,
	$$values (100::numeric, 0::numeric)$$, 'E07: 100 units');
select pg_temp.seen('E07');

select lives_ok($$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 600000, effective_at => '2023-06-01 10:00')$$, 'E08');
select pg_temp.seen('E08');
select lives_ok($$select fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 450000, effective_at => '2023-06-01 10:05')$$, 'E09');
select pg_temp.seen('E09');
select lives_ok($$select fundes.purchase_mcp(2, 'M4', 'R4', 'S4', 100000, effective_at => '2023-06-01 10:10')$$,
				'E10: a price equal to the cash is allowed');
select pg_temp.seen('E10');
select pg_temp.refuses($$select fundes.purchase_mcp(2, 'M3', 'R3', 'S3', 1, effective_at => '2023-06-01 10:11')$$,
					   'UF003', 'X1: a purchase beyond the cash');

select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000);
select fundes.record_mcp_price('M2', 'R2', 'S2', '2023-06-01', 441000);
select pg_temp.same(
	$$select fund_id, valuation_date, asset_value::numeric, capital_cash::numeric, liabilities::numeric, nav::numeric,
			 total_supply::numeric, base_price::numeric, stale_count, status
		from fundes.update_mcp_asset_value(1, '2023-06-01', effective_at => '2023-06-02 00:00')$$,
	$$values (1::bigint, date '2023-06-01', 1071000::numeric, 450000::numeric, 0::numeric, 1521000::numeric,
			  1500::numeric, 1014.0000, 0, 'valued')$$, 'E11: valued at 1014');
select pg_temp.seen('E11');
select pg_temp.same(
	$$select fund_id, valuation_date, asset_value::numeric, base_price::numeric, stale_count, status
		from fundes.update_mcp_asset_value(2, '2023-06-01', effective_at => '2023-06-02 00:00')$$,
	$$values (2::bigint, date '2023-06-01', 100000::numeric, 1000.0000, 1, 'valued')$$,
	'E12: a copyright without a price is carried at cost and counted as stale');
select pg_temp.seen('E12');
select is((select is_stale from fundes.mcp_holding where copyright_code = 'M4'), true, 'E12: and flagged');

select lives_ok($$select fundes.create_investor('C', 'Park', effective_at => '2023-06-02 09:00')$$, 'E13');
select pg_temp.seen('E13');
select pg_temp.same(
	$$select units::numeric, unit_price::numeric, cash_taken::numeric, refund_cash::numeric
		from fundes.create_investment('C', 1, 300000, effective_at => '2023-06-02 10:00')$$,
	$$values (295::numeric, 1014.0000, 299130::numeric, 870::numeric)$$, 'E14: 295 units at 1014, 870 refunded');
select pg_temp.seen('E14');
select lives_ok($$select fundes.record_royalty(1, pg_temp.asset('M1'), 12345, effective_at => '2023-06-10 12:00')$$, 'E15');
select pg_temp.seen('E15');
select is(fundes.compute_fund_value(1), 1050000::numeric, 'at the end of 06-10 compute_fund_value(1) is 1050000');
select is(fundes.sell_mcp(1, pg_temp.asset('M2'), 470000, effective_at => '2023-06-15 12:00'), 20000::numeric,
		  'E16: realised gain 20000');
select pg_temp.seen('E16');
select is((select payload - 'fund_id' - 'asset_id' from fundes.read_stream('fund-1', backward => true, max_count => 1)),
		  '{"price_cash": 470000, "carrying_value": 441000, "cost_cash": 450000, "realised_gain": 20000}'::jsonb,
		  'E16: carrying value 441000, cost 450000');
select lives_ok($$select fundes.purchase_mcp(1, 'M3', 'R3', 'S3', 333333, effective_at => '2023-06-20 12:00')$$, 'E17');
select pg_temp.seen('E17');
select lives_ok($$select fundes.accrue_fee(1, 1500, effective_at => '2023-06-30 23:00')$$, 'E18');
select pg_temp.seen('E18');
select is((select price_drift::numeric from fundes.fund_sheet where fund_id = 1), 0.021891, 'E18: the drift is +2.189 %');
select pg_temp.refuses($$select fundes.create_investment('C', 1, 100000, effective_at => '2023-06-30 23:30')$$,
					   'UF009', 'X2: a deal at a price that has drifted');

select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-30', 615000);
select pg_temp.same(
	$$select asset_value::numeric, capital_cash::numeric, liabilities::numeric, nav::numeric, total_supply::numeric,
			 base_price::numeric, stale_count, status
		from fundes.update_mcp_asset_value(1, '2023-06-30', effective_at => '2023-07-01 00:00')$$,
	$$values (948333::numeric, 898142::numeric, 1500::numeric, 1844975::numeric, 1795::numeric, 1027.8412, 1, 'valued')$$,
	'E19: M3 is carried, stale');
select pg_temp.seen('E19');
select pg_temp.same(
	$$select copyright_code, is_stale from fundes.mcp_holding where fund_id = 1 order by 1$$,
	$$values ('M1', false), ('M3', true)$$, 'E19: M3 is stale, M1 is not');
select pg_temp.same(
	$$select withdrawn_amount::numeric, unit_price::numeric, realised_gain::numeric
		from fundes.withdraw_investment('A', 1, 400, effective_at => '2023-07-03 10:00')$$,
	$$values (411136::numeric, 1027.8412, 11136::numeric)$$, 'E20: 411136 paid, gain 11136');
select pg_temp.seen('E20');
select pg_temp.refuses($$select fundes.withdraw_investment('A', 1, 601, effective_at => '2023-07-03 10:05')$$,
					   'UF004', 'X3: more units than are held');

select is(fundes.declare_distribution(1, 10000, effective_at => '2023-07-05 10:00'), 1::bigint, 'E21: the first distribution');
select pg_temp.seen('E21');
select is((select payload - 'fund_id' - 'record_date' from fundes.read_stream('fund-1', backward => true, max_count => 1)),
		  '{"distribution_id": 1, "amount": 10000, "per_unit": 7.1684, "entitlements": {"A": 4301, "B": 3584, "C": 2114}, "total": 9999, "base_price": 1020.6738}'::jsonb,
		  'E21: 7.1684 a unit, 9999 in all, ex price 1020.6738');
select lives_ok($$select fundes.pay_distribution(1, 1, effective_at => '2023-07-10 10:00')$$, 'E22');
select pg_temp.seen('E22');
select lives_ok($$select fundes.pay_fee(1, 1500, effective_at => '2023-07-11 10:00')$$, 'E23');
select pg_temp.seen('E23');
select lives_ok($$select fundes.reverse_event((select event_id from fundes.event_log where type = 'RoyaltyReceived'), 'wrong amount', effective_at => '2023-06-10 12:00')$$,
				'E24: the royalty is reversed');
select pg_temp.seen('E24');
select lives_ok($$select fundes.record_royalty(1, pg_temp.asset('M1'), 12354, effective_at => '2023-06-10 12:00')$$, 'E25: and recorded anew');
select pg_temp.seen('E25');

-- further facts
select is(fundes.compute_fund_value(1), 913333::numeric, 'at the end compute_fund_value(1) is 913333');
select is(fundes.compute_fund_value(2), 100000::numeric, 'and compute_fund_value(2) 100000');
select pg_temp.same($$select * from fundes.get_investment_details('B')$$,
				  $$values (600000::numeric, 610336::numeric, 'KRW')$$, 'get_investment_details: B over both funds');
select pg_temp.same($$select * from fundes.get_investment_details('A')$$,
				  $$values (1000000::numeric, 612404::numeric, 'KRW')$$, 'get_investment_details: A');
select pg_temp.same(
	$$select investor_id, value_at_cost::numeric from fundes.investment_current_value where fund_id = 1 order by 1$$,
	$$values ('A', 392831.3978), ('B', 327359.4982), ('C', 193142.1039)$$,
	'value_at_cost is compute_fund_value * units / total_supply, floor at 4 decimals');
select pg_temp.same(
	$$select fund_id, valuation_date, is_current, nav::numeric, base_price::numeric from fundes.nav_history order by 1, 2$$,
	$$values (1::bigint, date '2023-06-01', true, 1521000::numeric, 1014.0000),
			 (1, '2023-06-30', true, 1844975, 1027.8412),
			 (2, '2023-06-01', true, 100000, 1000.0000)$$, 'nav_history has the three valuations');
select pg_temp.same($$select stream, max(version) from fundes.event_log group by 1 order by stream$$,
	$$values ('fund-1', 14::bigint), ('fund-2', 3), ('holding-1-A', 2), ('holding-1-B', 1), ('holding-1-C', 1),
			 ('holding-2-B', 1), ('investor-A', 1), ('investor-B', 1), ('investor-C', 1)$$,
	'each event went to its stream');
select is((select count(*) from fundes.event_log), 25::bigint, 'twenty-five commands are twenty-five events');
select is((select string_agg(valuation_date::text, ', ') from fundes.nav_history where fund_id = 1 and needs_restatement), '2023-06-30',
		  'E24 and E25 flag the valuation of 06-30');
select pg_temp.same(
	$$select valuation_date, nav::numeric, base_price::numeric, status from fundes.restate_nav(1, '2023-06-01', effective_at => '2023-07-12 11:00')$$,
	$$values (date '2023-06-30', 1844984::numeric, 1027.8462, 'revised')$$, 'the NAV of 06-30, restated');
select is((select base_price from fundes.fund_sheet where fund_id = 1)::numeric, 1020.6738, 'strikes nothing');
select pg_temp.same(
	$$select nav::numeric, base_price::numeric from fundes.update_mcp_asset_value(1, '2023-07-31', effective_at => '2023-08-01 00:00')$$,
	$$values (1423849::numeric, 1020.6802)$$, 'with unchanged prices on 07-31 base_price is 1020.6802');
select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');

select * from finish();
rollback;
