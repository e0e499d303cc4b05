insert into messages (id, stream_name, position, type, data)
	select gen_random_uuid(), 's' || 1 + i % :streams || '-1', i / :streams, 'CopyrightBought', :'payload'
	  from generate_series(0, :count - 1) i;
vacuum analyze;
