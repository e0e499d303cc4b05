-- The setting fundes.price_function: another source of prices, with
-- get_mcp_index's signature.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00');
select fundes.create_fund(name, effective_at => '2023-06-01 09:00') from unnest(array['Ballads', 'Jazz']) name;
select fundes.create_investment('A', 1, 100000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(1, 'M1', 'R', 'S', 50000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(1, 'M2', 'R', 'S', 20000, effective_at => '2023-06-01 10:00');
select fundes.record_mcp_price('M1', 'R', 'S', '2023-06-01', 1);

create function public.flat_price(copyright_code text, registration_number text, music_id text, as_of date) returns numeric
language sql as $$ select case when copyright_code = 'M2' then null else 60000.5 + extract(day from as_of) end $$;
create function public.nan_price(copyright_code text, registration_number text, music_id text, as_of date) returns numeric
language sql as $$ select 'NaN'::numeric $$;
create function public.low_price(copyright_code text, registration_number text, music_id text, as_of date) returns numeric
language sql as $$ select -1::numeric $$;
create function public.no_price(copyright_code text, registration_number text, music_id text, as_of date) returns numeric
language plpgsql as $$ begin raise exception using errcode = 'P0123', message = 'the price server is down'; end $$;

create function pg_temp.valued(day date) returns text
language sql as $$
	select format('select * from fundes.update_mcp_asset_value(1, %L, effective_at => %L)', day, day + time '00:00' + interval '1 day')
$$;

select lives_ok($$set local fundes.price_function = 'public.flat_price'$$, 'the setting fundes.price_function');
select pg_temp.same($$select asset_value, stale_count, status from fundes.update_mcp_asset_value(1, '2023-06-01', effective_at => '2023-06-02 00:00')$$,
					$$values (80002, 1, 'valued')$$, 'replaces get_mcp_index: half up where it says 60001.5, the last value where it says NULL');
select lives_ok($$set local fundes.price_function = 'public.nan_price'$$, 'a function that says NaN');
select pg_temp.refuses_somehow(pg_temp.valued('2023-06-02'), 'is refused');
select lives_ok($$set local fundes.price_function = 'public.low_price'$$, 'one that says -1');
select pg_temp.refuses_somehow(pg_temp.valued('2023-06-02'), 'is refused');
select lives_ok($$set local fundes.price_function = 'public.no_price'$$, 'one that fails');
select is((pg_temp.attempt(pg_temp.valued('2023-06-02'))).state, 'P0123', 'its error is raised for one fund');
select pg_temp.same($$select fund_id, status from fundes.update_mcp_asset_value(valuation_date => '2023-06-02', effective_at => '2023-06-03 00:00')$$,
					$$values (1, 'error: P0123 the price server is down'), (2, 'valued')$$, 'and is a status among all');
select pg_temp.refuses_somehow($$set local fundes.price_function = 'public.absent_price'; $$ || pg_temp.valued('2023-06-02'), 'a function that is not there');
select ok(detail <> '' and hint <> '' and state = '42883', 'which is said, where, and what to do')
  from pg_temp.attempt($$set local fundes.price_function = 'public.absent_price'; $$ || pg_temp.valued('2023-06-02'));
create function public.minding_price(copyright_code text, registration_number text, music_id text, as_of date) returns numeric
language plpgsql as $$
begin
	if current_setting('search_path') <> 'pg_catalog, pg_temp' then
		raise exception 'search_path is %', current_setting('search_path');
	end if;
	return null;
end
$$;
select lives_ok($$set local fundes.price_function = 'public.minding_price'$$, 'one that minds the search_path');
select is((pg_temp.attempt(pg_temp.valued('2023-06-02'))).state, '00000', 'has a safe one');
select lives_ok($$set local fundes.price_function = default$$, 'set back');
select pg_temp.same($$select asset_value from fundes.update_mcp_asset_value(1, '2023-06-03', effective_at => '2023-06-04 00:00')$$, $$values (20001)$$, 'it is get_mcp_index again');

-- It may write what it likes, but not to the fund that it prices.
create function public.royal_price(copyright_code text, registration_number text, music_id text, as_of date) returns numeric
language plpgsql as $$ begin perform fundes.record_royalty(1, pg_temp.asset('M1'), 5, effective_at => '2023-06-01 12:00'); return 1; end $$;
create function public.paying_price(copyright_code text, registration_number text, music_id text, as_of date) returns numeric
language plpgsql as $$ begin perform fundes.create_investment('A', 1, 5000, effective_at => '2023-06-01 09:15'); return 1; end $$;
create function public.other_price(copyright_code text, registration_number text, music_id text, as_of date) returns numeric
language plpgsql as $$ begin perform fundes.create_investment('A', 2, 5000); return 1; end $$;
select is((state, message, detail <> '', hint <> '')::text, '(27000,"price function has changed the fund that it prices",t,t)', name || ', written ' || way)
  from unnest(array['public.royal_price', 'public.paying_price']) name, unnest(array['directly', 'by statement']) way,
	   pg_temp.attempt(format($$set local fundes.price_function = %L; set local fundes.direct_insert = %s; %s$$, name, way = 'directly', pg_temp.valued('2023-06-02')));
select lives_ok($$set local fundes.direct_insert = default$$, 'directly again');
select fundes.record_royalty(1, pg_temp.asset('M1'), 5, effective_at => '2023-06-01 12:00');
select is((pg_temp.attempt($$set local fundes.price_function = 'public.royal_price'; select * from fundes.restate_nav(1, '2023-06-01')$$)).state, '27000', 'nor where days are restated');
select lives_ok($$set local fundes.price_function = 'public.royal_price'$$, 'the same');
select pg_temp.same($$select fund_id, status from fundes.update_mcp_asset_value(valuation_date => '2023-06-04', effective_at => '2023-06-05 00:00')$$,
					$$values (1, 'error: 27000 price function has changed the fund that it prices'), (2, 'valued')$$, 'is a status among all');
select lives_ok($$set local fundes.price_function = 'public.other_price'$$, 'one that writes to another fund');
select pg_temp.accepts(pg_temp.valued('2023-06-04'), 'is asked');
select pg_temp.accepts($$select * from fundes.restate_nav(1, '2023-06-01')$$, 'for days that are restated, too');
select lives_ok($$set local fundes.price_function = default$$, 'set back again');

-- What a caller brings does not run with the rights of the owner.
create role fundes_test_teller;
grant usage on schema fundes to fundes_test_teller;
grant execute on function fundes.update_mcp_asset_value to fundes_test_teller;
grant execute on function pg_temp.attempt to public;
create table public.who_ran (name text);
grant insert on public.who_ran to public;
create schema teller authorization fundes_test_teller;
set local role fundes_test_teller;
create function teller.price(copyright_code text, registration_number text, music_id text, as_of date) returns numeric
language plpgsql as $$ begin insert into public.who_ran values (current_user); return 1; end $$;
select state, message
  from pg_temp.attempt($q$do $do$ begin
		set local fundes.price_function = 'teller.price';
		perform fundes.update_mcp_asset_value(1, '2023-06-04', effective_at => '2023-06-05 00:00');
	end $do$$q$) \gset
reset role;
select is_empty($$select name from public.who_ran where name <> 'fundes_test_teller'$$, 'a caller''s price function does not run as the owner of the store');
select ok(:'state' = '42501' or exists (select from public.who_ran), format('it is refused, or runs as the caller: %s %s', :'state', :'message'));

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
