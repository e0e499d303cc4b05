-- Ex prices that turn out to be wrong: what is recorded later is effective
-- before a distribution, which struck the price that investors then dealt at.
-- The price stays; nav_error says what each deal was off.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(i, i, effective_at => '2023-12-01 09:00') from unnest(array['A', 'B', 'C']) i;

create function pg_temp.errors(fund bigint) returns text
language sql as $$
	select coalesce(string_agg(format('%s %s to %s, %s bp: %s %s %s', struck_by, struck_price, restated_price, basis_points,
									  investor_id, units, off), '; ' order by struck_at, effective_at), 'none')
	  from fundes.nav_error where fund_id = fund
$$;
create function pg_temp.finds(fund bigint) returns boolean
language sql as $$ select 'deals at a wrong ex price' = any (findings) from fundes.daily_control where fund_id = fund $$;

-- The royalty before a distribution was none.
select fundes.create_fund('Ballads', effective_at => '2024-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 1000000, effective_at => '2024-01-01 09:10');
select fundes.purchase_mcp(:f, 'M1', 'R', 'S', 100000, effective_at => '2024-01-01 10:00') as m1 \gset
select fundes.record_royalty(:f, :m1, 10000, effective_at => '2024-01-01 12:00') as royalty \gset
select fundes.record_mcp_price('M1', 'R', 'S', '2023-12-31', 100000);
savepoint valued;
select fundes.declare_distribution(:f, 10000, effective_at => '2024-01-02 10:00');
select is(pg_temp.figures(:f, 'base_price'), 'base_price 1000', 'the ex price');
select fundes.create_investment('B', :f, 100000, effective_at => '2024-01-02 11:00');
select fundes.withdraw_investment('A', :f, 10, effective_at => '2024-01-02 12:00');
select is(pg_temp.errors(:f), 'none', 'right as it is known');
select is(pg_temp.finds(:f), false, 'daily_control says nothing');
select fundes.reverse_event(:'royalty', 'bounced', effective_at => '2024-01-01 12:00');
select is(pg_temp.errors(:f), 'DistributionDeclared 1000.0000 to 990.0000, -100.0000 bp: B 100 -1000; DistributionDeclared 1000.0000 to 990.0000, -100.0000 bp: A 10 100',
	'B paid 1000 too much, A got 100 too much');
select pg_temp.same(format('select valuation_date, struck_at, struck_revision, current_revision, difference, cash, restated_cash from fundes.nav_error where fund_id = %s and investor_id = ''B''', :f),
	$$values (null::date, timestamptz '2024-01-02 10:00', null::integer, null::integer, -10, 100000, 99000)$$, 'its other columns');
select is(pg_temp.finds(:f), true, 'daily_control says so');
select is(pg_temp.figures(:f, 'base_price'), 'base_price 1000', 'what was struck stays');
select is_empty(format('select * from fundes.restate_nav(%s, ''2024-01-01'')', :f), 'no day was valued: nothing to restate');
select fundes.record_royalty(:f, :m1, 10000, effective_at => '2024-01-02 09:59');
select is(pg_temp.errors(:f), 'none', 'the royalty came after all, right before: the price was right');
select fundes.record_royalty(:f, :m1, 5000, effective_at => '2024-01-02 10:00');
select is(pg_temp.errors(:f), 'none', 'what is recorded later for the very moment comes after it');
select fundes.accrue_fee(:f, 1001, effective_at => '2024-01-02 09:00');
select is(pg_temp.errors(:f), 'DistributionDeclared 1000.0000 to 998.9990, -10.0100 bp: B 100 -100; DistributionDeclared 1000.0000 to 998.9990, -10.0100 bp: A 10 11', 'rounded for each as at the deal');
select fundes.update_mcp_asset_value(:f, '2024-01-02', effective_at => '2024-01-03 00:00');
select fundes.create_investment('C', :f, 100000, effective_at => '2024-01-03 09:00');
select is((select count(*) from fundes.nav_error where fund_id = :f), 2::bigint, 'deals at the next price are not off');
select fundes.close_period(:f, '2024-01-02', effective_at => '2024-01-03 10:00');
select is(pg_temp.finds(:f), false, 'settled and closed, it needs no look');
select is((select count(*) from fundes.nav_error where fund_id = :f), 2::bigint, 'but stays on record');
select is_empty('select * from fundes.verify_projections()', 'the projections equal the log');
rollback to valued;

-- A wrong price that nobody dealt at.
select fundes.declare_distribution(:f, 10000, effective_at => '2024-01-02 10:00');
select fundes.reverse_event(:'royalty', 'bounced', effective_at => '2024-01-01 12:00');
select pg_temp.same(format('select struck_by, struck_price, restated_price, event_id, off from fundes.nav_error where fund_id = %s', :f),
	$$values ('DistributionDeclared', 1000.0000, 990.0000, null::uuid, null::numeric)$$, 'without deals: one row');
select is(pg_temp.finds(:f), false, 'which nobody has to settle');
rollback to valued;

-- A distribution taken back from its beginning, after deals at its ex price.
select fundes.declare_distribution(:f, 10000, effective_at => '2024-01-02 10:00');
select event_id as declared from fundes.audit_trail where fund_id = :f and type = 'DistributionDeclared' \gset
select fundes.create_investment('B', :f, 100000, effective_at => '2024-01-02 11:00');
select fundes.reverse_event(:'declared', 'by mistake', effective_at => '2024-01-02 10:00');
select is(pg_temp.errors(:f), 'EventReversed 1000.0000 to 1010.0000, 100.0000 bp: B 100 1000', 'B paid 1000 too little');
select is(pg_temp.finds(:f), true, 'daily_control says so');
rollback to valued;

-- One declared for a moment before deals that had been made.
select fundes.create_investment('B', :f, 100000, effective_at => '2024-01-02 11:00');
select fundes.declare_distribution(:f, 20000, effective_at => '2024-01-02 10:00');
select is(pg_temp.errors(:f), 'DistributionDeclared 1000.0000 to 990.0000, -100.0000 bp: B 100 -1000', 'B had paid for what went to the holders of before');
rollback to valued;

-- The valuation before it is restated: its values were wrong, and so the ex price.
select fundes.update_mcp_asset_value(:f, '2024-01-01', effective_at => '2024-01-02 00:00');
select fundes.declare_distribution(:f, 10000, effective_at => '2024-01-02 10:00');
select fundes.create_investment('B', :f, 100000, effective_at => '2024-01-02 11:00');
select fundes.record_mcp_price('M1', 'R', 'S', '2024-01-01', 90000);
select fundes.update_mcp_asset_value(:f, '2024-01-01', effective_at => '2024-01-02 12:00');
select is(pg_temp.errors(:f), 'FundValued 1010.0000 to 1000.0000, -99.0099 bp:   ; DistributionDeclared 1000.0000 to 990.0000, -100.0000 bp: B 100 -1000', 'both prices');
rollback to valued;
select fundes.update_mcp_asset_value(:f, '2024-01-01', effective_at => '2024-01-02 00:00');
select fundes.sell_mcp(:f, :m1, 100000, effective_at => '2024-01-02 09:00');
select fundes.declare_distribution(:f, 10000, effective_at => '2024-01-02 10:00');
select fundes.create_investment('B', :f, 100000, effective_at => '2024-01-02 11:00');
select fundes.record_mcp_price('M1', 'R', 'S', '2024-01-01', 90000);
select fundes.update_mcp_asset_value(:f, '2024-01-01', effective_at => '2024-01-02 12:00');
select is(pg_temp.errors(:f), 'FundValued 1010.0000 to 1000.0000, -99.0099 bp:   ', 'sold meanwhile, its value is no part of the ex price');
rollback to valued;

-- Random histories against all entries, one by one.
create function pg_temp.history(seed double precision) returns bigint
language plpgsql as $$
declare
	fund bigint;
	asset bigint;
	at timestamptz;
	dice double precision;
	declared uuid;
begin
	perform setseed(seed);
	fund := fundes.create_fund('History ' || seed, 100, 2, 2, effective_at => '2024-01-01 09:00');
	perform fundes.set_price_limits(fund, null, null, effective_at => '2024-01-01 09:00');
	perform fundes.create_investment('A', fund, 100000, effective_at => '2024-01-01 10:00');
	asset := fundes.purchase_mcp(fund, 'H' || fund, 'R', 'S', 20000, effective_at => '2024-01-01 11:00');
	for i in 1 .. 120 loop
		at := timestamptz '2024-01-02' + i * interval '3 hours';
		dice := random();
		perform pg_temp.attempt(case
			when dice < 0.10 then format('select fundes.declare_distribution(%s, %s, effective_at => %L)', fund, 1 + (random() * 900)::integer, at - (random() * random() * 10)::integer * interval '1 hour')
			when dice < 0.30 then format('select fundes.record_royalty(%s, %s, %s, effective_at => %L)', fund, asset, 1 + (random() * 2000)::integer, at - (random() * random() * 200)::integer * interval '1 hour')
			when dice < 0.40 then format('select fundes.withdraw_investment(''A'', %s, %s, effective_at => %L)', fund, 1 + (random() * 20)::integer, at - (random() * random() * 30)::integer * interval '1 hour')
			when dice < 0.60 then format('select fundes.create_investment(''B'', %s, %s, effective_at => %L)', fund, 100 + (random() * 5000)::integer, at - (random() * random() * 30)::integer * interval '1 hour')
			when dice < 0.70 then format('select fundes.accrue_fee(%s, %s, effective_at => %L)', fund, 1 + (random() * 50)::integer, at - (random() * random() * 100)::integer * interval '1 hour')
			when dice < 0.80 then format('select fundes.reverse_event(event_id, effective_at => greatest(effective_at, %L)) from fundes.audit_trail where fund_id = %s and reversed_by is null and type in (''DistributionDeclared'', ''RoyaltyReceived'') order by random() limit 1', at - (random() * 20)::integer * interval '1 hour', fund)
			else format('select fundes.update_mcp_asset_value(%s, %L, effective_at => %L)', fund, (at - interval '1 day')::date, at) end);
	end loop;
	return fund;
end
$$;
create temporary table history as select pg_temp.history(seed) as fund_id from generate_series(0.0, 1.0, 0.1) seed;
create temporary table ex as
select s.fund_id, s.effective_at, s.last_position, s.base_price::numeric as base_price, n.nav, n.units,
	   case when n.units > 0 then greatest(floor(n.nav * 10000 / n.units) / 10000, 0) else s.base_price end as right_price
  from history
  join fundes.fund_entry s using (fund_id)
  join fundes.event_log v on v.position = s.last_position and v.type in ('DistributionDeclared', 'EventReversed'),
	   lateral (select sum(coalesce(capital_cash, 0) + coalesce(asset_value, 0) - coalesce(liabilities, 0)) as nav,
					   sum(coalesce(total_supply, 0)) as units
				  from fundes.fund_entry m
				 where m.fund_id = s.fund_id and (m.effective_at, m.last_position) <= (s.effective_at, s.last_position)) n
 where s.base_price is not null;
select cmp_ok(count(*) filter (where base_price <> right_price), '>', 20::bigint, 'wrong ex prices') from ex;
select cmp_ok(count(*) filter (where base_price = right_price), '>', 5::bigint, 'and right ones') from ex;
select set_eq('select fund_id, last_position, right_price from fundes.ex_price where fund_id in (select fund_id from history)',
	'select fund_id, last_position, right_price from ex', 'the right price of each');
select set_eq($$select event_id, struck_price, restated_price from fundes.nav_error
		where struck_by <> 'FundValued' and event_id is not null and fund_id in (select fund_id from history)$$,
	$$select v.event_id, (v.payload ->> 'unit_price')::numeric, x.right_price
		from ex x
		join fundes.fund_entry m on m.fund_id = x.fund_id and (m.effective_at, m.last_position) > (x.effective_at, x.last_position)
		join fundes.event_log v on v.position = m.last_position and v.type like 'Investment%'
	   where (v.payload ->> 'unit_price')::numeric <> x.right_price
		 and not exists (select from fundes.fund_entry s
						  where s.fund_id = x.fund_id and s.base_price is not null
							and (s.effective_at, s.last_position) > (x.effective_at, x.last_position)
							and (s.effective_at, s.last_position) <= (m.effective_at, m.last_position))$$, 'and each deal at another');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
