-- Figures as of a moment, as known at a moment: signatures, arguments, edges,
-- and equality with sums over the log.

begin;
\ir helper.inc
select no_plan();

-- Signatures
select function_returns('fundes', 'compute_fund_value', array['bigint', 'timestamp with time zone', 'timestamp with time zone'], 'numeric');
select function_returns('fundes', 'fund_nav', array['bigint', 'timestamp with time zone', 'timestamp with time zone'], 'numeric');
select function_returns('fundes', 'nav_per_unit', array['bigint'], 'numeric');
select function_returns('fundes', 'fund_state_at', array['bigint', 'timestamp with time zone', 'timestamp with time zone'], 'fundes.fund_state');
select function_returns('fundes', 'investment_value_at', array['text', 'bigint', 'timestamp with time zone', 'timestamp with time zone'], 'fundes.investment_state');
select is(proargnames[1:pronargs], names, oid::regprocedure || ': the names of its parameters')
  from pg_proc
  join (values
	('compute_fund_value', 3, array['fund_id', 'as_of', 'known_at']), ('fund_nav', 3, array['fund_id', 'as_of', 'known_at']), ('nav_per_unit', 1, array['fund_id']),
	('fund_state_at', 3, array['fund_id', 'as_of', 'known_at']), ('investment_value_at', 4, array['investor_id', 'fund_id', 'as_of', 'known_at'])) v(name, n, names) on name = proname and n = pronargs
 where pronamespace = 'fundes'::regnamespace;
select is(provolatile::text, 's', oid::regprocedure || ' is stable')
  from pg_proc
 where pronamespace = 'fundes'::regnamespace and proname in ('compute_fund_value', 'fund_nav', 'nav_per_unit', 'fund_state_at', 'investment_value_at');
select ok(exists (select from pg_attribute where attrelid = 'fundes.fund_state'::regclass and attname = a and not attisdropped), 'fund_state has ' || a)
  from unnest(array['fund_id', 'nav', 'capital_cash', 'asset_value', 'liabilities', 'total_supply', 'base_price', 'accumulated_purchase_value', 'accumulated_sold_value',
					'realised_gain', 'unrealised_gain', 'royalty_income', 'fee_expense', 'distributed', 'subscriptions', 'redemptions',
					'name', 'status', 'currency', 'last_valuation_date', 'closed_through']) a;

-- The worked example, up to 07-03.
select fundes.create_fund('OKCOW-1', effective_at => '2023-06-01 09:00');
select fundes.create_fund('OKCOW-2', effective_at => '2023-06-01 09:01');
select fundes.create_investor(id, id, effective_at => '2023-06-01 09:05') from unnest(array['A', 'B', 'C']) id;
select fundes.create_investment('A', 1, 1000000, effective_at => '2023-06-01 09:10');
select fundes.create_investment('B', 1, 500500, effective_at => '2023-06-01 09:20');
select fundes.create_investment('B', 2, 100000, effective_at => '2023-06-01 09:30');
select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 600000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 450000, effective_at => '2023-06-01 10:05');
select fundes.purchase_mcp(2, 'M4', 'R4', 'S4', 100000, effective_at => '2023-06-01 10:10');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000), fundes.record_mcp_price('M2', 'R2', 'S2', '2023-06-01', 441000);
select fundes.update_mcp_asset_value(fund, '2023-06-01', effective_at => '2023-06-02 00:00') from generate_series(1, 2) fund;
select fundes.create_investment('C', 1, 300000, effective_at => '2023-06-02 10:00');
select fundes.record_royalty(1, pg_temp.asset('M1'), 12345, effective_at => '2023-06-10 12:00');
select fundes.sell_mcp(1, pg_temp.asset('M2'), 470000, effective_at => '2023-06-15 12:00');
select fundes.purchase_mcp(1, 'M3', 'R3', 'S3', 333333, effective_at => '2023-06-20 12:00');
select fundes.accrue_fee(1, 1500, effective_at => '2023-06-30 23:00');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-30', 615000);
select fundes.update_mcp_asset_value(1, '2023-06-30', effective_at => '2023-07-01 00:00');
select fundes.withdraw_investment('A', 1, 400, effective_at => '2023-07-03 10:00');

