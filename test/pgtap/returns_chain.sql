-- Time-weighted returns of adjacent periods multiply to that of both, whatever
-- happened: distributions, their reversals (with a price struck or not, at
-- once, later, beyond another one), funds that start again, valuations made
-- late, deals recorded late.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(i, i, effective_at => '2023-12-01 09:00') from unnest(array['A', 'B']) i;

-- A random history of 60 days. What the rules refuse is left out.
create function pg_temp.history(seed double precision) returns bigint
language plpgsql as $$
declare
	fund bigint;
	asset bigint;
	day date;
	hours integer;
	declared uuid[] := '{}';
	at timestamptz;
	dice double precision;
	call text;
	found uuid;
begin
	perform setseed(seed);
	fund := fundes.create_fund('History ' || seed, 100, effective_at => '2024-01-01 09:00');
	perform fundes.set_price_limits(fund, null, null, effective_at => '2024-01-01 09:00');
	perform fundes.create_investment('A', fund, 100000, effective_at => '2024-01-01 10:00');
	asset := fundes.purchase_mcp(fund, 'C' || fund, 'R', 'S', 20000, effective_at => '2024-01-01 11:00');
	for i in 1 .. 60 loop
		day := date '2024-01-01' + i;
		at := day + interval '1 hour' * (random() * 23)::integer;
		dice := random();
		call := case
			when dice < 0.20 then format('select fundes.declare_distribution(%s, %s, effective_at => %L)', fund, 1 + (random() * 9000)::integer, at)
			when dice < 0.35 and declared <> '{}' then
				format('select fundes.reverse_event(%L, effective_at => %L)', declared[1 + (random() * (cardinality(declared) - 1))::integer],
					   at - interval '1 day' * (random() * random() * 5)::integer)
			when dice < 0.60 then format('select fundes.create_investment(%L, %s, %s, effective_at => %L)', case when random() < 0.5 then 'A' else 'B' end, fund, 5000 + (random() * 50000)::integer, at)
			when dice < 0.75 then format('select fundes.record_royalty(%s, %s, %s, effective_at => %L)', fund, asset, 1 + (random() * 2000)::integer, at - interval '1 day' * (random() * 2)::integer)
			else format('select fundes.record_mcp_price(''C%s'', ''R'', ''S'', %L, %s)', fund, day - 1, 10000 + (random() * 20000)::integer) end;
		if dice > 0.90 then
			-- all leave, what is left is swept, and who comes next starts anew
			perform pg_temp.attempt(c) from unnest(array[
				format('select fundes.sell_mcp(%s, %s, 15000, effective_at => %L)', fund, asset, at),
				format('select fundes.withdraw_investment(investor_id, fund_id, units::numeric, effective_at => %L)'
					   ' from fundes.investment where fund_id = %s and units > 0', at, fund),
				format('select fundes.sweep_residual(%s, ''nobody'', effective_at => %L)', fund, at),
				format('select fundes.create_investment(''B'', %s, 50000, effective_at => %L)', fund, at + interval '1 minute'),
				format('select fundes.purchase_mcp(%s, ''C%1$s'', ''R'', ''S'', 16000, effective_at => %L)', fund, at + interval '2 minutes')]) c;
			asset := pg_temp.asset('C' || fund);
		else
			perform pg_temp.attempt(call);
		end if;
		select array_agg(event_id) into declared from fundes.audit_trail
		 where fund_id = fund and type = 'DistributionDeclared' and reversed_by is null;
		declared := coalesce(declared, '{}');
		if random() < 0.5 then
			perform pg_temp.attempt(format('select fundes.update_mcp_asset_value(%s, %L, effective_at => %L)', fund, day - 1, at + interval '30 minutes'));
		end if;
	end loop;
	return fund;
end
$$;
create temporary table history as
select seed, pg_temp.history(seed) as fund_id from generate_series(0.0, 0.8, 0.2) seed;
create temporary table period as
select fund_id, from_date, to_date, fundes.twr(fund_id, from_date, to_date) as twr
  from history, generate_series(date '2024-01-01', date '2024-03-05', interval '4 days') f(d),
	   generate_series(f.d + interval '3 days', date '2024-03-05', interval '4 days') t(d),
	   lateral (select f.d::date as from_date, t.d::date as to_date) p;

select cmp_ok(count(*) filter (where reversed_by is not null), '>', 10::bigint, 'declarations were reversed')
  from fundes.audit_trail join history using (fund_id) where type = 'DistributionDeclared';
select cmp_ok(count(*), '>', 0::bigint, 'also with no price struck')
  from fundes.event_log where type = 'EventReversed' and payload ->> 'reversed_type' = 'DistributionDeclared' and not payload ? 'base_price';
select cmp_ok(count(*), '>', 5::bigint, 'funds started again')
  from fundes.fund_entry s join fundes.event_log e on e.position = s.last_position
 where s.base_price is not null and e.type = 'InvestmentCreated';
select cmp_ok(count(*) filter (where twr <> 0), '>', 150::bigint, 'there are returns') from period;
select is_empty($$
	select a.fund_id, a.from_date, a.to_date, b.to_date, a.twr, b.twr, c.twr
	  from period a
	  join period b on b.fund_id = a.fund_id and b.from_date = a.to_date + 1
	  join period c on c.fund_id = a.fund_id and c.from_date = a.from_date and c.to_date = b.to_date
	 where a.twr is not null and b.twr is not null
	   and (c.twr is null
			or abs((1 + a.twr) * (1 + b.twr) - (1 + c.twr)) > 0.0000000001 * (3 + abs(a.twr) + abs(b.twr)))$$,
	'the returns of adjacent periods multiply to that of both');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
