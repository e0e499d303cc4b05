\set ECHO none
\o /dev/null
\i examples/accounting.sql
\o
\set ECHO all
\echo ----
select name, findings from fundes.daily_control;
select asset_id, copyright_code, value_cash, stale_since, valued_with, last_quote_date from fundes.stale_price;
\echo ----
select day, type, is_reversal as reversal, cash_in, cash_out, balance from fundes.cash_ledger
 where fund_id = 1 and day >= '2023-06-10' order by effective_at, position;
select day, royalties, sales, purchases, net, closing_cash from fundes.fund_flow
 where fund_id = 1 and day between '2023-06-10' and '2023-06-30' order by day;
\echo ----
select day, investor_id, units, unit_price, cash, holding_units, fund_units from fundes.unit_register
 where fund_id = 1 order by effective_at, position;
\echo ----
select number, account, debit, credit from fundes.trial_balance where fund_id = 1 order by number;
select fund_id, sum(debit) as debit, sum(credit) as credit, sum(balance) as difference from fundes.trial_balance group by fund_id;
\echo ----
select position, effective_at, what, reason, reversed_by is not null as reversed from fundes.audit_trail
 where fund_id = 1 and (is_back_dated or reversed_by is not null) order by position;
\echo ----
select units, share, current_value, total_gain, total_return from fundes.investor_portfolio where investor_id = 'A';
select effective_at, entry, units, unit_price, paid_in, paid_out, holding_units, value
  from fundes.investor_statement('A', '2023-07-01', '2023-07-31');
