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

-- Places of rows: those of versions that were taken back, and of rows that were moved.
select count(fundes.create_fund('Fund ' || n, effective_at => '2023-06-01 09:00')) from generate_series(2, 40) n \g /dev/null
select count(*) from generate_series(2, 40) n, fundes.create_investment('A', n, 5000, effective_at => '2023-06-01 09:10') \g /dev/null
create function pg_temp.accrue(times integer) returns bigint language sql as
$$ select count(fundes.accrue_fee(40 - n % 39, 1, 'custody', effective_at => '2023-06-01 09:30')) from generate_series(0, 39 * times - 1) n $$;
select is(pg_temp.accrue(25), 39 * 25::bigint, 'rows are changed until they move');
select is(pg_temp.taken_back('select pg_temp.accrue(25)'), 'taken back', 'and once more, taken back');
select is(pg_temp.accrue(1), 39::bigint, 'then they are where they were before');
cluster fundes.fund using fund_pkey;
select is(pg_temp.accrue(1), 39::bigint, 'where a row was, another one is now');
select set_eq('select liabilities::numeric from fundes.fund where fund_id > 1', array[27::numeric], 'each fund has what was accrued');
select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');

-- To look up a row does not take longer the more often the transaction has changed it.
create function pg_temp.pages(command text) returns bigint language plpgsql as $$
declare
	plan json;
begin
	execute 'explain (analyze, buffers, format json) ' || command into plan;
	return (plan #>> '{0,Plan,Shared Hit Blocks}')::bigint + (plan #>> '{0,Plan,Shared Read Blocks}')::bigint;
end
$$;
select format($$select fundes.record_royalty(1, %s, 1, effective_at => '2023-06-01 09:30')$$, min(asset_id)) as royalty from fundes.mcp \gset
select pg_temp.pages(:'royalty') as few \gset
select lives_ok(:'royalty' || ' from generate_series(1, 1500)', 'a fund and a copyright are changed many times');
select cmp_ok(pg_temp.pages(:'royalty'), '<', (:few + 40)::bigint, 'once more reads about as few pages');

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
