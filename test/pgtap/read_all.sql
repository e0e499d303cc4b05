-- read_all, read_correlation, watermark, appends_in_progress, filter indexes.
--
-- A transaction does not pass its own appends, so what is read must have been
-- committed: this file makes a store of its own and commits.

\set QUIET 1
set client_min_messages = warning;
drop extension if exists fundes cascade;
create extension fundes;
create extension if not exists pgtap;

select no_plan();
select is(fundes.watermark(), 0::bigint, 'the watermark of a virgin log is 0');
select is_empty('select * from fundes.read_all()', 'a virgin log reads as no rows');

-- position n: category a, b, or ab; type X for all but every tenth
select fundes.append(case n % 3 when 0 then 'a-' || n when 1 then 'b-1' else 'ab' end,
					 case when n % 10 = 0 then 'Y' else 'X' end, jsonb_build_object('n', n),
					 metadata => case when n % 25 = 0 then jsonb_build_object('correlation_id', 'c-' || n / 50)
									  when n = 7 then '{"correlation_id": 12}' when n = 8 then '{"correlation_id": null}' end)
  from generate_series(1, 1100) n order by n \g /dev/null

create function pg_temp.positions(query text) returns text
language plpgsql as $$
declare
	r text;
begin
	execute format('select string_agg(position::text, '' '' order by ordinality)'
				   ' from (select position, row_number() over () as ordinality from (%s) q) q', query) into r;
	return r;
end
$$;

select is(fundes.watermark(), 1100::bigint, 'with nothing in progress, the watermark is the highest position handed out');
select results_eq('select * from fundes.read_all(max_count => null)', 'select * from fundes.event_log order by position',
				  'all columns are as event_log has them, in the order of positions');
select is((select count(*) from fundes.read_all()), 1000::bigint, 'max_count is 1000 by default');
select is((select count(*) from fundes.read_all(max_count => 0)), 0::bigint, 'max_count 0 is none');
select is(pg_temp.positions('select * from fundes.read_all(1098)'), '1099 1100', 'after a position');
select is_empty('select * from fundes.read_all(1100)', 'past the end: no rows');
select is_empty('select * from fundes.read_all(9223372036854775807)', 'far past the end: no rows');

-- Filters, with and without their indexes: the same.
create function pg_temp.filtered() returns setof text
language plpgsql as $$
begin
	return next is(pg_temp.positions($q$select * from fundes.read_all(0, 4, categories => '{a}')$q$), '3 6 9 12', 'a category');
	return next is(pg_temp.positions($q$select * from fundes.read_all(0, 4, categories => '{ab}')$q$), '2 5 8 11',
				   'a name without - is its own category, and not part of another');
	return next is(pg_temp.positions($q$select * from fundes.read_all(0, 5, categories => '{a,ab,a}')$q$), '2 3 5 6 8', 'several categories, merged');
	return next is(pg_temp.positions($q$select * from fundes.read_all(5, 3, types => '{Y}')$q$), '10 20 30', 'a type');
	return next is((select count(*) from fundes.read_all(max_count => null, types => '{Y,X}')), 1100::bigint, 'several types');
	return next is(pg_temp.positions($q$select * from fundes.read_all(0, 3, '{b}', '{Y}')$q$), '10 40 70', 'category and type');
	return next is_empty($q$select * from fundes.read_all(categories => '{}')$q$, 'an empty filter of categories matches nothing');
	return next is_empty($q$select * from fundes.read_all(types => '{}')$q$, 'an empty filter of types matches nothing');
	return next is_empty($q$select * from fundes.read_all(types => '{Z}')$q$, 'a type that was never used matches nothing');
	return next is_empty($q$select * from fundes.read_all(categories => '{A,""}')$q$, 'names are compared byte by byte');
	return next is(pg_temp.positions($q$select * from fundes.read_correlation('c-1')$q$), '50 75', 'a correlation id');
	return next is(pg_temp.positions($q$select * from fundes.read_correlation('c-1', 50)$q$), '75', 'after a position');
	return next is(pg_temp.positions($q$select * from fundes.read_correlation('c-1', 0, 1)$q$), '50', 'at most so many');
	return next is(pg_temp.positions($q$select * from fundes.read_correlation('12')$q$), '7', 'a number is its text');
	return next is_empty($q$select * from fundes.read_correlation('c')$q$, 'no part of another');
	return next is_empty($q$select * from fundes.read_correlation('null')$q$, 'null is no id');
end
$$;
select pg_temp.filtered();
select fundes.create_filter_index(what) from unnest('{type,category,correlation_id,type}'::text[]) what \g /dev/null
select pg_temp.filtered();
select bag_eq($$select indexname::text from pg_indexes where schemaname = 'fundes' and tablename = 'event' and indexname like 'event_by%'$$,
			  $$values ('event_by_type'), ('event_by_category'), ('event_by_correlation_id')$$, 'each kind has one index');
drop index fundes.event_by_type;
select fundes.create_filter_index('type') \g /dev/null
select has_index('fundes', 'event', 'event_by_type', 'an index that was dropped is made again');

