-- Days are those of the fund's zone, whatever the session's is; leap days are
-- days.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2020-01-01 00:00Z');

-- The same story in the same fund's zone, told under several session zones and
-- date styles: what comes of it is the same.
create function pg_temp.story(session_zone text, style text, fund_zone text) returns text
language plpgsql as $$
declare
	f bigint;
	midnight timestamptz := timestamp '2020-02-29 00:00' at time zone fund_zone;	-- the leap day begins
	said text := '';
	line text;
begin
	perform set_config('timezone', session_zone, true), set_config('datestyle', style, true);
	f := fundes.create_fund('Leap', time_zone => fund_zone, effective_at => midnight - interval '10 days');
	perform fundes.create_investment('A', f, 100000, effective_at => midnight - interval '9 days');
	perform fundes.purchase_mcp(f, 'C' || f, 'R', 'S', 10000, effective_at => midnight - interval '1 microsecond');
	perform fundes.purchase_mcp(f, 'D' || f, 'R', 'S', 20000, effective_at => midnight);
	perform fundes.record_mcp_price('C' || f, 'R', 'S', date '2020-02-29' - n, 10000 + 100 * n), fundes.record_mcp_price('D' || f, 'R', 'S', date '2020-02-29' - n, 30000) from generate_series(-1, 1) n;
	perform fundes.record_royalty(f, (select asset_id from fundes.mcp_holding m where m.fund_id = f order by 1 limit 1), 7, effective_at => midnight + interval '1 day' - interval '1 microsecond');
	perform fundes.accrue_fee(f, 3, effective_at => midnight + interval '1 day');
	-- the day that a job at midnight values, and the first moment that can
	for line in select concat_ws(' ', trim_scale(extract(epoch from valued - midnight)::numeric), to_char(u.valuation_date, 'YYYY-MM-DD'), status, trim_scale(asset_value::numeric), trim_scale(capital_cash::numeric),
								 trim_scale(liabilities::numeric), trim_scale(nav::numeric), trim_scale(base_price::numeric))
				  from unnest(array[midnight, midnight + interval '1 day', midnight + interval '2 days']) valued, fundes.update_mcp_asset_value(f, effective_at => valued) u loop
		said := said || line || '; ';
	end loop;
	select said || string_agg(to_char(acquisition_date, 'YYYY-MM-DD'), ' ' order by asset_id) into said from fundes.mcp_holding m where m.fund_id = f;
	begin
		perform fundes.update_mcp_asset_value(f, '2020-03-02', effective_at => timestamp '2020-03-03 00:00' at time zone fund_zone - interval '1 microsecond');
	exception when others then
		said := said || ' ' || sqlstate;
	end;
	select said || ' ' || string_agg(trim_scale(fundes.fund_nav(f, at)) || ' ' || trim_scale(fundes.compute_fund_value(f, at)), ' ' order by at) into said
	  from unnest(array[midnight - interval '1 microsecond', midnight, midnight + interval '1 day' - interval '1 microsecond', midnight + interval '1 day']) at;
	return said;
