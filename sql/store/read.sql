-- Reading the log.

create function fundes.read_stream(
	stream text, from_version bigint default null, max_count integer default 1000,
	backward boolean default false)
	returns setof fundes.event_log
	language c stable as 'MODULE_PATHNAME', 'fundes_read_stream';
comment on function fundes.read_stream(text, bigint, integer, boolean) is
$$The events of a stream in order of their versions, from from_version on (NULL: the start, or the end where backward), at most max_count (NULL: all).
An absent stream reads as no rows; the transaction's own events are among them.
Errors: 22004 stream or backward is null; 22023 from_version < 1 or max_count < 0.
Example: select version, type, payload from fundes.read_stream('fund-1');$$;

create function fundes.stream_version(stream text)
	returns bigint
	language c stable as 'MODULE_PATHNAME', 'fundes_stream_version';
comment on function fundes.stream_version(text) is
$$The version of a stream's last event, 0 where there is no such stream.
Errors: 22004 stream is null.
Example: select fundes.stream_version('fund-1');$$;
