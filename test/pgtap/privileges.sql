-- Who may do what: a role has what the DBA grants, functions write as their
-- owner, and nothing of the caller's runs with the owner's rights.

begin;
\ir helper.inc
select no_plan();

-- A caller whose search_path has operators and functions of his own, first in
-- the session, before any plan is kept.
create schema evil;
create function evil.trap_bigint(bigint, bigint) returns boolean
language plpgsql as $$ begin raise exception 'a caller''s operator was called'; end $$;
create function evil.trap_text(text, text) returns boolean
language plpgsql as $$ begin raise exception 'a caller''s operator was called'; end $$;
create function evil.trap_numeric(numeric, numeric) returns numeric
language plpgsql as $$ begin raise exception 'a caller''s operator was called'; end $$;
create function evil.trap_order(bigint, bigint) returns boolean
language plpgsql as $$ begin raise exception 'a caller''s operator was called'; end $$;
create operator evil.= (leftarg = bigint, rightarg = bigint, function = evil.trap_bigint);
create operator evil.= (leftarg = text, rightarg = text, function = evil.trap_text);
create operator evil.+ (leftarg = numeric, rightarg = numeric, function = evil.trap_numeric);
create operator evil.* (leftarg = numeric, rightarg = numeric, function = evil.trap_numeric);
create operator evil.> (leftarg = bigint, rightarg = bigint, function = evil.trap_order);
create function evil.now() returns timestamptz
language plpgsql as $$ begin raise exception 'a caller''s function was called'; end $$;
create function evil.trunc(numeric, integer) returns numeric
language plpgsql as $$ begin raise exception 'a caller''s function was called'; end $$;
create function evil.jsonb_typeof(jsonb) returns text
language plpgsql as $$ begin raise exception 'a caller''s function was called'; end $$;

set local search_path = evil, pg_catalog;
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00') as trapped_fund \gset
select fundes.create_investor('A', 'Kim', 'secret', effective_at => '2023-06-01 09:05') as trapped_investor \gset
select (fundes.create_investment('A', 1, 100000, effective_at => '2023-06-01 09:10')).units as trapped_units \gset
select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 60000, effective_at => '2023-06-01 10:00') as trapped_asset \gset
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 61000);
select status as trapped_status from fundes.update_mcp_asset_value(1, '2023-06-01', effective_at => '2023-06-02 00:00') \gset
select fundes.record_royalty(1, :trapped_asset, 10, effective_at => '2023-06-02 01:00') as ignored \gset
select fundes.accrue_fee(1, 10, effective_at => '2023-06-02 01:00') as ignored \gset
select fundes.pay_fee(1, 10, effective_at => '2023-06-02 01:00') as ignored \gset
select (fundes.withdraw_investment('A', 1, 1, effective_at => '2023-06-02 01:00')).withdrawn_amount as trapped_payout \gset
select fundes.sell_mcp(1, :trapped_asset, 61000, effective_at => '2023-06-02 01:00') as trapped_gain \gset
select version as trapped_version from fundes.append('order-1', 'OrderPlaced', '{}', expected_version => 0) \gset
select version as trapped_read from fundes.read_stream('order-1') \gset
select pg_catalog.count(*) as trapped_verify from fundes.verify_projections() \gset
select fundes.rebuild_projections() as trapped_rebuild \gset
select current_value as trapped_value from fundes.get_investment_details('A') \gset
reset search_path;
set local search_path = public, pg_catalog;

select is(:'trapped_fund' || ' ' || :'trapped_units' || ' ' || :'trapped_status' || ' ' || :'trapped_version' || ' ' || :'trapped_verify',
		  '1 100 valued 1 0', 'a caller''s operators and functions are not called');

-- A role without grants.
create role fundes_test_nobody;
create role fundes_test_teller;
grant usage on schema fundes to fundes_test_teller;
grant execute on function fundes.create_investment, fundes.append, fundes.read_stream, fundes.update_mcp_asset_value,
	fundes.compute_fund_value(bigint), fundes.get_investment_details to fundes_test_teller;
grant select on fundes.fund_sheet, fundes.investment_current_value, fundes.investment_details to fundes_test_teller;

create function pg_temp.as_role(role name, command text) returns text
language plpgsql as $$
declare
	r pg_temp.refusal;
begin
	execute format('set local role %I', role);
	r := pg_temp.attempt(command);
	reset role;
	return r.state;
end
$$;
grant execute on function pg_temp.attempt, pg_temp.as_role to public;

select is(pg_temp.as_role('fundes_test_nobody', command), '42501', 'without a grant: ' || command)
  from unnest(array[
	$$select fundes.create_fund('x')$$,
	$$select fundes.compute_fund_value(1)$$,
	$$select fundes.append('order-1', 'X', '{}')$$,
	$$select * from fundes.fund_sheet$$,
	$$select * from fundes.event_log$$,
	$$select * from fundes.event$$]) command;
select is(pg_temp.as_role('fundes_test_teller', command), '00000', 'with a grant on the function or view alone: ' || command)
  from unnest(array[
	$$select fundes.create_investment('A', 1, 5000, effective_at => '2023-06-02 02:00')$$,
	$$select fundes.append('order-1', 'OrderPlaced', '{}')$$,
	$$select * from fundes.read_stream('order-1')$$,
	$$select * from fundes.update_mcp_asset_value(1, '2023-06-02', effective_at => '2023-06-03 00:00')$$,
	$$select fundes.compute_fund_value(1)$$,
	$$select * from fundes.get_investment_details('A')$$,
	$$select * from fundes.fund_sheet$$,
	$$select * from fundes.investment_current_value$$]) command;
select is(pg_temp.as_role('fundes_test_teller', command), '42501', 'tables are closed to him: ' || command)
  from unnest(array[
	$$select * from fundes.event$$,
	$$insert into fundes.event select * from fundes.event$$,
	$$update fundes.fund set capital_cash = 0$$,
	$$delete from fundes.investment$$,
	$$select * from fundes.investor_credential$$,
	$$insert into fundes.stream (name) values ('x')$$,
	$$select nextval('fundes.event_position')$$,
	$$select fundes.sell_mcp(1, 1, 0)$$,
	$$select fundes.rebuild_projections()$$]) command;

-- After an error or a success the caller is who he was.
select is(pg_temp.as_role('fundes_test_teller',
	$q$do $do$ begin
		perform fundes.append('order-1', 'OrderPlaced', '{}');
		begin
			perform fundes.create_investment('nobody', 1, 5000, effective_at => '2023-06-03 02:00');
		exception when others then null;
		end;
		if current_user <> 'fundes_test_teller' then
			raise exception 'now I am %', current_user;
		end if;
		perform from fundes.event;
	end $do$$q$), '42501', 'a call leaves the caller who he was');

select * from finish();
rollback;
