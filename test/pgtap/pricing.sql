-- The pricing guard: a deal is refused (UF009) when the price has drifted or
-- is old.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2023-05-01 08:00');
select fundes.create_investor('B', 'Lee', effective_at => '2023-05-01 08:00');

-- A fund of 100 units at 1000 whose NAV is moved: + royalty, - fee.
create function pg_temp.drifted(scale integer, royalty numeric, fee numeric) returns bigint
language plpgsql as $$
declare
	fund bigint := fundes.create_fund('Drift', cash_scale => scale, effective_at => '2023-06-01 09:00');
	asset bigint;
begin
	perform fundes.create_investment('A', fund, 100000, effective_at => '2023-06-01 09:10');
	asset := fundes.purchase_mcp(fund, 'M' || fund, 'R', 'S', 1000, effective_at => '2023-06-01 09:20');
	if royalty > 0 then
		perform fundes.record_royalty(fund, asset, royalty, effective_at => '2023-06-01 09:30');
	end if;
	if fee > 0 then
		perform fundes.accrue_fee(fund, fee, effective_at => '2023-06-01 09:30');
	end if;
	return fund;
end
$$;
create function pg_temp.pay_in(fund bigint, at timestamptz) returns text
language sql as $$ select format('select fundes.create_investment(''B'', %s, 5000, effective_at => %L)', fund, at) $$;
create function pg_temp.pay_out(fund bigint, at timestamptz) returns text
language sql as $$ select format('select fundes.withdraw_investment(''A'', %s, 1, effective_at => %L)', fund, at) $$;

select pg_temp.drifted(0, 2000, 0) as up, pg_temp.drifted(0, 0, 2000) as down,
	   pg_temp.drifted(0, 2001, 0) as above, pg_temp.drifted(0, 0, 2001) as below,
	   pg_temp.drifted(4, 2000.0001, 0) as hair \gset
select is((select array_agg(price_drift::numeric order by fund_id) from fundes.fund_sheet),
		  array[0.02, -0.02, 0.02001, -0.02001, 0.020000], 'price_drift is a signed fraction of 6 decimals');
select pg_temp.accepts(pg_temp.pay_in(:up, '2023-06-01 10:00'), 'a pay-in at a drift of exactly 2 %');
select pg_temp.accepts(pg_temp.pay_out(:up, '2023-06-01 10:00'), 'a withdrawal at a drift of about 2 %');
select pg_temp.accepts(pg_temp.pay_out(:down, '2023-06-01 10:00'), 'a withdrawal at a drift of exactly -2 %');
select pg_temp.refuses(command, 'UF009', rule)
  from (values (pg_temp.pay_in(:above, '2023-06-01 10:00'), 'a pay-in at 2.001 %'), (pg_temp.pay_out(:above, '2023-06-01 10:00'), 'a withdrawal at 2.001 %'),
			   (pg_temp.pay_in(:below, '2023-06-01 10:00'), 'a pay-in at -2.001 %'), (pg_temp.pay_out(:below, '2023-06-01 10:00'), 'a withdrawal at -2.001 %'),
			   (pg_temp.pay_in(:hair, '2023-06-01 10:00'), 'the drift is not rounded: 2.0000001 %')) v(command, rule);
select ok(message || detail ~ '1020\.01' and message || detail ~ '1000' and hint ~ 'update_mcp_asset_value', 'UF009 names both prices, and what to do: ' || concat_ws(' / ', message, detail, hint))
  from pg_temp.attempt(pg_temp.pay_in(:above, '2023-06-01 10:00'));
select pg_temp.refuses(pg_temp.pay_in(:above, now() + interval '1 hour'), 'UF020', 'time comes before the price');
select pg_temp.refuses(format('select fundes.create_investment(''B'', %s, 5000, effective_at => ''2023-06-01 10:00'', expected_version => 7)', :above),
					   'UF009', 'the price before expected_version');
select pg_temp.refuses(format('select fundes.withdraw_investment(''A'', %s, 101, effective_at => ''2023-06-01 10:00'')', :above), 'UF009', 'and before the units');
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''P'', ''R'', ''S'', 10, effective_at => ''2023-06-01 10:00'')', :above), 'a purchase does not look at the price');
select fundes.set_price_limits(:above, 0.05, '7 days', effective_at => '2023-06-01 10:10');
select pg_temp.accepts(pg_temp.pay_in(:above, '2023-06-01 10:20'), 'another limit for the fund');
select fundes.set_price_limits(:below, null, '7 days', effective_at => '2023-06-01 10:10');
select pg_temp.accepts(pg_temp.pay_in(:below, '2023-06-01 10:20'), 'no limit for the fund');
select fundes.set_price_limits(:below, 0, '7 days', effective_at => '2023-06-01 10:30');
select pg_temp.refuses(pg_temp.pay_in(:below, '2023-06-01 10:40'), 'UF009', 'a limit of 0');
select is((select status from fundes.update_mcp_asset_value(:hair, '2023-06-01', effective_at => '2023-06-02 00:00')), 'valued', 'update_mcp_asset_value');
select pg_temp.accepts(pg_temp.pay_in(:hair, '2023-06-02 10:00'), 'is what to do');