select is(fundes.compute_fund_value(fund, at), value::numeric, format('compute_fund_value(%s) at %s', fund, at))
  from (values
	(1, timestamptz '2023-06-10 23:59:59.999999', 1050000), (1, '2023-06-11 00:00', 1050000), (1, '2023-06-01 09:59:59.999999', 0), (1, '2023-06-01 10:00', 600000),
	(1, '2023-06-01 10:04:59.999999', 600000), (1, '2023-06-01 10:05', 1050000), (1, '2023-06-15 11:59:59.999999', 1050000), (1, '2023-06-15 12:00', 580000),
	(1, '2023-06-20 12:00', 913333), (1, '2023-12-31', 913333), (1, 'infinity', 913333), (1, '-infinity', 0), (1, '2023-06-01 08:59:59.999999', 0), (1, '0044-03-15 BC', 0),
	(1, '290000-01-01', 913333), (2, '2023-06-10 23:59:59', 100000), (2, 'infinity', 100000)) v(fund, at, value);
select is(fundes.fund_nav(1, at), nav::numeric, 'fund_nav at ' || at)
  from (values
	(timestamptz '2023-06-01 09:10', 1000000), ('2023-06-01 09:20', 1500000), ('2023-06-01 23:59:59.999999', 1500000), ('2023-06-02 00:00', 1521000), ('2023-06-02 10:00', 1820130),
	('2023-06-10 11:59:59.999999', 1820130), ('2023-06-10 12:00', 1832475), ('2023-06-15 12:00', 1861475), ('2023-06-30 23:00', 1859975), ('2023-07-01 00:00', 1844975),
	('2023-07-03 09:59:59.999999', 1844975), ('2023-07-03 10:00', 1433839), ('infinity', 1433839), ('-infinity', 0), ('2023-05-31', 0)) v(at, nav);
select is(fundes.fund_nav(1), 1433839::numeric, 'fund_nav now');
select is(fundes.fund_nav(fund_id => 1), (select nav::numeric from fundes.fund_sheet where fund_id = 1), 'it is that of fund_sheet');
select is(fundes.nav_per_unit(1), 1027.8415, 'nav_per_unit: live, floor at 4 decimals');
select is(fundes.nav_per_unit(fund_id), s.nav_per_unit::numeric, 'nav_per_unit is that of fund_sheet') from fundes.fund_sheet s order by fund_id;
select is(trim_scale(base_price), price, 'base_price at ' || at)
  from (values
	(timestamptz '2023-06-01 09:00', 1000), ('2023-06-01 23:59:59.999999', 1000), ('2023-06-02 00:00', 1014), ('2023-06-30 23:59:59.999999', 1014), ('2023-07-01 00:00', 1027.8412),
	('infinity', 1027.8412), ('2023-06-01 08:59:59.999999', null), ('-infinity', null)) v(at, price), fundes.fund_state_at(1, at);
select is((select nav_per_unit from fundes.fund_state_at(1, '2023-06-01 09:05')), null, 'nav_per_unit of a moment without units is null');
select is((select trim_scale(nav_per_unit) from fundes.fund_state_at(1, '2023-06-30 23:00')), 1036.1977, 'nav_per_unit of 06-30 before its valuation');
select pg_temp.same(
	$$select investor_id, at, trim_scale(units), trim_scale(base_price), trim_scale(current_value), trim_scale(cost_basis), trim_scale(v.investment_amount), trim_scale(withdrawn_amount), trim_scale(realised_gain), trim_scale(distributions)
		from (values ('A', timestamptz '2023-06-01 09:09'), ('A', '2023-06-01 09:10'), ('A', '2023-06-02 00:00'), ('A', '2023-07-03 09:59'), ('A', '2023-07-03 10:00'),
					 ('C', '2023-06-02 09:59'), ('C', '2023-06-02 10:00'), ('B', 'infinity'), ('B', '-infinity')) m(investor_id, at),
			 fundes.investment_value_at(investor_id, 1, at) v$$,
	$$values ('A', timestamptz '2023-06-01 09:09', 0, 1000::numeric, 0, 0, 0, 0, 0, 0), ('A', '2023-06-01 09:10', 1000, 1000, 1000000, 1000000, 1000000, 0, 0, 0),
			 ('A', '2023-06-02 00:00', 1000, 1014, 1014000, 1000000, 1000000, 0, 0, 0), ('A', '2023-07-03 09:59', 1000, 1027.8412, 1027841, 1000000, 1000000, 0, 0, 0),
			 ('A', '2023-07-03 10:00', 600, 1027.8412, 616704, 600000, 1000000, 411136, 11136, 0),
			 ('C', '2023-06-02 09:59', 0, 1014, 0, 0, 0, 0, 0, 0), ('C', '2023-06-02 10:00', 295, 1014, 299130, 299130, 299130, 0, 0, 0),
			 ('B', 'infinity', 500, 1027.8412, 513920, 500000, 500000, 0, 0, 0), ('B', '-infinity', 0, null, null, 0, 0, 0, 0, 0)$$,
	'investment_value_at: units, price in force, value, cost, amounts');
