-- One session with two funds and two investors, from a purchase to what an
-- investor's holding is worth.
\pset null NULL
set timezone = 'Asia/Seoul';
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
drop extension fundes;
create extension fundes;

select fundes.create_fund('OKCOW-1', effective_at => '2023-06-01 09:00');
select fundes.create_fund('OKCOW-2', effective_at => '2023-06-01 09:01');
select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:05');
select fundes.create_investor('B', 'Lee', effective_at => '2023-06-01 09:06');

select units, unit_price, cash_taken, refund_cash
  from fundes.create_investment('A', 1, 1000000, effective_at => '2023-06-01 09:10');
select units, unit_price, cash_taken, refund_cash
  from fundes.create_investment('B', 1, 500500, effective_at => '2023-06-01 09:20');
select units, unit_price, cash_taken, refund_cash
  from fundes.create_investment('B', 2, 100000, effective_at => '2023-06-01 09:30');

select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 600000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 450000, effective_at => '2023-06-01 10:05');
select fundes.purchase_mcp(2, 'M4', 'R4', 'S4', 100000, effective_at => '2023-06-01 10:10');
select fundes.compute_fund_value(1);

select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000);
select fundes.record_mcp_price('M2', 'R2', 'S2', '2023-06-01', 441000);
select fundes.get_mcp_index('M1', 'R1', 'S1', '2023-06-02');
select * from fundes.update_mcp_asset_value(effective_at => '2023-06-02 00:00');
select * from fundes.get_investment_details('B');

select fundes.record_royalty(1, 1, 12345, '2023-05-01', effective_at => '2023-06-03 12:00') is not null as received;
select fundes.sell_mcp(1, 2, 460000, effective_at => '2023-06-03 13:00');
select fundes.accrue_fee(1, 1500, effective_at => '2023-06-03 14:00') is not null as accrued;
select fundes.pay_fee(1, 1500, effective_at => '2023-06-03 15:00') is not null as paid;
select withdrawn_amount, unit_price, realised_gain
  from fundes.withdraw_investment('A', 1, 400, effective_at => '2023-06-03 16:00');
select fundes.compute_fund_value(1);

-- what clients read
\x on
select * from fundes.fund_sheet where fund_id = 1;
\x off
select investor_id, fund_id, units, investment_amount, cost_basis, base_price, current_value, value_at_cost
  from fundes.investment_current_value order by investor_id, fund_id;
select * from fundes.investment_details order by investor_id;
select asset_id, fund_id, copyright_code, registration_number, music_id, acquisition_date, cost_cash, value_cash, unrealised_gain, royalty_income, last_price_date, is_stale from fundes.mcp_holding order by asset_id;
select * from fundes.nav_history order by fund_id, valuation_date, revision;
select stream, version, type, payload from fundes.event_log order by position;

-- the event store by itself
create type order_terms as (sum numeric, note text);
select fundes.define_event_type('OrderPlaced', 'order_terms');
select stream, version, replayed
  from fundes.append('order-7', 'OrderPlaced', '{"sum": 12}', expected_version => 0, event_id => '70000000-0000-4000-8000-000000000001');
select stream, version, replayed
  from fundes.append('order-7', 'OrderPlaced', '{"sum": 12}', expected_version => 0, event_id => '70000000-0000-4000-8000-000000000001');
select stream, version, replayed
  from fundes.append_batch(array['order-7', 'order-8', 'order-7'], array['OrderPaid', 'OrderPlaced', 'OrderSent'],
						   array['{}', '{"sum": 3, "note": "red"}', '{}']::jsonb[]);
select version, type, payload from fundes.read_stream('order-7');
select version, type from fundes.read_stream('order-7', backward => true, max_count => 1);
select fundes.stream_version('order-7'), fundes.stream_version('order-9');

-- the projections equal the log
select * from fundes.verify_projections();
select fundes.rebuild_projections();
