insert into event (stream, version, type, payload)
	select 's' || s || '-1', v, 'CopyrightBought', :'payload'
	  from generate_series(1, 10) v, generate_series(1, :streams) s;
vacuum analyze;
