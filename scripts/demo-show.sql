-- Shows what scripts/demo has loaded. Headings are in :bold and :plain.

\set QUIET on
\set ON_ERROR_STOP on
\pset border 1
\pset linestyle unicode
\pset footer off
\pset numericlocale on
\pset null '-'

\t on
\pset format unaligned
select format('  %s quotes, %s purchases, %s royalties, %s deals, %s valuations in %s s: %s events in the log',
			  to_char(max(number) filter (where what = 'quotes'), 'FM999,999,999'),
			  to_char(max(number) filter (where what = 'purchases'), 'FM999,999,999'),
			  to_char(max(number) filter (where what = 'royalties'), 'FM999,999,999'),
			  to_char(max(number) filter (where what = 'deals'), 'FM999,999,999'),
			  to_char(max(number) filter (where what = 'valuations'), 'FM999,999,999'),
			  :'seconds',
			  to_char((select count(*) from fundes.event_log), 'FM999,999,999'))
  from (select what, sum(number) as number from market.done group by what) d;
select format('  %s funds from %s to %s; money in KRW',
			  (select count(*) from market.fund), first_day, last_night)
  from market.span;
\pset format aligned
\t off

\echo
\echo :bold'Funds':plain' (fundes.fund_sheet)'
\echo
select f.fund_id as fund,
	   f.name,
	   (select count(*) from fundes.mcp_holding h where h.fund_id = f.fund_id) as songs,
	   f.capital_cash as cash,
	   f.asset_value as assets,
	   f.nav,
	   f.total_supply as units,
	   f.base_price as unit_price,
	   f.unrealised_gain as unrealised,
	   f.royalty_income as royalties
  from fundes.fund_sheet f
 order by f.fund_id;

\echo :bold'Investors':plain' (fundes.investment_details)'
\echo
select d.investor_id,
	   i.name,
	   d.investment_amount as paid_in,
	   w.withdrawn,
	   d.current_value,
	   round(100 * ((d.current_value + w.withdrawn) / nullif(d.investment_amount, 0) - 1), 2) as "gain %"
  from fundes.investment_details d
  join market.investor i using (investor_id),
	   lateral (select coalesce(sum(v.withdrawn_amount), 0) as withdrawn
				  from fundes.investment_current_value v
				 where v.investor_id = d.investor_id) w
 order by i.turn;

\echo :bold'Holdings of one of them':plain' (fundes.investment_current_value)'
\echo
select v.investor_id,
	   f.name as fund,
	   v.units,
	   v.investment_amount as paid_in,
	   v.cost_basis,
	   v.current_value,
	   v.unrealised_gain as unrealised,
	   v.realised_gain as realised
  from fundes.investment_current_value v
  join fundes.fund_sheet f using (fund_id)
 where v.investor_id = 'kim-minji'
 order by v.fund_id;

\echo :bold'Copyrights that gained most':plain' (fundes.mcp_holding)'
\echo
select h.asset_id as asset,
	   s.title,
	   h.acquisition_date as bought,
	   h.cost_cash as cost,
	   h.value_cash as value,
	   round(100 * (h.value_cash / h.cost_cash - 1), 1) as "gain %",
	   h.royalty_income as royalties
  from fundes.mcp_holding h
  join market.song s using (music_id)
 order by h.value_cash / h.cost_cash desc, h.asset_id
 limit 5;

\echo :bold'Unit prices, night by night':plain' (fundes.nav_history)'
\echo
-- A fund a line, and the market's index: at most 40 columns between the lowest
-- and the highest of its own values.
with series as (
	select f.fund_id as place, f.name, h.valuation_date as day, h.base_price as value
	  from fundes.nav_history h join fundes.fund_sheet f using (fund_id)
	 where h.is_current
	 union all
	select null, 'market index', m.date, m.mcpi
	  from market.mcpi_daily m, market.span
	 where m.date between span.first_night and span.last_night
), placed as (
	select *,
		   (row_number() over of_line - 1) * least(40, count(*) over (partition by name)) / count(*) over (partition by name) as col,
		   min(value) over (partition by name) as low,
		   max(value) over (partition by name) as high,
		   first_value(value) over of_line as opening,
		   last_value(value) over (partition by name order by day
								   rows between unbounded preceding and unbounded following) as closing
	  from series
	window of_line as (partition by name order by day)
), drawn as (
	select distinct on (place, name, col) *,
		   substr('▁▂▃▄▅▆▇█', 1 + coalesce(round(7 * (value - low) / nullif(high - low, 0)), 0)::integer, 1) as mark
	  from placed
	 order by place, name, col, day desc
)
select name as fund,
	   round(opening, 2) as first,
	   string_agg(mark, '' order by col) as course,
	   round(closing, 2) as last,
	   round(low, 2) as lowest,
	   round(high, 2) as highest
  from drawn
 group by place, name, opening, closing, low, high
 order by place nulls last;

