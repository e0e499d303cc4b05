-- read_stream, stream_version, event_log.

begin;
\ir helper.inc
select no_plan();

select fundes.append('order-1', 'OrderPlaced', jsonb_build_object('n', n), metadata => '{"actor": "Kim"}',
					 effective_at => '2023-06-01 09:00')
  from generate_series(1, 1005) n order by n;
select fundes.append('order-2', 'OrderPlaced', '{"n": 0}');

create function pg_temp.versions(query text) returns text
language plpgsql as $$
declare
	r text;
begin
	execute format('select string_agg(version::text, '' '' order by ordinality)'
				   ' from (select version, row_number() over () as ordinality from (%s) q) q', query) into r;
	return r;
end
$$;

select is((select count(*) from fundes.read_stream('order-1')), 1000::bigint, 'max_count is 1000 by default');
select is((select count(*) from fundes.read_stream('order-1', max_count => null)), 1005::bigint, 'max_count NULL is no limit');
select is((select count(*) from fundes.read_stream('order-1', max_count => 0)), 0::bigint, 'max_count 0 is none');
select is(pg_temp.versions($$select * from fundes.read_stream('order-1', max_count => 3)$$), '1 2 3',
		  'from_version NULL is the start');
select is(pg_temp.versions($$select * from fundes.read_stream('order-1', max_count => 3, backward => true)$$), '1005 1004 1003',
		  'or the end where backward');
select is(pg_temp.versions($$select * from fundes.read_stream('order-1', 7, 3)$$), '7 8 9', 'from a version');
select is(pg_temp.versions($$select * from fundes.read_stream('order-1', 3, 10, true)$$), '3 2 1', 'backward from a version');
select is(pg_temp.versions($$select * from fundes.read_stream('order-1', 1004)$$), '1004 1005', 'to the end');
select is(pg_temp.versions($$select * from fundes.read_stream('order-1', 1006)$$), null, 'past the end: no rows');
select is(pg_temp.versions($$select * from fundes.read_stream('order-1', 2000, 2, true)$$), '1005 1004',
		  'backward from past the end: the end');
select is_empty($$select * from fundes.read_stream('order-3')$$, 'an absent stream reads as no rows');
select is_empty($$select * from fundes.read_stream('order-3', backward => true)$$, 'backward too');
select is_empty($$select * from fundes.read_stream('')$$, 'nor does a name that no stream can have');
select pg_temp.same(
	$$select stream, version, type, payload, metadata, effective_at from fundes.read_stream('order-1', 5, 1)$$,
	$$values ('order-1', 5::bigint, 'OrderPlaced', '{"n": 5}'::jsonb, '{"actor": "Kim"}'::jsonb, timestamptz '2023-06-01 09:00')$$,
	'an event as it was appended');
select pg_temp.same($$select * from fundes.read_stream('order-1', max_count => null)$$,
				  $$select * from fundes.event_log where stream = 'order-1' order by version$$, 'as event_log has it');
select ok((select bool_and(recorded_at between now() and clock_timestamp()) and min(recorded_at) < max(recorded_at)
			 from fundes.event_log where stream = 'order-1'),
		  'recorded_at is the clock, not the start of the transaction');
select is((select effective_at from fundes.read_stream('order-2')), now(), 'effective_at is now() where it is not given');

select is(fundes.stream_version('order-1'), 1005::bigint, 'stream_version: the last version');
select is(fundes.stream_version('order-3'), 0::bigint, 'stream_version: 0 where there is no such stream');
select is(fundes.stream_version('ORDER-1'), 0::bigint, 'names are compared byte by byte');

select pg_temp.refuses($$select * from fundes.read_stream(null)$$, '22004', 'stream is null');
select pg_temp.refuses($$select * from fundes.read_stream('order-1', backward => null)$$, '22004', 'backward is null');
select pg_temp.refuses($$select * from fundes.read_stream('order-1', 0)$$, '22023', 'from_version 0');
select pg_temp.refuses($$select * from fundes.read_stream('order-1', -1)$$, '22023', 'from_version -1');
select pg_temp.refuses($$select * from fundes.read_stream('order-1', max_count => -1)$$, '22023', 'max_count -1');
select pg_temp.refuses($$select fundes.stream_version(null)$$, '22004', 'stream_version of null');
select pg_temp.refuses($$select fundes.create_subscription('s', types => array['X', null])$$, '22004', 'a type of a filter is null');

set local transaction_read_only = on;
select is((select count(*) from fundes.read_stream('order-2')), 1::bigint, 'read_stream runs in a read-only transaction');
select is(fundes.stream_version('order-2'), 1::bigint, 'stream_version too');
select is((pg_temp.attempt($$select fundes.append('order-2', 'OrderPlaced', '{}')$$)).state, '25006', 'append does not');

select * from finish();
rollback;
