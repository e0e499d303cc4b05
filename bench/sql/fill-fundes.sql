select count(*) from fundes.append_batch(
	array(select 's' || s || '-1' from generate_series(1, 10) v, generate_series(1, :streams) s),
	array_fill('CopyrightBought'::text, array[10 * :streams]),
	array_fill(:'payload'::jsonb, array[10 * :streams])) \g /dev/null
vacuum analyze;
