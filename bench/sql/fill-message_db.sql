insert into messages (id, stream_name, position, type, data)
	select gen_random_uuid(), 's' || s || '-1', v - 1, 'CopyrightBought', :'payload'
	  from generate_series(1, 10) v, generate_series(1, :streams) s;
vacuum analyze;
