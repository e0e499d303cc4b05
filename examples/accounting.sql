set timezone = 'Asia/Seoul';
select fundes.create_fund('OKCOW-1', effective_at => '2023-06-01 09:00');
select fundes.create_investor(id, name, effective_at => '2023-06-01 09:05') from (values ('A', 'Kim'), ('B', 'Lee'), ('C', 'Park')) i(id, name);
select units, unit_price, cash_taken, refund_cash from fundes.create_investment('A', 1, 1000000, effective_at => '2023-06-01 09:10');
select units, unit_price, cash_taken, refund_cash from fundes.create_investment('B', 1, 500500, effective_at => '2023-06-01 09:20');
\echo ----
select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 600000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 450000, effective_at => '2023-06-01 10:05');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000), fundes.record_mcp_price('M2', 'R2', 'S2', '2023-06-01', 441000);
select asset_value, capital_cash, nav, total_supply, base_price, stale_count, status
  from fundes.update_mcp_asset_value(1, '2023-06-01', effective_at => '2023-06-02 00:00');
select units, unit_price, cash_taken, refund_cash from fundes.create_investment('C', 1, 300000, effective_at => '2023-06-02 10:00');
\echo ----
select event_id as e15 from fundes.record_royalty(1, 1, 12345, effective_at => '2023-06-10 12:00') event_id \gset
select fundes.sell_mcp(1, 2, 470000, effective_at => '2023-06-15 12:00') as realised_gain;
select fundes.purchase_mcp(1, 'M3', 'R3', 'S3', 333333, effective_at => '2023-06-20 12:00');
select fundes.accrue_fee(1, 1500, effective_at => '2023-06-30 23:00') is not null as accrued;
select nav, subscriptions, redemptions, realised_gain, unrealised_gain, royalty_income, fee_expense, distributed
  from fundes.fund_sheet;
\echo ----
select units from fundes.create_investment('C', 1, 100000, effective_at => '2023-06-30 23:30');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-30', 615000);
select nav, base_price, stale_count from fundes.update_mcp_asset_value(1, '2023-06-30', effective_at => '2023-07-01 00:00');
select withdrawn_amount, unit_price, realised_gain from fundes.withdraw_investment('A', 1, 400, effective_at => '2023-07-03 10:00');
\echo ----
select fundes.declare_distribution(1, 10000, effective_at => '2023-07-05 10:00');
select payload ->> 'per_unit' as per_unit, payload -> 'entitlements' as entitlements, payload ->> 'total' as total
  from fundes.read_stream('fund-1') where type = 'DistributionDeclared';
select nav, liabilities, base_price as ex_price from fundes.fund_sheet;
select fundes.pay_distribution(1, 1, effective_at => '2023-07-10 10:00') is not null as paid;
select fundes.pay_fee(1, 1500, effective_at => '2023-07-11 10:00') is not null as paid;
\echo ----
select fundes.reverse_event(:'e15', 'wrong amount', effective_at => '2023-06-10 12:00') is not null as reversed;
select fundes.record_royalty(1, 1, 12354, effective_at => '2023-06-10 12:00') is not null as recorded;
select valuation_date, nav, base_price, status from fundes.restate_nav(1, '2023-06-01');
select struck_price, restated_price, difference, basis_points, investor_id, cash, restated_cash, off from fundes.nav_error order by struck_at;
\echo ----
select base_price from fundes.update_mcp_asset_value(1, '2023-07-31', effective_at => '2023-08-01 00:00');
select * from fundes.fund_pnl(1, '2023-07-01', '2023-07-31');
select fundes.twr(1, '2023-06-01', '2023-07-31');
select investor_id, fundes.xirr(investor_id, 1, '2023-07-31') from fundes.investor_portfolio order by 1;
\echo ----
select fundes.fund_nav(1, '2023-07-01 00:00') as nav, fundes.compute_fund_value(1, '2023-06-10 23:59:59') as outlay;
select base_price, current_value from fundes.investment_value_at('A', 1, '2023-06-15 00:00');
