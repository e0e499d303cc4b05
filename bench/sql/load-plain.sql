insert into event (stream, version, type, payload)
	select 's' || 1 + i % :streams || '-1', 1 + i / :streams, 'CopyrightBought', :'payload'
	  from generate_series(0, :count - 1) i;
vacuum analyze;
