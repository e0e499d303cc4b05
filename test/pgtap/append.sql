-- append and append_batch: arguments, expectations, replay, order of the rules.

begin;
\ir helper.inc
select no_plan();

-- What append returned, with the id and position left out.
create function pg_temp.appended(query text) returns text
language plpgsql as $$
declare
	r text;
begin
	execute format('select string_agg(stream || '' '' || version || case when replayed then '' replayed'' else '''' end, '', '' order by n)'
				   ' from (select *, row_number() over () as n from (%s) q) q', query) into r;
	return r;
end
$$;

-- DETAIL of a refusal as JSON.
create function pg_temp.detail(command text) returns jsonb
language sql as $$ select (pg_temp.attempt(command)).detail::jsonb $$;

-- One event.
select is(pg_temp.appended($$select * from fundes.append('order-1', 'OrderPlaced', '{"sum": 12}')$$), 'order-1 1',
		  'the first event of a stream is version 1');
select is(pg_temp.appended($$select * from fundes.append('order-1', 'OrderPaid', '{}')$$), 'order-1 2', 'the next is 2');
select is(pg_temp.appended($$select * from fundes.append('order-2', 'OrderPlaced', '{}')$$), 'order-2 1', 'streams count for themselves');
select is(pg_temp.appended($$select * from fundes.append('Order-1', 'OrderPlaced', '{}')$$), 'Order-1 1',
		  'names are compared byte by byte');
select is(pg_temp.appended($$select * from fundes.append('journal', 'Entry', '{}')$$), 'journal 1', 'a name needs no category');
select stream, version, position, event_id
  from fundes.append('order-3', 'OrderPlaced', '{"sum": 1}', metadata => '{"actor": "Kim"}', effective_at => '2023-06-01') \gset
select pg_temp.same(
	$$select version, position, event_id, type, payload, metadata, effective_at from fundes.event_log where stream = 'order-3'$$,
	format($$values (%s::bigint, %s::bigint, %L::uuid, 'OrderPlaced', '{"sum": 1}'::jsonb, '{"actor": "Kim"}'::jsonb, timestamptz '2023-06-01')$$,
		   :version, :position, :'event_id'),
	'what append returns is what the log has');
select ok((select bool_and(event_id::text ~ '^.{14}7.{4}[89ab]') from fundes.event_log), 'ids that fundes makes are UUIDv7');
select ok((select bool_and(later.position > earlier.position and later.event_id > earlier.event_id)
			 from fundes.event_log earlier join fundes.event_log later on later.stream = earlier.stream and later.version = earlier.version + 1),
		  'positions and made ids grow with the versions');

-- Arguments.
select pg_temp.refuses($$select fundes.append(null, 'X', '{}')$$, '22004', 'stream is null');
select pg_temp.refuses($$select fundes.append('order-1', null, '{}')$$, '22004', 'type is null');
select pg_temp.refuses($$select fundes.append('order-1', 'X', null)$$, '22004', 'payload is null');
select pg_temp.refuses(format('select fundes.append(%L, ''X'', ''{}'')', name), '22023', 'stream ' || rule)
  from (values ('', 'is empty'), ('-1', 'starts with -'), (e'a\x01b', 'has a C0 character'), (e'a\nb', 'has a newline'),
			   (e'a\x7f', 'has DEL')) v(name, rule);
select pg_temp.refuses(format('select fundes.append(''order-1'', %L, ''{}'')', name), '22023', 'type ' || rule)
  from (values ('', 'is empty'), ('-X', 'starts with -'), (e'a\tb', 'has a C0 character'), (e'\x7f', 'has DEL')) v(name, rule);
select pg_temp.accepts(format('select fundes.append(%L, %L, ''{}'')', name, name), 'a name of 255 bytes: ' || left(name, 1))
  from (values (repeat('a', 255)), (repeat('é', 127) || 'a')) v(name);
select pg_temp.refuses(format('select fundes.append(%L, ''X'', ''{}'')', name), '22001', 'a stream of 256 bytes: ' || left(name, 1))
  from (values (repeat('a', 256)), (repeat('é', 128))) v(name);
select pg_temp.refuses(format('select fundes.append(''order-1'', %L, ''{}'')', name), '22001', 'a type of 256 bytes: ' || left(name, 1))
  from (values (repeat('a', 256)), (repeat('é', 128))) v(name);
select pg_temp.refuses(format('select fundes.append(''order-1'', ''X'', %L)', payload), '22023', 'a payload that is no object: ' || payload)
  from unnest(array['[]', 'null', '1', '"x"', 'true']) payload;
select pg_temp.refuses(format('select fundes.append(''order-1'', ''X'', ''{}'', metadata => %L)', metadata), '22023', 'metadata that is no object: ' || metadata)
  from unnest(array['[]', 'null', '1', '"x"']) metadata;
select pg_temp.refuses(format('select fundes.append(''order-1'', ''X'', ''{}'', effective_at => %L)', at), '22023', 'effective_at ' || at)
  from unnest(array['infinity', '-infinity']) at;
select pg_temp.refuses(format('select fundes.append(''order-1'', ''X'', ''{}'', expected_version => %s)', n), '22023', 'expected_version ' || n)
  from unnest(array[-1, -2, -3, -5, -9223372036854775808]) n;
select ok(hint ~ '\m0\M' and hint ~ '-4' and hint ~* 'null', 'and the hint lists what there is: ' || hint)
  from pg_temp.attempt($$select fundes.append('order-1', 'X', '{}', expected_version => -1)$$);

-- Size.
select pg_temp.refuses($$select fundes.append('big-1', 'X', jsonb_build_object('a', repeat('x', 1100000)))$$, '54000',
					   'an event over 1 MB');
select pg_temp.accepts($$select fundes.append('big-1', 'X', jsonb_build_object('a', repeat('x', 900000)))$$, 'one of 900 kB');
set local fundes.max_event_size = '100kB';
select pg_temp.refuses($$select fundes.append('big-1', 'X', jsonb_build_object('a', repeat('x', 110000)))$$, '54000',
					   'fundes.max_event_size is what counts');
select pg_temp.refuses($$select * from fundes.append_batch(array['big-1','big-1'], array['X','X'],
							array['{}', jsonb_build_object('a', repeat('x', 110000))])$$, '54000', 'in a batch too');
select pg_temp.refuses($$select fundes.append('big-1', 'X', '{}', metadata => jsonb_build_object('a', repeat('x', 110000)))$$, '54000',
					   'metadata is part of the event');
reset fundes.max_event_size;

-- Reserved categories and built-in types.
select pg_temp.refuses(format('select fundes.append(%L, ''OrderPlaced'', ''{}'')', name), '22023', 'a type of one''s own in ' || name)
  from unnest(array['fund-1', 'fund', 'holding-1-A', 'investor-A', 'index-MCPI', 'index']) name;
select pg_temp.refuses($$select fundes.append('order-1', 'FeeAccrued', '{"fund_id": 1, "amount": 1, "kind": "x"}')$$, '22023',
					   'a built-in type in a category of one''s own');
select pg_temp.refuses($$select * from fundes.append_batch(array['order-1','fund-1'], array['X','X'], array['{}','{}']::jsonb[])$$, '22023',
					   'a reserved category in a batch');
select pg_temp.accepts($$select fundes.append('funds-1', 'X', '{}')$$, 'funds is not fund');
select pg_temp.accepts($$select fundes.append('Fund-1', 'X', '{}')$$, 'nor is Fund');

-- Expectations: what is expected of a stream with two events, and of one that
-- is not there.
select pg_temp.accepts(format('select fundes.append(''order-1'', ''X'', ''{}'', expected_version => %s)', e), 'order-1 is as expected: ' || e)
  from unnest(array['null', '3', '-4', '5']) with ordinality u(e, n) order by n;
select is(fundes.stream_version('order-1'), 6::bigint, 'and each was written');
select pg_temp.accepts(format('select fundes.append(%L, ''X'', ''{}'', expected_version => %s)', name, e), name || ' is as expected: ' || e)
  from (values ('absent-1', 'null'), ('absent-2', '0')) v(name, e);
select is((pg_temp.attempt(format('select fundes.append(''overtaken-%s'', ''X'', ''{}'', expected_version => %s)', n, e))).hint ~ 'meanwhile', said, rule)
  from (select fundes.append('overtaken-1', 'X', '{}')) a,
	   (values (1, 0, true, 'who is overtaken is told'), (1, 2, false, 'nobody appended where there are fewer events'),
			   (2, 7, false, 'nor where there are none'), (2, -4, false, 'nor where there must be some')) v(n, e, said, rule);
select pg_temp.refuses(format('select fundes.append(%L, ''X'', ''{}'', expected_version => %s)', name, e), 'UF021', rule)
  from (values ('order-1', 0, 'expected empty, has six'), ('order-1', 5, 'expected 5, has six'), ('order-1', 7, 'expected 7, has six'),
			   ('absent-3', 1, 'expected 1, is absent'), ('absent-3', -4, 'must not be empty, is absent')) v(name, e, rule);
select is(pg_temp.detail(format('select fundes.append(%L, ''X'', ''{}'', expected_version => %s)', name, e)),
		  jsonb_build_array(jsonb_build_object('stream', name, 'expected', e, 'actual', actual)), 'DETAIL of UF021: ' || name || ' ' || e)
  from (values ('order-1', 0, 6), ('order-1', 5, 6), ('absent-3', 1, 0), ('absent-3', -4, 0)) v(name, e, actual);
select is(fundes.stream_version('absent-3'), 0::bigint, 'a stream that was only checked is not made');

-- Batches.
select is(pg_temp.appended($$select * from fundes.append_batch(array['a-1','b-1','a-1'], array['X','Y','Z'], array['{"n":1}','{"n":2}','{"n":3}']::jsonb[])$$),
		  'a-1 1, b-1 1, a-1 2', 'a batch may mix streams in any order');
select pg_temp.same(
	$$select stream, version, type, payload from fundes.event_log where stream in ('a-1', 'b-1') order by position$$,
	$$values ('a-1', 1::bigint, 'X', '{"n": 1}'::jsonb), ('b-1', 1, 'Y', '{"n": 2}'), ('a-1', 2, 'Z', '{"n": 3}')$$,
	'positions rise in the order given');
select is(pg_temp.appended($$select * from fundes.append_batch(array['a-1','c-1','b-1','a-1'], array['X','X','X','X'],
			array['{}','{}','{}','{}']::jsonb[], expected_streams => array['b-1','a-1','c-1','d-1'], expected_versions => array[1,2,0,0])$$),
		  'a-1 3, c-1 1, b-1 2, a-1 4', 'expectations stand per stream, and for streams that are not written');
select is(fundes.stream_version('d-1'), 0::bigint, 'checking a stream does not create it');
select pg_temp.accepts($$select * from fundes.append_batch(array['a-1'], array['X'], array['{}']::jsonb[],
			expected_streams => array['a-1','b-1'], expected_versions => array[null,-4]::bigint[])$$, 'a NULL expectation is any');
select pg_temp.refuses($$select * from fundes.append_batch(array['a-1','e-1'], array['X','X'], array['{}','{}']::jsonb[],
			expected_streams => array['a-1','b-1','e-1'], expected_versions => array[5,7,3])$$, 'UF021', 'a batch is all or nothing');
select is((select jsonb_agg(d order by d ->> 'stream') from jsonb_array_elements(pg_temp.detail(
			$$select * from fundes.append_batch(array['a-1','e-1'], array['X','X'], array['{}','{}']::jsonb[],
				expected_streams => array['a-1','b-1','e-1'], expected_versions => array[5,7,3])$$)) d),
		  '[{"stream": "b-1", "expected": 7, "actual": 2}, {"stream": "e-1", "expected": 3, "actual": 0}]'::jsonb,
		  'DETAIL lists every stream that missed, and no other');
select is((select count(*) from fundes.append_batch('{}', '{}', '{}')), 0::bigint, 'an empty batch returns no rows');
select pg_temp.writes_nothing($$select * from fundes.append_batch('{}', '{}', '{}', expected_streams => array['a-1','zz-1'],
			expected_versions => array[5,0])$$, 'with expectations it checks them: right');
select pg_temp.refuses($$select * from fundes.append_batch('{}', '{}', '{}', expected_streams => array['a-1'], expected_versions => array[0])$$,
					   'UF021', 'with expectations it checks them: wrong');
select pg_temp.same(
	$$with w as (select * from fundes.append_batch(array['f-1','f-1'], array['X','X'], array['{}','{}']::jsonb[],
			event_ids => array['10000000-0000-4000-8000-000000000001', null]::uuid[],
			metadata => array[null, '{"actor": "Kim"}']::jsonb[],
			effective_at => array[null, '2023-06-01 09:00']::timestamptz[]))
	  select version, event_id = '10000000-0000-4000-8000-000000000001', replayed from w$$,
	$$values (1::bigint, true, false), (2, false, false)$$, 'NULL elements of ids, metadata and effective_at');
select pg_temp.same($$select metadata, effective_at from fundes.event_log where stream = 'f-1' order by version$$,
				  $$values (null::jsonb, now()), ('{"actor": "Kim"}'::jsonb, timestamptz '2023-06-01 09:00')$$, 'stand for none, and for now()');

select pg_temp.refuses('select * from fundes.append_batch(' || arguments || ')', code, 'batch: ' || rule)
  from (values
	($$null, '{}', '{}'$$, '22004', 'streams is null'),
	($$'{}', null, '{}'$$, '22004', 'types is null'),
	($$'{}', '{}', null$$, '22004', 'payloads is null'),
	($$array['a-1', null], array['X','X'], array['{}','{}']::jsonb[]$$, '22004', 'a stream is null'),
	($$array['a-1','a-1'], array['X',null], array['{}','{}']::jsonb[]$$, '22004', 'a type is null'),
	($$array['a-1','a-1'], array['X','X'], array['{}',null]::jsonb[]$$, '22004', 'a payload is null'),
	($$array['a-1','a-1'], array['X'], array['{}','{}']::jsonb[]$$, '22023', 'types of another length'),
	($$array['a-1','a-1'], array['X','X'], array['{}']::jsonb[]$$, '22023', 'payloads of another length'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], event_ids => '{}'$$, '22023', 'event_ids of another length'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], metadata => array['{}','{}']::jsonb[]$$, '22023', 'metadata of another length'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], effective_at => array[now(),now()]$$, '22023', 'effective_at of another length'),
	($$array[array['a-1']], array[array['X']], array[array['{}'::jsonb]]$$, '22023', 'two dimensions'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], expected_streams => array['a-1']$$, '22023', 'expected_streams alone'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], expected_versions => array[1]$$, '22023', 'expected_versions alone'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], expected_streams => array['a-1','b-1'], expected_versions => array[1]$$, '22023', 'expectations of different length'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], expected_streams => array['b-1','b-1'], expected_versions => array[2,2]$$, '22023', 'a stream twice among the expectations'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], expected_streams => array[null], expected_versions => array[2]$$, '22004', 'an expected stream is null'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], expected_streams => array['b-1'], expected_versions => array[-1]$$, '22023', 'an expectation of -1'),
	($$array['a-1','-1'], array['X','X'], array['{}','{}']::jsonb[]$$, '22023', 'a bad name'),
	($$array['a-1', repeat('a', 256)], array['X','X'], array['{}','{}']::jsonb[]$$, '22001', 'a name that is too long'),
	($$array['a-1','a-1'], array['X','X'], array['{}','[]']::jsonb[]$$, '22023', 'a payload that is no object'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], metadata => array['[]']::jsonb[]$$, '22023', 'metadata that is no object'),
	($$array['a-1'], array['X'], array['{}']::jsonb[], effective_at => array['infinity']::timestamptz[]$$, '22023', 'effective_at infinity')
  ) v(arguments, code, rule);
select pg_temp.refuses(
	$$select * from fundes.append_batch(array_fill('a-1'::text, array[100001]), array_fill('X'::text, array[100001]), array_fill('{}'::jsonb, array[100001]))$$,
	'22023', 'batch: 100,001 events');
select is((select count(*) || ' ' || max(version) from fundes.append_batch(array_fill('many-1'::text, array[100000]), array_fill('X'::text, array[100000]), array_fill('{}'::jsonb, array[100000]))),
		  '100000 100000', 'batch: 100,000 events are allowed');

-- Replay.
create temporary table id as
select n, ('20000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as id from generate_series(1, 9) n;
create function pg_temp.id(n integer) returns uuid language sql as $$ select id from id where id.n = $1 $$;

select is(pg_temp.appended($$select * from fundes.append('r-1', 'X', '{"a": 1, "b": [1]}', event_id => pg_temp.id(1), effective_at => '2023-06-01')$$),
		  'r-1 1', 'an id that the caller gives');
select is(pg_temp.result($$select event_id, stream, version, position from fundes.append('r-1', 'X', '{"b": [1], "a": 1.0}', event_id => pg_temp.id(1), effective_at => '2023-06-01')$$),
		  pg_temp.result($$select event_id, stream, version, position from fundes.event_log where event_id = pg_temp.id(1)$$),
		  'the same call again returns the first result');
select pg_temp.writes_nothing($$select fundes.append('r-1', 'X', '{"a": 1, "b": [1]}', event_id => pg_temp.id(1))$$, 'and writes nothing');
select is(pg_temp.appended($$select * from fundes.append('r-1', 'X', '{"a": 1, "b": [1]}', event_id => pg_temp.id(1))$$), 'r-1 1 replayed',
		  'effective_at counts where it is given');
select is(pg_temp.appended($$select * from fundes.append('r-1', 'X', '{"a": 1, "b": [1]}', event_id => pg_temp.id(1), metadata => '{"trace": 2}')$$), 'r-1 1 replayed',
		  'metadata is not compared');
select is(pg_temp.appended($$select * from fundes.append('r-1', 'X', '{"a": 1, "b": [1]}', expected_version => 77, event_id => pg_temp.id(1))$$), 'r-1 1 replayed',
		  'a replay is found whatever the versions are by now');
select is(pg_temp.appended(format($$select * from fundes.append('order-3', 'OrderPlaced', '{"sum": 1}', event_id => %L)$$, event_id)), 'order-3 1 replayed',
		  'an id that fundes made is a key too')
  from fundes.event_log where stream = 'order-3';

select pg_temp.refuses('select fundes.append(' || arguments || ', event_id => pg_temp.id(1))', 'UF008', 'replay with another ' || field)
  from (values ($$'r-2', 'X', '{"a": 1, "b": [1]}'$$, 'stream'), ($$'r-1', 'Y', '{"a": 1, "b": [1]}'$$, 'type'),
			   ($$'r-1', 'X', '{"a": 2, "b": [1]}'$$, 'payload'), ($$'r-1', 'X', '{"a": 1, "b": [1]}', effective_at => '2023-06-02'$$, 'effective_at')) v(arguments, field);
select is(pg_temp.detail('select fundes.append(' || arguments || ', event_id => pg_temp.id(1))'),
		  jsonb_build_object('event_id', pg_temp.id(1), 'field', field), 'DETAIL of UF008: ' || field)
  from (values ($$'r-2', 'X', '{"a": 1, "b": [1]}'$$, 'stream'), ($$'r-1', 'Y', '{"a": 1, "b": [1]}'$$, 'type'),
			   ($$'r-1', 'X', '{"a": 2, "b": [1]}'$$, 'payload'), ($$'r-1', 'X', '{"a": 1, "b": [1]}', effective_at => '2023-06-02'$$, 'effective_at')) v(arguments, field);

select is(pg_temp.appended($$select * from fundes.append_batch(array['s-1','t-1','s-1'], array['X','X','X'], array['{"n":2}','{"n":3}','{"n":4}']::jsonb[],
			event_ids => array[pg_temp.id(2), pg_temp.id(3), pg_temp.id(4)])$$), 's-1 1, t-1 1, s-1 2', 'a batch with ids');
select is(pg_temp.appended($$select * from fundes.append_batch(array['s-1','t-1','s-1'], array['X','X','X'], array['{"n":2}','{"n":3}','{"n":4}']::jsonb[],
			event_ids => array[pg_temp.id(2), pg_temp.id(3), pg_temp.id(4)], expected_streams => array['s-1'], expected_versions => array[0])$$),
		  's-1 1 replayed, t-1 1 replayed, s-1 2 replayed', 'replayed');
select is(pg_temp.appended($$select * from fundes.append_batch(array['t-1','s-1'], array['X','X'], array['{"n":3}','{"n":4}']::jsonb[],
			event_ids => array[pg_temp.id(3), pg_temp.id(4)])$$), 't-1 1 replayed, s-1 2 replayed', 'a part of an earlier batch is a replay');
select is(pg_temp.appended($$select * from fundes.append_batch(array['r-1','s-1'], array['X','X'], array['{"a":1,"b":[1]}','{"n":4}']::jsonb[],
			event_ids => array[pg_temp.id(1), pg_temp.id(4)])$$), 'r-1 1 replayed, s-1 2 replayed', 'so are ids of two calls');
select is(pg_temp.detail($$select * from fundes.append_batch(array['s-1','t-1'], array['X','X'], array['{"n":4}','{"n":3}']::jsonb[],
			event_ids => array[pg_temp.id(4), pg_temp.id(3)])$$) ->> 'field', 'order', 'UF008 in another order: field order');
create temporary table partly as
select $$select * from fundes.append_batch(array['t-1','u-1'], array['X','X'], array['{"n":3}','{}']::jsonb[],
			event_ids => array[pg_temp.id(3), %s])$$ as command;
select pg_temp.refuses(format(command, 'pg_temp.id(5)'), 'UF008', 'some of the ids are known') from partly;
select is(pg_temp.detail(format(command, 'pg_temp.id(5)')) ->> 'field', 'known', 'DETAIL: field known') from partly;
select pg_temp.refuses(format(command, 'null'), 'UF008', 'an id that is known beside an event without one') from partly;
select is(pg_temp.detail($$select * from fundes.append_batch(array['s-1','t-1'], array['X','X'], array['{"n":2}','{"n":9}']::jsonb[],
			event_ids => array[pg_temp.id(2), pg_temp.id(3)])$$), jsonb_build_object('event_id', pg_temp.id(3), 'field', 'payload'),
		  'DETAIL names the first id and field that differ');
select pg_temp.refuses($$select * from fundes.append_batch(array['v-1','v-1'], array['X','X'], array['{}','{}']::jsonb[],
			event_ids => array[pg_temp.id(6), pg_temp.id(6)])$$, 'UF008', 'the same id twice in one batch');
select pg_temp.refuses($$select * from fundes.append_batch(array['s-1','s-1'], array['X','X'], array['{"n":2}','{"n":2}']::jsonb[],
			event_ids => array[pg_temp.id(2), pg_temp.id(2)])$$, 'UF008', 'the same known id twice in one batch');

-- Order of the rules.
create type public.order_counted as (n integer);
select fundes.define_event_type('OrderCounted', 'public.order_counted');
select fundes.append('order-9', 'OrderCounted', '{"n": 1}', event_id => pg_temp.id(7));
select pg_temp.refuses($$select fundes.append('order-9', 'OrderCounted', '[]', event_id => pg_temp.id(7))$$, '22023', 'arguments before replay');
select pg_temp.refuses($$select fundes.append('order-9', 'OrderCounted', '{"n": "x"}', expected_version => 9, event_id => pg_temp.id(7))$$, 'UF008',
					   'replay before the payload''s type');
select pg_temp.refuses($$select fundes.append('order-9', 'OrderCounted', '{"n": "x"}', expected_version => 9)$$, 'UF023',
					   'the payload''s type before expectations');
select pg_temp.refuses($$select fundes.append('order-9', 'OrderCounted', '{"n": 1}', expected_version => 9)$$, 'UF021', 'then expectations');

select is_empty(
	$$select stream from fundes.event_log group by 1 having max(version) <> count(*) or min(version) <> 1$$,
	'versions have no holes');
select is((select count(distinct position) - count(*) from fundes.event_log), 0::bigint, 'positions are unique');
select is((select count(distinct event_id) - count(*) from fundes.event_log), 0::bigint, 'ids are unique');

select * from finish();
rollback;
