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

-- Reading the whole log. A reader goes up to the watermark; see
-- src/store/watermark.c.

create function fundes.watermark()
	returns bigint
	language c as 'MODULE_PATHNAME', 'fundes_watermark';
comment on function fundes.watermark() is
$$The position up to which the log is settled: whatever is or will ever be there can be seen by now. With no append in progress, the highest position handed out; 0 in a log that has none.
Errors: 0A000 in REPEATABLE READ and SERIALIZABLE, and on a standby.
Example: select fundes.watermark();$$;

create function fundes.read_all(
	after_position bigint default 0, max_count integer default 1000,
	categories text[] default null, types text[] default null)
	returns setof fundes.event_log
	language c as 'MODULE_PATHNAME', 'fundes_read_all';
comment on function fundes.read_all(bigint, integer, text[], text[]) is
$$The events after a position in the order of positions, up to the watermark, at most max_count (NULL: all), of these categories and types only (NULL: any; an empty array matches nothing).
Called again and again with the last position it gave, it gives every committed event once. It takes a snapshot of its own, and does not pass the own transaction's append in progress.
Errors: 22004 after_position or an element of a filter is null; 22023 after_position < 0, max_count < 0 or a filter of more than one dimension; 0A000 in REPEATABLE READ and SERIALIZABLE, and on a standby.
Example: select position, stream, type from fundes.read_all(0, 100, types => array['OrderPlaced']);$$;

create function fundes.read_correlation(
	id text, after_position bigint default 0, max_count integer default 1000)
	returns setof fundes.event_log
	language c as 'MODULE_PATHNAME', 'fundes_read_correlation';
comment on function fundes.read_correlation(text, bigint, integer) is
$$The events whose metadata have this correlation_id, after a position in the order of positions, up to the watermark, at most max_count (NULL: all). Reads the whole log unless create_filter_index('correlation_id') was called.
Errors: 22004 id or after_position is null; 22023 after_position < 0 or max_count < 0; 0A000 in REPEATABLE READ and SERIALIZABLE, and on a standby.
Example: select stream, type from fundes.read_correlation('request-81');$$;

-- One row an index that was asked for: a dump takes it along, and the trigger
-- makes the index where the dump is restored.
create table fundes.filter_index (
	what	text collate "C" primary key
);
comment on table fundes.filter_index is 'Filter indexes that were asked for (internal)';
select pg_catalog.pg_extension_config_dump('fundes.filter_index', '');

create function fundes.make_filter_index() returns trigger
	language c as 'MODULE_PATHNAME', 'fundes_make_filter_index';
comment on function fundes.make_filter_index() is 'Trigger that makes a filter index (internal)';
create trigger make_filter_index after insert on fundes.filter_index
	for each row execute function fundes.make_filter_index();
alter table fundes.filter_index enable always trigger make_filter_index;

create function fundes.create_filter_index(what text)
	returns void
	language c as 'MODULE_PATHNAME', 'fundes_create_filter_index';
comment on function fundes.create_filter_index(text) is
$$Makes an index for filters that match rarely: 'type' or 'category', which read_all and poll then use (with at most 64 values in the filter), or 'correlation_id', which read_correlation then uses. Calling it again does nothing. Appends wait while the index is built.
Errors: 22004 what is null; 22023 what is none of the three.
Example: select fundes.create_filter_index('type');$$;

-- Locks of class LOCK_POSITION (0xFDE0, -544 in 16 bits with a sign, see
-- src/locks.h) mark appends in progress. A prepared transaction has no
-- process; it is found by the transaction id that it keeps locked.
create view fundes.appends_in_progress as
select l.pid,
	   coalesce(a.xact_start, p.prepared) as started_at,
	   ((l.classid::bigint << 32) | l.objid::bigint) + 1 as from_position,
	   p.gid as prepared
  from pg_catalog.pg_locks l
  left join pg_catalog.pg_stat_activity a on a.pid = l.pid
  left join (pg_catalog.pg_locks x
			 join pg_catalog.pg_prepared_xacts p on p.transaction = x.transactionid)
	on l.pid is null and x.pid is null and x.virtualtransaction = l.virtualtransaction
   and x.locktype = 'transactionid'
 where l.locktype = 'advisory' and l.objsubid = -544 and l.granted
   and l.database = (select oid from pg_catalog.pg_database
					  where datname = pg_catalog.current_database());
comment on view fundes.appends_in_progress is
$$Transactions that have appended and are still open: what holds readers of the whole log back. The lowest from_position less one is the watermark.
Example: select pid, now() - started_at as age, prepared from fundes.appends_in_progress order by from_position;$$;
comment on column fundes.appends_in_progress.pid is 'The process, null for a prepared transaction';
comment on column fundes.appends_in_progress.started_at is 'When the transaction began, or was prepared; null where the reader may not see others'' activity (pg_read_all_stats)';
comment on column fundes.appends_in_progress.from_position is 'The lowest position that it may have';
comment on column fundes.appends_in_progress.prepared is 'The name given in PREPARE TRANSACTION, else null';