select is((select count(*) from fundes.investment_value_at('C', 2, 'infinity')), 1::bigint, 'who never invested has one row');
select is((select trim_scale(units) from fundes.investment_value_at('C', 2, 'infinity')), 0::numeric, 'of zeros');

-- Arguments
select pg_temp.refuses('select fundes.' || call, code, rule)
  from (values
	('compute_fund_value(null, now())', '22004', 'compute_fund_value: fund_id is null'),
	('compute_fund_value(1, null)', '22004', 'compute_fund_value: as_of is null'),
	('compute_fund_value(1, now(), null)', '22004', 'compute_fund_value: known_at is null'),
	('compute_fund_value(99, now())', 'UF002', 'compute_fund_value: unknown fund'),
	('compute_fund_value(99, null)', '22004', 'compute_fund_value: null before who'),
	('compute_fund_value(0, ''-infinity'')', 'UF002', 'compute_fund_value: fund 0'),
	('fund_nav(null)', '22004', 'fund_nav: fund_id is null'),
	('fund_nav(99)', 'UF002', 'fund_nav: unknown fund'),
	('fund_nav(1, now(), null)', '22004', 'fund_nav: known_at is null'),
	('nav_per_unit(null)', '22004', 'nav_per_unit: fund_id is null'),
	('nav_per_unit(99)', 'UF002', 'nav_per_unit: unknown fund'),
	('fund_state_at(null, now())', '22004', 'fund_state_at: fund_id is null'),
	('fund_state_at(1, null)', '22004', 'fund_state_at: as_of is null'),
	('fund_state_at(1, now(), null)', '22004', 'fund_state_at: known_at is null'),
	('fund_state_at(-1, now())', 'UF002', 'fund_state_at: unknown fund'),
	('investment_value_at(null, 1, now())', '22004', 'investment_value_at: investor_id is null'),
	('investment_value_at(''A'', null, now())', '22004', 'investment_value_at: fund_id is null'),
	('investment_value_at(''A'', 1, null)', '22004', 'investment_value_at: as_of is null'),
	('investment_value_at(''A'', 1, now(), null)', '22004', 'investment_value_at: known_at is null'),
	('investment_value_at(''nobody'', 1, now())', 'UF001', 'investment_value_at: unknown investor'),
	('investment_value_at(''A'', 99, now())', 'UF002', 'investment_value_at: unknown fund'),
	('investment_value_at(''nobody'', 99, now())', 'UF001', 'investment_value_at: investor before fund')) v(call, code, rule);

-- What was known. In one transaction recorded_at moves on with the clock.
create temporary table known as
select (select max(recorded_at) from fundes.event_log) as before, clock_timestamp() as between_times, null::timestamptz as after;
select fundes.record_royalty(1, pg_temp.asset('M1'), 1000, effective_at => '2023-06-05 12:00');
update known set after = (select max(recorded_at) from fundes.event_log);
select is(fundes.fund_nav(1, as_of, known_at), nav::numeric, rule)
  from known, lateral (values
	(timestamptz '2023-06-10 12:00', before, 1832475, 'a late royalty was not known before'),
	('2023-06-10 12:00', between_times, 1832475, 'nor at a moment between'),
	('2023-06-10 12:00', after - interval '1 microsecond', 1832475, 'nor a microsecond before it was recorded'),
	('2023-06-10 12:00', after, 1833475, 'it is known at the moment at which it was recorded'),
	('2023-06-10 12:00', 'infinity', 1833475, 'and ever since'),
	('2023-06-05 11:59:59.999999', 'infinity', 1820130, 'it is not true before its effective_at'),
	('2023-06-05 12:00', 'infinity', 1821130, 'but from then on'),
	('infinity', before, 1433839, 'as known before, at any time'),
	('infinity', '-infinity', 0, 'nothing is known at the beginning'),
	('infinity', '2023-07-31', 0, 'nor before anything was recorded')) v(as_of, known_at, nav, rule);