-- The index is used: a rare event is found without looking at the log.
select fundes.append('rare-1', 'Rare', '{}', metadata => '{"correlation_id": "rare"}') \g /dev/null
create function pg_temp.fetched() returns bigint
language sql as $$
	select sum(pg_stat_get_xact_tuples_fetched(indexrelid))::bigint from pg_index where indrelid = 'fundes.event'::regclass
$$;
create function pg_temp.looks(query text) returns bigint
language plpgsql as $$
declare
	before bigint := pg_temp.fetched();
begin
	execute query;
	return pg_temp.fetched() - before;
end
$$;
select is(pg_temp.looks($$select * from fundes.read_all(types => '{Rare}')$$), 1::bigint, 'a rare type: one row is looked at');
select is(pg_temp.looks($$select * from fundes.read_all(categories => '{rare}')$$), 1::bigint, 'a rare category: one row');
select is(pg_temp.looks($$select * from fundes.read_correlation('rare')$$), 1::bigint, 'a rare correlation id: one row');
select ok(pg_temp.looks($$select * from fundes.read_all(0, 10, '{rare}', '{X,Y,Rare}')$$) <= 12, 'a rare category of frequent types: the rarer decides');
select ok(pg_temp.looks($$select * from fundes.read_all(0, 10)$$) <= 11, 'no more is read than asked for');
select ok(pg_temp.looks($$select * from fundes.read_all(0, 10, types => '{X,Y}')$$) <= 13, 'nor by a merge');
drop index fundes.event_by_type;
select is(pg_temp.looks($$select * from fundes.read_all(types => '{Rare}', max_count => null)$$), 1101::bigint, 'without the index, all of them');

-- A correlation id that no index entry could hold.
select fundes.append('long-1', 'X', '{}', metadata => jsonb_build_object('correlation_id', repeat('x', 5000) || string_agg(md5(n::text), '')))
  from generate_series(1, 500) n \g /dev/null
select is((select count(*) from fundes.read_correlation((select metadata ->> 'correlation_id' from fundes.read_stream('long-1')))), 1::bigint,
		  'a very long correlation id');

-- Arguments
select throws_ok('select fundes.read_all(null)', '22004', null, 'after_position is null');
select throws_ok('select fundes.read_all(-1)', '22023', null, 'after_position < 0');
select throws_ok('select fundes.read_all(0, -1)', '22023', null, 'max_count < 0');
select throws_ok($$select fundes.read_all(types => array['X', null])$$, '22004', null, 'a type is null');
select throws_ok($$select fundes.read_all(categories => array[null])$$, '22004', null, 'a category is null');
select throws_ok($$select fundes.read_all(types => '{{X},{Y}}')$$, '22023', null, 'a filter of two dimensions');
select throws_ok('select fundes.read_correlation(null)', '22004', null, 'correlation id is null');
select throws_ok($$select fundes.read_correlation('x', -1)$$, '22023', null, 'read_correlation: after_position < 0');
select throws_ok($$select fundes.create_filter_index('actor')$$, '22023', null, 'no index of that kind');
select throws_ok('select fundes.create_filter_index(null)', '22004', null, 'kind is null');

-- Own appends in progress
begin;
select fundes.append('a-1', 'X', '{}') as ignored \gset
select is_empty('select * from fundes.read_all(1102)', 'the own append in progress is not passed');
select is((select max(position) from fundes.read_all(0, null)), 1102::bigint, 'what lies before it is read');
select is(fundes.watermark(), 1102::bigint, 'nor does the watermark pass it');
select is((select array_agg(version) from fundes.read_stream('a-1')), array[1::bigint], 'read_stream shows it');
-- a mark stands below the positions that it is for, so it was made first
select results_eq($$select pid, started_at, from_position, prepared from fundes.appends_in_progress$$,
				  $$select pg_backend_pid(), now(), max(position), null::text from fundes.event_log$$, 'appends_in_progress shows it');
rollback;
select is(fundes.watermark(), 1103::bigint, 'aborted, it is a hole that nobody waits for');
begin;
select fundes.append('a-3', 'X', '{"n": 3}', event_id => '01890000-0000-7000-8000-000000000001') as ignored \gset
commit;
begin;
select fundes.append('a-3', 'X', '{"n": 3}', event_id => '01890000-0000-7000-8000-000000000001') as ignored \gset
select throws_ok($$select fundes.append('a-3', 'X', '{}', expected_version => 77)$$, 'UF021');
select is_empty('select * from fundes.appends_in_progress', 'a call that only replayed, or failed, is no append in progress');
commit;

-- A fresh snapshot, whatever calls: an SQL function that is stable.
create function pg_temp.stable_count() returns bigint language sql stable as 'select count(*) from fundes.read_all(1102)';
select is(pg_temp.stable_count(), 1::bigint, 'read by a stable function');

select is(obj_description(oid, 'pg_proc') ~ 'Example: ', true, proname || ' has a comment with an example')
  from pg_proc where pronamespace = 'fundes'::regnamespace and proname in ('watermark', 'read_all', 'read_correlation', 'create_filter_index');
select is_empty($$select from pg_proc where pronamespace = 'fundes'::regnamespace and proacl is null$$, 'PUBLIC may execute none of them');

select * from finish();
drop extension fundes cascade;
create extension fundes;