-- Age. A fund that has bought nothing does not age.
select fundes.create_fund('Old', effective_at => '2023-05-01 09:00') as old \gset
select fundes.create_investment('A', :old, 100000, effective_at => '2023-05-01 09:10');
select pg_temp.accepts(pg_temp.pay_in(:old, '2023-06-01 09:30'), 'a fund never valued that has bought nothing does not age');
select fundes.purchase_mcp(:old, 'Mold', 'R', 'S', 1000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(:old, 'Mold2', 'R', 'S', 1000, effective_at => '2023-06-05 10:00');
select pg_temp.refuses(pg_temp.pay_in(:old, '2023-06-08 10:00:00.000001'), 'UF009', 'it ages from its first purchase: 168 hours and a microsecond');
select pg_temp.refuses(pg_temp.pay_out(:old, '2023-06-08 10:00:00.000001'), 'UF009', 'for a withdrawal too');
select pg_temp.accepts(pg_temp.pay_in(:old, '2023-06-08 10:00'), 'it ages from its first purchase: 168 hours');
select fundes.update_mcp_asset_value(:old, '2023-06-09', effective_at => '2023-06-10 09:00');
select pg_temp.refuses(pg_temp.pay_in(:old, '2023-06-17 00:00:00.000001'), 'UF009', 'valued, it ages from the end of the day that the price is for');
select pg_temp.refuses(pg_temp.pay_in(:old, '2023-06-17 09:00'), 'UF009', 'not from when the day was valued');
select pg_temp.accepts(pg_temp.pay_in(:old, '2023-06-17 00:00'), 'exactly 168 hours');
select is((select status from fundes.update_mcp_asset_value(:old, '2023-06-09', effective_at => '2023-06-18 09:00')), 'unchanged', 'a day valued again, unchanged,');
select pg_temp.refuses(pg_temp.pay_in(:old, '2023-06-18 10:00'), 'UF009', 'renews no age');
select fundes.set_price_limits(:old, 0.02, '10 days', effective_at => '2023-06-18 11:00');
select pg_temp.accepts(pg_temp.pay_in(:old, '2023-06-18 12:00'), 'another age for the fund');
select fundes.set_price_limits(:old, 0.02, null, effective_at => '2023-06-18 13:00');
select pg_temp.accepts(pg_temp.pay_in(:old, '2023-09-18 12:00'), 'no limit for the fund');

-- Days of the fund's zone; 7 days are 168 hours, also where clocks are changed.
select fundes.create_fund('Summer', time_zone => 'America/New_York', effective_at => '2023-03-01 00:00-05') as summer \gset
select fundes.create_investment('A', :summer, 100000, effective_at => '2023-03-01 09:00-05');
select fundes.purchase_mcp(:summer, 'Msummer', 'R', 'S', 1000, effective_at => '2023-03-07 09:00-05');
select fundes.update_mcp_asset_value(:summer, '2023-03-07', effective_at => '2023-03-08 00:00-05');
select pg_temp.refuses(pg_temp.pay_in(:summer, '2023-03-15 01:00:01-04'), 'UF009', 'a week with a change to summer time: 168 hours and a second');
select pg_temp.accepts(pg_temp.pay_in(:summer, '2023-03-15 01:00:00-04'), 'a week with a change to summer time: 168 hours');

-- What a price that was never struck by a valuation ages from: the first purchase
-- of a copyright that the fund really held, whenever it is recorded.
create function pg_temp.cash_fund() returns bigint
language plpgsql as $$
declare
	fund bigint := fundes.create_fund('Age', effective_at => '2024-01-01 09:00');
begin
	perform fundes.create_investment('A', fund, 1000000, effective_at => '2024-01-01 10:00');
	return fund;
end
$$;
create function pg_temp.pays_in(fund bigint, at timestamptz) returns text
language sql as $$
	select format('select fundes.create_investment(''A'', %s, 1000, effective_at => %L)', fund, at)
$$;
create function pg_temp.purchase(fund bigint, song text, at timestamptz) returns uuid
language sql as $$
	select fundes.purchase_mcp(fund, song, 'R', 'S', 1000, effective_at => at);
	select event_id from fundes.event_log order by position desc limit 1
$$;
select pg_temp.cash_fund() as f \gset
select pg_temp.purchase(:f, 'AG1', '2024-01-02 10:00') as bought \gset
select is((select price_since from fundes.fund where fund_id = :f), timestamptz '2024-01-02 10:00', 'the price ages from the purchase');
savepoint bought;
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-02 10:00'')', :'bought'), 'a purchase reversed at its own moment');
select is((select price_since from fundes.fund where fund_id = :f), null, 'never was: the price does not age');
select pg_temp.accepts(pg_temp.pays_in(:f, '2024-01-20 10:00'), 'a pay-in 18 days later');
select pg_temp.accepts(pg_temp.pays_in(:f, '2024-01-15 10:00'), 'one dated before that');
rollback to bought;
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-03 10:00'')', :'bought'), 'one that was held for a day');
select pg_temp.refuses(pg_temp.pays_in(:f, '2024-01-20 10:00'), 'UF009', 'counts');
rollback to bought;
select pg_temp.purchase(:f, 'AG2', '2024-01-05 10:00'), pg_temp.purchase(:f, 'AG3', '2024-01-04 10:00');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-02 10:00'')', :'bought'), 'of three, the first reversed at its own moment');
select is((select price_since from fundes.fund where fund_id = :f), timestamptz '2024-01-04 10:00', 'the price ages from the next');
select pg_temp.accepts(pg_temp.pays_in(:f, '2024-01-11 10:00'), 'for 7 days');
select pg_temp.refuses(pg_temp.pays_in(:f, '2024-01-11 10:00:00.000001'), 'UF009', 'and no longer');
select pg_temp.accepts(pg_temp.pays_in(:f, '2024-01-10 10:00'), 'the same in the past');
rollback to bought;
select pg_temp.refuses(format('select fundes.append(''fund-%s'', ''EventReversed'', %L, effective_at => ''2024-01-02 10:00'')', :f, jsonb_build_object('fund_id', :f, 'reversed_event_id', event_id, 'reversed_type', type, 'reversed_position', position, 'reversed', payload, 'price_since', since)), 'UF023', 'appended, another age: ' || since)
  from fundes.event_log, unnest(array['2024-01-02T09:59:59+09:00', '2025-01-01T00:00:00+09:00']) since where event_id = :'bought';