select is((select base_price from fundes.fund_state_at(1, 'infinity', '2023-07-31')), null, 'no price is known before anything was recorded');
select is((select as_of || ' ' || known_at from fundes.fund_state_at(1, '2023-06-10 12:00', 'infinity')), '2023-06-10 12:00:00+09 infinity', 'fund_state tells what was asked');
select is((select trim_scale(units) from known, fundes.investment_value_at('A', 1, 'infinity', '2023-07-31')), 0::numeric, 'investment_value_at: no units are known then');
select is(fundes.compute_fund_value(1, 'infinity', '2023-07-31'), 0::numeric, 'compute_fund_value: 0 then');

-- Now, and at infinity, the figures are those of the views; nothing is changed.
select pg_temp.same(
	$$select fund_id, trim_scale(nav), trim_scale(capital_cash), trim_scale(asset_value), trim_scale(liabilities), trim_scale(total_supply), trim_scale(base_price), trim_scale(accumulated_purchase_value), trim_scale(accumulated_sold_value),
			 trim_scale(subscriptions), trim_scale(redemptions), trim_scale(realised_gain), trim_scale(unrealised_gain), trim_scale(royalty_income), trim_scale(fee_expense), trim_scale(distributed)
		from generate_series(1, 2) f, fundes.fund_state_at(f, 'infinity') order by 1$$,
	$$select fund_id, trim_scale(nav), trim_scale(capital_cash), trim_scale(asset_value), trim_scale(liabilities), trim_scale(total_supply), trim_scale(base_price), trim_scale(accumulated_purchase_value), trim_scale(accumulated_sold_value),
			 trim_scale(subscriptions), trim_scale(redemptions), trim_scale(realised_gain), trim_scale(unrealised_gain), trim_scale(royalty_income), trim_scale(fee_expense), trim_scale(distributed)
		from fundes.fund_sheet order by 1$$, 'at infinity fund_state_at is fund_sheet');
select pg_temp.writes_nothing('select ' || call, call || ' writes nothing')
  from unnest(array['fundes.fund_state_at(1, now())', 'fundes.investment_value_at(''A'', 1, now())', 'fundes.fund_nav(1)', 'fundes.nav_per_unit(1)', 'fundes.compute_fund_value(1, now())']) call;

-- A thousand entries, most of them back-dated, against sums over the log.
select fundes.create_fund('Hits', cash_scale => 2, effective_at => '2020-01-01 09:00') as h \gset
select fundes.set_price_limits(:h, null, null, effective_at => '2020-01-01 09:00');
select fundes.create_investment('A', :h, 1000000, effective_at => '2020-01-01 10:00');
select fundes.purchase_mcp(:h, 'H', 'R', 'S', 100, effective_at => '2020-01-01 10:00') as asset \gset
select setseed(0.25);
create temporary table done as
select n, case n % 5
		  when 0 then fundes.purchase_mcp(:h, 'H' || n, 'R', 'S', 1 + n * 0.01, effective_at => at)::text
		  when 1 then (fundes.create_investment('B', :h, 2000 + n, effective_at => at)).event_id::text
		  when 2 then fundes.record_royalty(:h, :asset, n * 0.37, effective_at => at)::text
		  when 3 then fundes.accrue_fee(:h, n * 0.01, effective_at => at)::text
		  else (fundes.withdraw_investment('A', :h, 1, effective_at => at)).event_id::text end as result
  from (select n, timestamptz '2020-01-02' + interval '1 hour' * trunc(case when random() < 0.3 then n * 20 else random() * 20000 end) as at from generate_series(1, 1000) n offset 0) s;
