select count(*) from generate_series(1, :streams) s,
	emt_append_to_stream(
		array(select gen_random_uuid()::text from generate_series(1, 10)),
		array_fill(:'payload'::jsonb, array[10]), array_fill('{}'::jsonb, array[10]),
		array_fill('1'::text, array[10]), array_fill('CopyrightBought'::text, array[10]),
		array_fill('E'::text, array[10]), 's' || s || '-1', 'unknown', null, 'emt' || chr(58) || 'default') \g /dev/null
vacuum analyze;