select pg_temp.cash_fund() as f \gset
select pg_temp.purchase(:f, 'AG4', '2024-02-20 10:00');
select pg_temp.accepts(pg_temp.pays_in(:f, '2024-02-15 10:00'), 'before the first purchase there is no age');
select pg_temp.purchase(:f, 'AG5', '2024-02-02 10:00');
select pg_temp.refuses(pg_temp.pays_in(:f, at), 'UF009', 'but after one that is recorded later: ' || at)
  from unnest(array['2024-02-09 10:00:00.000001', '2024-02-15 10:00', '2024-02-22 10:00', '2024-03-01 10:00']::timestamptz[]) at;
select pg_temp.accepts(pg_temp.pays_in(:f, at), 'within 7 days from it, and before: ' || at)
  from unnest(array['2024-02-09 10:00', '2024-02-02 09:00']::timestamptz[]) at;

-- Nor is a purchase a price: it may be dated before one.
select pg_temp.cash_fund() as f \gset
select fundes.declare_distribution(:f, 10000, effective_at => '2024-02-20 10:00');
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''AG6'', ''R'', ''S'', 1000, effective_at => ''2024-02-16 10:00'')', :f), 'a first purchase before a distribution');
select is((select string_agg((fundes.fund_state_at(:f, at)).base_price::numeric::text, ' ' order by at) from unnest(array['2024-02-16 10:00', '2024-02-20 10:00']::timestamptz[]) at), '1000.0000 990.0000', 'moves no price');
select pg_temp.accepts(pg_temp.pays_in(:f, '2024-02-23 10:00'), 'within 7 days');
select pg_temp.refuses(pg_temp.pays_in(:f, '2024-02-23 10:00:00.000001'), 'UF009', 'the price is as old as the purchase');
select pg_temp.refuses(pg_temp.pays_in(:f, '2024-02-24 10:00'), 'UF009', 'then too');

-- A price that is less than four decimals can say: no valuation helps, lifting the limit does.
select fundes.create_fund('Crumbs', 0.0001, effective_at => '2023-01-01') as crumbs \gset
select fundes.create_investment('A', :crumbs, 1000, effective_at => '2023-01-01 10:00');
select fundes.accrue_fee(:crumbs, 1, effective_at => '2023-01-01 11:00');
select fundes.update_mcp_asset_value(:crumbs, '2023-01-01', effective_at => '2023-01-02 00:10');
select format($$select fundes.withdraw_investment('A', %s, 10000000, effective_at => '2023-01-02 10:00')$$, :crumbs) as leave \gset
select pg_temp.refuses(:'leave', 'UF009', 'a price of 0 with a NAV');
select matches((pg_temp.attempt(:'leave')).hint, 'set_price_limits', 'the hint says what helps');
select fundes.set_price_limits(:crumbs, null, '7 days', effective_at => '2023-01-02 09:00');
select pg_temp.accepts(:'leave', 'the whole position can go then');
select is((select cash from fundes.unit_register where fund_id = :crumbs and units < 0), 0::numeric, 'for nothing, which the register says');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