-- The largest fund, larger: ten rows of eighths, at most 72 columns.
\t on
\pset format unaligned
with fund as (
	select fund_id, name from fundes.fund_sheet order by nav desc, fund_id limit 1
), night as (
	select h.valuation_date as day, h.base_price as price,
		   (row_number() over (order by h.valuation_date) - 1) * least(72, count(*) over ()) / count(*) over () as col
	  from fundes.nav_history h join fund using (fund_id)
	 where h.is_current
), col as (
	select distinct on (col) col, day, price from night order by col, day desc
), scale as (
	select min(price) as low, max(price) as high,
		   greatest(1, 72 / count(*))::integer as width,
		   (select min(day) from night) as first_day, max(day) as last_day,
		   count(*)::integer as cols
	  from col
), level as (
	select r as row,
		   string_agg(repeat(substr(' ▁▂▃▄▅▆▇█', 1 + greatest(0, least(8, c.height - 8 * r)), 1), width), '' order by c.col) as bars
	  from generate_series(0, 9) r,
		   (select col, width,
				   1 + coalesce(round(79 * (price - low) / nullif(high - low, 0)), 0)::integer as height
			  from col, scale) c
	 group by r
)
select format(E'%12s   %s, cash a unit\n', '', name) from fund
 union all
select bars from (
select case row when 9 then format('%12s ┤', to_char(high, 'FM999,990.00'))
				when 0 then format('%12s ┤', to_char(low, 'FM999,990.00'))
				else format('%12s │', '') end || rtrim(bars) as bars
  from level, scale
 order by row desc) b
 union all
select format('%12s └%s', '', repeat('─', cols * width)) from scale
 union all
select format('%13s%s%s%s', '', first_day, repeat(' ', greatest(1, cols * width - 19)), last_day) from scale;

\echo
\echo :bold'A command that is refused':plain
\echo
-- The first fund wants a song that costs a won more than its cash.
select fund_id, capital_cash - liabilities + 1 as price,
	   market.at(last_night + 1, '18:00') as moment,
	   (select count(*) from fundes.event_log) as events
  from fundes.fund_sheet, market.span
 order by fund_id
 limit 1
\gset
select format(E'  select fundes.purchase_mcp(%s, ''MCP-0'', ''R-000000'', ''0'', price_cash => %s,\n                             effective_at => %L);\n',
			  :fund_id, :price, :'moment');
\set ON_ERROR_STOP off
\set VERBOSITY verbose
select fundes.purchase_mcp(:fund_id, 'MCP-0', 'R-000000', '0', price_cash => :price,
						   effective_at => :'moment');
\set VERBOSITY default
\set ON_ERROR_STOP on
select case when :'LAST_ERROR_SQLSTATE' = 'UF003' and count(*) = :events
			then format(E'\n  The log has %s events, as before.', to_char(count(*), 'FM999,999,999'))
	   end as unchanged
  from fundes.event_log
\gset
\if :{?unchanged}
	\echo :unchanged
\else
	do $$ begin raise exception 'the command was not refused, or left something behind'; end $$;
\endif

\echo
\echo :bold'Do the figures follow from the log and from the files?':plain
\echo
-- asset_value of each fund and night by the files alone: the last price x
-- units, or the cost of a song that had no price yet.
select count(*) as nights,
	   count(*) filter (where n.asset_value = f.asset_value) as equal
  from market.night n
  join market.fund using (fund_id),
	   lateral (
			select coalesce(sum(coalesce(round(q.price_krw_per_unit * s.units), s.price_cash)), 0) as asset_value
			  from market.song s
			  left join lateral (select price_krw_per_unit
								   from market.song_price_daily
								  where num = s.num and date <= n.valuation_date
								  order by date desc
								  limit 1) q on true
			 where s.genre = fund.genre and s.price_cash is not null
			   and s.bought_on <= n.valuation_date) f
\gset
select count(*) as differing from fundes.verify_projections()
\gset
select format('  Of %s nightly fund values, %s equal the sum of price x units in the files.',
			  to_char(:nights, 'FM999,999,999'), to_char(:equal, 'FM999,999,999'));
select format('  All %s events folded anew: %s rows of the projections differ.',
			  to_char(count(*), 'FM999,999,999'), :differing)
  from fundes.event_log;
select :nights = :equal and :differing = 0 as right
\gset
\if :right
\else
	do $$ begin raise exception 'the figures do not follow'; end $$;
\endif
