set timezone = 'Asia/Seoul';
select fundes.create_fund('Ballads', effective_at => '2024-01-02 09:00');
select fundes.create_investor(id, name, effective_at => '2024-01-02 09:00') from (values ('A', 'Kim'), ('B', 'Lee')) i(id, name);
select units from fundes.create_investment('A', 1, 1000000, effective_at => '2024-01-02 09:10');
select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 100000, effective_at => '2024-01-02 10:00'), fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 30000, effective_at => '2024-01-02 10:00');
select fundes.publish_index('MCPI', '2024-01-02', 120, effective_at => '2024-01-03'), fundes.publish_index('MCPI', '2024-01-31', 125.5, effective_at => '2024-02-01');
select fundes.record_mcp_price('M2', 'R2', 'S2', '2024-01-31', 31000);
set fundes.price_function = 'fundes.get_mcp_price_by_index';
set fundes.price_index = 'MCPI';
select code, fundes.get_mcp_price_by_index(code, registration, music, '2024-01-31') from (values ('M1', 'R1', 'S1'), ('M2', 'R2', 'S2')) c(code, registration, music);
select asset_value, base_price, stale_count from fundes.update_mcp_asset_value(1, '2024-01-31', effective_at => '2024-02-01');
reset fundes.price_function;
\echo ----
select fundes.publish_index('MCPI', '2024-02-01', 115, effective_at => '2024-02-01 10:00') as halted;
select units from fundes.create_investment('B', 1, 50000, effective_at => '2024-02-01 10:19:59');
select units, unit_price, cash_taken, refund_cash from fundes.create_investment('B', 1, 50000, effective_at => '2024-02-01 10:20');
select fundes.create_investment('B', 1, 1000, effective_at => '2024-02-01 10:30');
\echo ----
select event_id is not null as recorded from fundes.record_royalty(1, 2, 2000, effective_at => '2024-02-01 11:00') event_id;
select investor_id, units, current_value, value_at_cost from fundes.investment_current_value order by investor_id;
select asset_id, cost_cash, royalty_income, yield from fundes.mcp_holding order by asset_id;
\echo ----
select fundes.create_fund('Loss', effective_at => '2024-02-01 11:00');
select units from fundes.create_investment('A', 2, 100000, effective_at => '2024-02-01 11:10');
select fundes.purchase_mcp(2, 'M3', 'R3', 'S3', 100000, effective_at => '2024-02-01 11:20');
select fundes.record_mcp_price('M3', 'R3', 'S3', '2024-02-01', 0);
select nav, base_price from fundes.update_mcp_asset_value(2, '2024-02-01', effective_at => '2024-02-02');
select fundes.create_investment('B', 2, 100000, effective_at => '2024-02-02 09:00');
select fundes.withdraw_investment('A', 2, 40, effective_at => '2024-02-02 09:00');
select withdrawn_amount, unit_price, realised_gain from fundes.withdraw_investment('A', 2, 100, effective_at => '2024-02-02 09:00');
select fundes.twr(2, '2024-02-01', '2024-02-02'), fundes.xirr('A', 2, '2024-02-02');
\echo ----
select event_id is not null as recorded from fundes.record_royalty(2, 3, 700, effective_at => '2024-02-03 10:00') event_id;
select fundes.create_investment('B', 2, 10000, effective_at => '2024-02-03 11:00');
select fundes.sweep_residual(2, 'the artist', effective_at => '2024-02-03 12:00') is not null as swept;
select units, unit_price from fundes.create_investment('B', 2, 10000, effective_at => '2024-02-03 13:00');
select nav, base_price, royalty_income, distributed from fundes.fund_sheet where fund_id = 2;
\echo ----
select withdrawn_amount from fundes.withdraw_investment('B', 2, 10, effective_at => '2024-02-04 10:00');
select fundes.close_fund(2, 'wound up', effective_at => '2024-02-04 11:00');
select fundes.sell_mcp(2, 3, 0, effective_at => '2024-02-04 12:00') as realised_gain;
select fundes.close_fund(2, 'wound up', effective_at => '2024-02-04 13:00') is not null as closed;
select fundes.create_investment('B', 2, 10000, effective_at => '2024-02-04 14:00');