select is((select count(distinct effective_at) > 500 and count(*) = 1003 from fundes.event_log where stream in ('fund-' || :h, 'holding-' || :h || '-A', 'holding-' || :h || '-B') and type <> 'PriceLimitsSet'), true, 'a thousand entries');
create temporary table effect as
select e.position, e.effective_at, e.recorded_at, s.*
  from fundes.event_log e,
	   lateral (select payload -> 'fund_id' as fund, case type when 'McpPurchased' then (payload ->> 'price_cash')::numeric else 0 end as outlay,
					   case type when 'InvestmentCreated' then (payload ->> 'cash_taken')::numeric when 'InvestmentWithdrawn' then -(payload ->> 'withdrawn_amount')::numeric
								 when 'RoyaltyReceived' then (payload ->> 'amount')::numeric when 'FeeAccrued' then -(payload ->> 'amount')::numeric else 0 end as nav,
					   case type when 'InvestmentCreated' then (payload ->> 'units')::numeric when 'InvestmentWithdrawn' then -(payload ->> 'stock_quantity')::numeric else 0 end as units,
					   payload ->> 'investor_id' as investor) s
 where (payload ->> 'fund_id')::bigint = :h;
create temporary table question as
select at, known_at
  from (select timestamptz '2019-12-31' + interval '1 hour' * trunc(random() * 20100) as at,
			   case when n % 3 = 0 then 'infinity' else (select recorded_at from effect order by recorded_at offset trunc(random() * 1000) limit 1) end as known_at
		  from generate_series(1, 300) n) q
 union all
select effective_at, 'infinity' from (select effective_at from effect order by position desc limit 100) e;
select is(count(*) filter (where compute <> outlay or state_nav <> folded.nav or fund_nav <> folded.nav or value_units <> b_units or supply <> folded.units), 0::bigint, format('at %s moments they are the sums over the log', count(*)))
  from question q,
	   lateral (select coalesce(sum(outlay), 0) as outlay, coalesce(sum(nav), 0) as nav, coalesce(sum(units), 0) as units, coalesce(sum(units) filter (where investor = 'B'), 0) as b_units
				  from effect where effective_at <= q.at and position < coalesce((select min(position) from fundes.event_log l where l.recorded_at > q.known_at), 9e18)) folded,
	   lateral (select fundes.compute_fund_value(:h, q.at, q.known_at) as compute, fundes.fund_nav(:h, q.at, q.known_at) as fund_nav) f,
	   lateral (select nav as state_nav, total_supply as supply from fundes.fund_state_at(:h, q.at, q.known_at)) s,
	   lateral (select units as value_units from fundes.investment_value_at('B', :h, q.at, q.known_at)) v;
select cmp_ok(count(distinct fundes.fund_nav(:h, at, known_at)), '>', 100::bigint, 'which differ') from question;

-- A reader needs no more than EXECUTE on the functions.
create role asof_reader;
grant usage on schema fundes to asof_reader;
grant execute on function fundes.compute_fund_value(bigint, timestamptz, timestamptz), fundes.fund_nav(bigint, timestamptz, timestamptz), fundes.nav_per_unit(bigint),
	fundes.fund_state_at(bigint, timestamptz, timestamptz), fundes.investment_value_at(text, bigint, timestamptz, timestamptz) to asof_reader;
create temporary table read_by_reader (nav numeric, value numeric, price numeric, state numeric, units numeric);
grant insert on read_by_reader to asof_reader;
set local role asof_reader;
insert into read_by_reader
select fundes.fund_nav(1, '2023-06-10 12:00'), fundes.compute_fund_value(1, '2023-06-10 12:00'), fundes.nav_per_unit(1), (fundes.fund_state_at(1, '2023-06-10 12:00')).capital_cash,
	   (fundes.investment_value_at('A', 1, '2023-06-10 12:00')).units;
reset role;
select pg_temp.same('select trim_scale(nav), trim_scale(value), trim_scale(price), trim_scale(state), trim_scale(units) from read_by_reader',
				  'values (1833475, 1050000, 1028.5584, 762475, 1000)', 'a reader with EXECUTE reads them');

