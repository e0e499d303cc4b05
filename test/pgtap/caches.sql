-- What a backend keeps between calls stays right when a call is taken back,
-- when the extension is made anew, and when the role changes.

begin;
\ir helper.inc
select no_plan();

-- A stream, a type, a fund that were made in a subtransaction which failed.
create function pg_temp.taken_back(command text) returns text
language plpgsql as $$
begin
	execute command;
	raise exception using errcode = 'P0999';
exception when sqlstate 'P0999' then
	return 'taken back';
end
$$;
select is(pg_temp.taken_back(command), 'taken back', 'taken back: ' || command)
  from unnest(array[
	$$select fundes.append('order-1', 'OrderPlaced', '{}', event_id => '90000000-0000-4000-8000-000000000001')$$,
	$$select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00')$$,
	$$select fundes.create_investor('A', 'Kim', 'secret')$$,
	$$select fundes.define_event_type('OrderPlaced', 'fundes.fee_paid')$$,
	$$select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 1)$$]) command;
select is((select count(*) from fundes.event_log), 0::bigint, 'there is nothing');
select ok(not fundes.authenticate_investor('A', 'secret'), 'not even a password');
select is((select version || ' ' || replayed from fundes.append('order-1', 'OrderPlaced', '{}', expected_version => 0, event_id => '90000000-0000-4000-8000-000000000001')),
		  '1 false', 'the stream, the type and the id can be used again');
select is(fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00'), 1::bigint, 'so can the fund_id');
select is(fundes.create_investor('A', 'Kim', 'other', effective_at => '2023-06-01 09:00'), 'A', 'and the id of the investor');
select ok(fundes.authenticate_investor('A', 'other'), 'with another password');
select lives_ok($$select fundes.create_investment('A', 1, 100000, effective_at => '2023-06-01 09:10')$$, 'a pay-in');
select is(pg_temp.taken_back($$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 60000, effective_at => '2023-06-01 09:20')$$), 'taken back', 'a purchase taken back');
select is(pg_temp.figures(1, 'capital_cash', 'asset_value'), 'capital_cash 100000, asset_value 0', 'leaves the cash');
select lives_ok($$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 100000, effective_at => '2023-06-01 09:20')$$, 'which can be spent');
select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');

-- The extension made anew.
drop extension fundes;
create extension fundes;
select is((select count(*) from fundes.event_log), 0::bigint, 'a new store is empty');
select is((select version from fundes.append('order-1', 'OrderPlaced', '{}')), 1::bigint, 'append');
select is(fundes.create_fund('Jazz', effective_at => '2023-06-01 09:00'), 1::bigint, 'the first fund is 1');
select is(fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00'), 'A', 'an investor');
select lives_ok($$select fundes.create_investment('A', 1, 100000, effective_at => '2023-06-01 09:10')$$, 'a pay-in');
select is(fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 60000, effective_at => '2023-06-01 09:20'), 1::bigint, 'a purchase');
select is((select status from fundes.update_mcp_asset_value(1, '2023-06-01', effective_at => '2023-06-02 00:00')), 'valued', 'a valuation');
select lives_ok($$select fundes.withdraw_investment('A', 1, 10, effective_at => '2023-06-02 09:00')$$, 'a withdrawal');
select is(fundes.compute_fund_value(1), 60000::numeric, 'compute_fund_value');
select is((select count(*) from fundes.read_stream('fund-1')), 3::bigint, 'read_stream');
select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');

select * from finish();
rollback;
