-- Each error that a caller may meet, once: code, message, detail, hint.
\set VERBOSITY default
\set SHOW_CONTEXT never
set timezone = 'Asia/Seoul';
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
drop extension fundes;
create extension fundes;

-- A fund with a price that has drifted (2), one with a residue (3), one that
-- owns a copyright (1).
\o /dev/null
select fundes.create_fund(name, effective_at => '2023-06-01 09:00') from unnest(array['OKCOW-1', 'OKCOW-2', 'OKCOW-3']) name;
select fundes.create_investor(id, 'Kim', effective_at => '2023-06-01 09:00') from unnest(array['A', 'B']) id;
select fundes.create_investment('A', n, 100000, effective_at => '2023-06-01 09:10', event_id => case n when 1 then '80000000-0000-4000-8000-000000000001'::uuid end)
  from generate_series(1, 3) n;
select fundes.purchase_mcp(n, 'M' || n, 'R', 'S', 60000, effective_at => '2023-06-01 09:20') from generate_series(1, 3) n;
select fundes.record_royalty(2, 2, 3000, effective_at => '2023-06-01 09:30');
select fundes.sell_mcp(3, 3, 60000, effective_at => '2023-06-01 09:30');
select fundes.withdraw_investment('A', 3, 100, effective_at => '2023-06-01 09:40');
select fundes.record_royalty(3, 3, 50, effective_at => '2023-06-01 09:50');
create type order_placed as (sum numeric);
select fundes.define_event_type('OrderPlaced', 'order_placed');
\o

select fundes.create_investment('nobody', 1, 5000);
\echo :LAST_ERROR_SQLSTATE
select fundes.compute_fund_value(99);
\echo :LAST_ERROR_SQLSTATE
select fundes.purchase_mcp(1, 'M9', 'R', 'S', 40001, effective_at => '2023-06-01 10:00');
\echo :LAST_ERROR_SQLSTATE
select fundes.withdraw_investment('A', 1, 101, effective_at => '2023-06-01 10:00');
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investment('A', 1, -5);
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investment('A', 1, 10.5);
\echo :LAST_ERROR_SQLSTATE
select fundes.withdraw_investment('B', 1, 1, effective_at => '2023-06-01 10:00');
\echo :LAST_ERROR_SQLSTATE
select fundes.sell_mcp(1, 99, 1, effective_at => '2023-06-01 10:00');
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investment('A', 1, 200000, event_id => '80000000-0000-4000-8000-000000000001');
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investment('B', 2, 5000, effective_at => '2023-06-01 10:00');
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investment('B', 1, 5000, effective_at => '2023-07-01 10:00');
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investment('B', 1, 999, effective_at => '2023-06-01 10:00');
\echo :LAST_ERROR_SQLSTATE
select fundes.purchase_mcp(1, 'M2', 'R', 'S', 10, effective_at => '2023-06-01 10:00');
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investment('B', 3, 5000, effective_at => '2023-06-01 10:00');
\echo :LAST_ERROR_SQLSTATE
delete from fundes.event;
\echo :LAST_ERROR_SQLSTATE
select fundes.update_mcp_asset_value(1, '2023-06-01', effective_at => '2023-06-01 23:59');
\echo :LAST_ERROR_SQLSTATE
select fundes.append('order-7', 'OrderPlaced', '{"sum": 1}', expected_version => 7);
\echo :LAST_ERROR_SQLSTATE
select fundes.append('order-7', 'OrderPlaced', '{"sum": "much"}');
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investor('A', 'Kim');
\echo :LAST_ERROR_SQLSTATE
select fundes.schedule_revaluation(null);
\echo :LAST_ERROR_SQLSTATE
select fundes.append(repeat('x', 256), 'OrderPlaced', '{"sum": 1}');
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investment('A', 1, 1e20);
\echo :LAST_ERROR_SQLSTATE
select fundes.create_investment('A', 1, null);
\echo :LAST_ERROR_SQLSTATE
select fundes.create_fund('x', time_zone => 'Asia/Nowhere');
\echo :LAST_ERROR_SQLSTATE
select fundes.append('fund-1', 'OrderPlaced', '{"sum": 1}');
\echo :LAST_ERROR_SQLSTATE
select fundes.append('order-7', 'OrderPlaced', '{"sum": 1}', expected_version => -1);
\echo :LAST_ERROR_SQLSTATE
select fundes.update_mcp_asset_value(1, '2023-05-31', effective_at => '2023-06-02 00:00');
\echo :LAST_ERROR_SQLSTATE
select fundes.append('order-7', 'OrderPaid', jsonb_build_object('note', repeat('x', 2000000)));
\echo :LAST_ERROR_SQLSTATE

-- One for all funds is a status and a warning; the others go on. A fund that
-- was not there yet has neither.
select fundes.create_fund('OKCOW-4', effective_at => '2023-06-01 09:00');
select fundes.close_period(4, '2023-06-01', effective_at => '2023-06-05 09:00') is not null as closed;
select fundes.create_fund('OKCOW-5', effective_at => '2023-06-05 09:00');
select fund_id, valuation_date, status from fundes.update_mcp_asset_value(valuation_date => '2023-06-01', effective_at => '2023-06-06 00:00');