-- Name, status, closed period and last valuation, on both axes, as the log says.
select fundes.create_fund('Ended', currency => 'USD', time_zone => 'America/New_York', effective_at => '2024-01-01 09:00') as e \gset
select fundes.set_price_limits(:e, null, null, effective_at => '2024-01-01 09:00');
select fundes.create_investment('A', :e, 10000, effective_at => '2024-01-02 09:00');
do $$
declare
	fund bigint := (select max(fund_id) from fundes.fund_sheet);
	day date := '2024-01-02';
	now timestamptz;
begin
	perform setseed(0.5);
	for i in 1 .. 60 loop
		day := day + (random() * 2)::integer;
		now := day + interval '33 hours';
		perform pg_temp.attempt(case
			when random() < 0.4 then format('select fundes.update_mcp_asset_value(%s, %L, effective_at => %L)', fund, day - (random() * random() * 3)::integer, now)
			when random() < 0.5 then format('select fundes.close_period(%s, %L, effective_at => %L)', fund, day - (random() * 20)::integer, now - interval '1 hour' * (random() * 200)::integer)
			when random() < 0.6 then format('select fundes.reopen_period(%s, %s, effective_at => %L)', fund,
				case when random() < 0.5 then 'null' else quote_literal(day - (random() * 40)::integer) end, now)
			when random() < 0.5 then format('select fundes.declare_distribution(%s, 100, effective_at => %L)', fund, now)
			else format('select fundes.withdraw_investment(''A'', %s, 1, effective_at => %L)', fund, now) end);
		if i % 20 = 0 then
			-- it ends, and starts again
			perform pg_temp.attempt(c) from unnest(array[
				format('select fundes.withdraw_investment(''A'', %s, units::numeric, effective_at => %L) from fundes.investment where fund_id = %1$s and units > 0', fund, now),
				format('select fundes.pay_distribution(fund_id, distribution_id, effective_at => %L) from fundes.distribution where fund_id = %s and status = ''declared''', now, fund),
				format('select fundes.sweep_residual(%s, ''nobody'', effective_at => %L)', fund, now)]) c;
			if i < 60 then
				perform fundes.create_investment('A', fund, 10000, effective_at => now);
			end if;
		end if;
	end loop;
	perform fundes.close_fund(fund, effective_at => now + interval '1 day');
	perform fundes.close_period(fund, day + 1, effective_at => now + interval '2 days');
end
$$;
create function pg_temp.told(fund bigint, a timestamptz, k timestamptz) returns text
language sql as $$
	with known as (
		select * from fundes.event_log where stream = 'fund-' || fund and effective_at <= a and recorded_at <= k)
	select concat_ws(' ', 'Ended USD',
		case when exists (select from known where type = 'FundCreated') then
			case when exists (select from known where type = 'FundClosed') then 'closed' else 'open' end else 'not yet' end,
		coalesce((select payload ->> 'valuation_date' from known where type = 'FundValued' and (payload ->> 'struck')::boolean order by position desc limit 1), 'not valued'),
		coalesce((select payload ->> 'through_date' from known where type in ('PeriodClosed', 'PeriodReopened') order by position desc limit 1), 'all open'))
$$;
create temporary table told as
select a, k, pg_temp.told(:e, a, k) as told,
	   concat_ws(' ', name, currency, coalesce(status, 'not yet'), coalesce(last_valuation_date::text, 'not valued'), coalesce(closed_through::text, 'all open')) as state
  from (select effective_at - interval '1 microsecond' * (n % 2) as a from fundes.event_log, generate_series(0, 1) n where stream = 'fund-' || :e
		union values ('infinity'::timestamptz), ('-infinity')) a,
	   (select recorded_at as k from fundes.event_log where stream = 'fund-' || :e and version % 9 = 0
		union values ('infinity'::timestamptz), ('-infinity')) k,
	   fundes.fund_state_at(:e, a, k);
select is_empty('select * from told where told <> state', 'what the fund was at any moment, as known at any moment');
select cmp_ok(count(distinct state), '>', 15::bigint, 'which was many things') from told;
select pg_temp.same('select fund_id, name, status, currency, last_valuation_date, closed_through from generate_series(1, ' || :e || ') f, fundes.fund_state_at(f, ''infinity'') order by 1',
	'select fund_id, name, status, currency, last_valuation_date, closed_through from fundes.fund_sheet order by 1', 'at infinity it is what fund_sheet says');
select is((select status from fundes.fund_sheet where fund_id = :e), 'closed', 'the fund is closed');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
