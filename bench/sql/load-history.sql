-- Ten years of a fund: count royalties of one copyright, a valuation a day; of
-- so many (late_one_in; 0: none) royalties one comes a hundred days late. The
-- fund is new.
select fundes.create_fund('History ' || :f, effective_at => '2010-01-01', time_zone => 'UTC') as f \gset
select fundes.create_investment('seed', :f, 1000000, effective_at => '2010-01-02') \g /dev/null
select fundes.purchase_mcp(:f, 'H' || :f, 'R', 'S', 100000, effective_at => '2010-01-03') as asset \gset
select format($$
	select count(*) from (
		select array_agg('fund-%1$s'::text) as streams, array_agg(type order by at) as types,
			   array_agg(payload order by at) as payloads, array_agg(at - late order by at) as moments
		  from (
		select 'RoyaltyReceived'::text as type,
			   jsonb_build_object('fund_id', %1$s, 'asset_id', %2$s, 'amount', i %% 90 + 10, 'period', null) as payload,
			   at,
			   case when i %% nullif(%6$s, 0) = 0 and at > '2010-06-01' then interval '100 days' else interval '0' end as late
		  from generate_series(%3$s::bigint, %4$s) i,
			   lateral (select timestamptz '2010-01-04 00:00:01Z' + i * (interval '3650 days' / %5$s) as at) t
		union all
		select 'FundValued',
			   jsonb_build_object('fund_id', %1$s, 'valuation_date', d.day, 'revision', 1,
					'values', jsonb_build_object('%2$s', 100000 + (d.day - date '2010-01-01') %% 100), 'sources', '{}'::jsonb,
					'stale', '[]'::jsonb, 'asset_value', 100000 + (d.day - date '2010-01-01') %% 100,
					'capital_cash', 0, 'liabilities', 0, 'nav', 100000 + (d.day - date '2010-01-01') %% 100,
					'total_supply', 1000, 'base_price', 1000),
			   (d.day + 1)::timestamp at time zone 'UTC', interval '0'
		  from (select date '2010-01-03' + n as day from generate_series(0, 3649) n) d
		 where (d.day + 1)::timestamp at time zone 'UTC' > timestamptz '2010-01-04 00:00:01Z' + (%3$s - 1) * (interval '3650 days' / %5$s)
		   and (d.day + 1)::timestamp at time zone 'UTC' <= timestamptz '2010-01-04 00:00:01Z' + %4$s * (interval '3650 days' / %5$s)) events) e,
		fundes.append_batch(streams, types, payloads, effective_at => moments)$$,
	:f, :asset, b, least(b + 9999, :count), :count, :late_one_in)
  from generate_series(1, :count, 10000) b \gexec
