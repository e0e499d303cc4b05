-- :count events, dealt out to :streams streams in turn.
select format($$
	select count(*) from fundes.append_batch(
		array(select 's' || 1 + i %% %1$s || '-1' from generate_series(%2$s, %3$s) i),
		array_fill('CopyrightBought'::text, array[%3$s - %2$s + 1]),
		array_fill(%4$L::jsonb, array[%3$s - %2$s + 1]))$$,
	:streams, b, least(b + 49999, :count - 1), :'payload')
  from generate_series(0, :count - 1, 50000) b \gexec
vacuum analyze;
