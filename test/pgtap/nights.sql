-- Nights with unchanged prices: the nightly job never touches the cash, the
-- price stays, and a day that is valued again writes no event.

begin;
\ir helper.inc
select no_plan();

select fundes.create_fund('OKCOW-1', effective_at => '2023-06-01 09:00');
select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:05');
select fundes.create_investment('A', 1, 1500000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 600000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 450000, effective_at => '2023-06-01 10:05');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000);
select fundes.record_mcp_price('M2', 'R2', 'S2', '2023-06-01', 441000);

create temporary table night as
select day::date,
	   (pg_temp.result(format('select * from fundes.update_mcp_asset_value(1, %L, effective_at => %L)',
							  day::date, day + interval '1 day')) -> 0) as first
  from generate_series(timestamp '2023-06-01', '2023-06-05', '1 day') day
 order by day;

select pg_temp.same(
	$$select day, (first ->> 'base_price')::numeric, (first ->> 'capital_cash')::numeric,
			 (first ->> 'asset_value')::numeric, first ->> 'status' from night order by day$$,
	$$select day::date, 1014.0000, 450000::numeric, 1071000::numeric, 'valued'
		from generate_series(timestamp '2023-06-01', '2023-06-05', '1 day') day$$,
	'five nights with unchanged prices: base_price 1014, cash 450000 on each');
select is(pg_temp.figures(1, 'base_price', 'capital_cash', 'asset_value', 'nav'),
		  'base_price 1014, capital_cash 450000, asset_value 1071000, nav 1521000', 'and so is the fund');
select pg_temp.same($$select valuation_date, base_price::numeric from fundes.nav_history order by 1$$,
				  $$select day, 1014.0000 from night order by 1$$, 'nav_history has the five nights');

select pg_temp.writes_nothing(
	format('select * from fundes.update_mcp_asset_value(1, %L, effective_at => %L)', day, day + interval '5 days'),
	'the night of ' || day || ' again writes nothing')
  from night order by day;
select is((select string_agg(pg_temp.result(format(
				'select * from fundes.update_mcp_asset_value(1, %L, effective_at => %L)',
				day, day + interval '5 days')) -> 0 ->> 'status', ' ' order by day) from night),
		  'unchanged unchanged unchanged unchanged unchanged', 'and its status is unchanged');
select is((pg_temp.result(format('select * from fundes.update_mcp_asset_value(1, %L, effective_at => %L)',
								 day, day + interval '5 days')) -> 0) - 'status',
		  first - 'status', 'an unchanged night of ' || day || ' shows the figures that stand')
  from night order by day;

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');

select * from finish();
rollback;