end
$$;
create temporary table told as
select fund_zone, session_zone, style, pg_temp.story(session_zone, style, fund_zone) as story
  from unnest(array['Asia/Seoul', 'America/New_York', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Kathmandu', 'UTC']) fund_zone,
	   (values ('Asia/Seoul', 'ISO, YMD'), ('UTC', 'ISO, DMY'), ('Pacific/Kiritimati', 'German'), ('Pacific/Pago_Pago', 'SQL, MDY'), ('America/New_York', 'Postgres, DMY'), ('Asia/Kathmandu', 'SQL, DMY')) s(session_zone, style);
set local timezone = 'Asia/Seoul';
set local datestyle = 'ISO, YMD';
select is(count(distinct story), 1::bigint, fund_zone || ': the same under every session zone') from told group by fund_zone order by fund_zone;
select is(count(distinct story), 1::bigint, 'and the same in every fund''s zone') from told;
select is((select story from told limit 1),
		  '0 2020-02-28 valued 10100 90000 0 100100 1001; 86400 2020-02-29 valued 40000 70007 0 110007 1100.07; 172800 2020-03-01 valued 39900 70007 3 109904 1099.04; 2020-02-28 2020-02-29 UF020'
		  ' 100000 10000 100100 30000 100107 30000 110004 30000',
		  'what it says');

-- The leap day as a valuation's day, as a quote's, and in ages.
select fundes.create_fund('Ages', time_zone => 'Asia/Seoul', effective_at => '2020-02-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2020-02-01 10:00');
select fundes.purchase_mcp(:f, 'E1', 'R', 'S', 50000, effective_at => '2020-02-01 11:00') as e1 \gset
select fundes.record_mcp_price('E1', 'R', 'S', '2020-02-29', 60000);
select is(fundes.get_mcp_index('E1', 'R', 'S', day)::numeric, price::numeric, 'the quote of 02-29 on ' || day)
  from (values (date '2020-02-28', null), ('2020-02-29', 60000), ('2020-03-01', 60000), ('2020-03-30', 60000), ('2020-03-31', null)) v(day, price);
select is((select concat_ws(' ', status, valuation_date, trim_scale(base_price::numeric)) from fundes.update_mcp_asset_value(:f, effective_at => '2020-03-01 00:00')), 'valued 2020-02-29 1100', 'the day before 03-01 is 02-29');
select pg_temp.accepts(format('select fundes.create_investment(''A'', %s, 10000, effective_at => ''2020-03-08 00:00'')', :f), 'its price is 168 hours old at 03-08 00:00');
select pg_temp.refuses(format('select fundes.create_investment(''A'', %s, 10000, effective_at => ''2020-03-08 00:00:00.000001'')', :f), 'UF009', 'and older a moment later');
select is((select string_agg(valuation_date::text, ' ' order by valuation_date) from fundes.nav_history where fund_id = :f), '2020-02-29', 'nav_history has the leap day');
select pg_temp.refuses(format('select fundes.update_mcp_asset_value(%s, ''2021-02-28'', effective_at => ''2021-02-28 23:59:59.999999'')', :f), 'UF020', '02-28 of another year ends with its midnight');
select is((select status || ' ' || valuation_date from fundes.update_mcp_asset_value(:f, effective_at => '2021-03-01 00:00')), 'valued 2021-02-28', 'which is that of 03-01');

-- Days that views show do not depend on the session either, nor what they count.
select fundes.create_fund('Pago', time_zone => 'Pacific/Pago_Pago', effective_at => '2024-01-01 00:00-11') as p \gset
select fundes.create_fund('Kiritimati', time_zone => 'Pacific/Kiritimati', effective_at => '2024-01-01 00:00+14') as k \gset
select fundes.create_investment('A', f, 10000, effective_at => '2024-01-02 12:00+00') from unnest(array[:p, :k]) f;
select fundes.purchase_mcp(:p, 'P1', 'R', 'S', 1000, effective_at => '2024-01-10 23:30-11'), fundes.purchase_mcp(:k, 'K1', 'R', 'S', 1000, effective_at => '2024-01-10 00:30+14');
select fundes.purchase_mcp(:p, 'P2', 'R', 'S', 1000, effective_at => '2024-01-10 23:30-11'), fundes.purchase_mcp(:k, 'K2', 'R', 'S', 1000, effective_at => '2024-01-10 00:30+14');
select fundes.record_mcp_price(c, 'R', 'S', '2024-01-10', 1000) from unnest(array['P1', 'K1']) c;
select fundes.update_mcp_asset_value(f, day, effective_at => (day + 2)::timestamptz) from unnest(array[:p, :k]) f, unnest(array['2024-01-10', '2024-01-11']::date[]) day;
create function pg_temp.days(session_zone text, funds bigint[]) returns jsonb
language plpgsql as $$
begin
	perform set_config('timezone', session_zone, true);
	return (select jsonb_agg(pg_temp.result(format('select %s from fundes.%s where fund_id = any (%L) order by 1, 2, 3', columns, view, funds)))
			  from (values
				('mcp_holding', 'asset_id, last_price_date, price_age'), ('stale_price', 'asset_id, stale_since, valued_with'),
				('cash_ledger', 'fund_id, position, day, balance'), ('fund_flow', 'fund_id, day, net'),
				('unit_register', 'fund_id, position, day, units'), ('daily_control', 'fund_id, findings, last_valuation_date'),
				('nav_history', 'fund_id, valuation_date, nav')) v(view, columns));
end
$$;
select is(pg_temp.days(zone, array[:p, :k]), pg_temp.days('Asia/Seoul', array[:p, :k]), 'the same days in ' || zone)
  from unnest(array['Pacific/Pago_Pago', 'Pacific/Kiritimati', 'UTC']) zone;
set local timezone = 'Asia/Seoul';
select is_empty($$select asset_id, price_age from fundes.mcp_holding join fundes.fund_sheet using (fund_id)
				   where price_age <> (now() at time zone time_zone)::date - last_price_date$$, 'the age of a price is counted to the fund''s today');
select pg_temp.same('select copyright_code, stale_since from fundes.stale_price where fund_id in (' || :p || ', ' || :k || ') order by 1',
	$$values ('K2', date '2024-01-10'), ('P2', date '2024-01-10')$$, 'stale since the fund''s day of the purchase');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
