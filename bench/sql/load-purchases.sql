-- count purchases, dealt out to the funds first_fund .. last_fund; asset ids
-- follow on first_asset. Many batches, each a transaction of its own.
select format($$
	select count(*) from fundes.append_batch(
		array(select 'fund-' || %1$s + i %% (%2$s - %1$s + 1) from generate_series(%3$s, %4$s) i),
		array_fill('McpPurchased'::text, array[%4$s - %3$s + 1]),
		array(select jsonb_build_object('fund_id', %1$s + i %% (%2$s - %1$s + 1),
					'asset_id', %5$s + i, 'copyright_code', 'K' || %5$s + i,
					'registration_number', 'R-0012345', 'music_id', 'S-000123456',
					'price_cash', 1000, 'estimated_value_cash', null,
					'acquisition_date', current_date - 20)
				from generate_series(%3$s, %4$s) i),
		effective_at => array_fill(now() - interval '20 days', array[%4$s - %3$s + 1]))$$,
	:first_fund, :last_fund, b, least(b + 9999, :count - 1), :first_asset)
  from generate_series(0, :count - 1, 10000) b \gexec
