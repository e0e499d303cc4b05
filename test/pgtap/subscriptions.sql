-- Subscriptions: create, poll, acknowledge, drop, status.
--
-- What is polled must have been committed: this file makes a store of its own
-- and commits. What takes two sessions is in test/isolation/specs/pollers.spec.

\set QUIET 1
set client_min_messages = warning;
drop extension if exists fundes cascade;
create extension fundes;
create extension if not exists pgtap;

select no_plan();

-- streams a-0 to a-9 and b-0 to b-9; every tenth event is a Y
select fundes.append(case n % 2 when 0 then 'a-' else 'b-' end || n / 2 % 10, case when n % 10 = 0 then 'Y' else 'X' end, '{}')
  from generate_series(1, 300) n order by n \g /dev/null

create function pg_temp.polled(name text, max_count integer default 3, partition integer default 0, partitions integer default 1,
							   lease interval default '0')
returns text
language sql volatile as $$
	select coalesce(string_agg(position::text, ' ' order by ordinality), 'nothing')
	  from (select position, row_number() over () as ordinality
			  from fundes.poll(name, max_count, partition => partition, partitions => partitions, lease => lease)) p
$$;
create function pg_temp.place(sub text, part integer default 0) returns text
language sql as $$
	select position || ' ' || lag from fundes.subscription_status where name = sub and partition = part
$$;
create function pg_temp.make(name text, categories text[] default null, types text[] default null, start_after bigint default 0)
returns setof text
language plpgsql as $$ begin perform fundes.create_subscription(name, categories, types, start_after); return; end $$;
create function pg_temp.ack(name text, "position" bigint, partitions integer default null)
returns setof text
language plpgsql as $$ begin perform fundes.acknowledge(name, "position", partitions); return; end $$;

-- Creating and dropping
select pg_temp.make('s');
select is(pg_temp.place('s'), '0 300', 'a new subscription starts at the beginning');
select throws_ok($$select fundes.create_subscription('s')$$, '42710', null, 'a name that is taken');
select throws_ok($$select fundes.create_subscription('t', start_after => 301)$$, '22023', null, 'start_after past the watermark');
select throws_ok($$select fundes.create_subscription('t', start_after => -1)$$, '22023', null, 'start_after < 0');
select throws_ok($$select fundes.create_subscription('t', start_after => null)$$, '22004', null, 'start_after is null');
select throws_ok($$select fundes.create_subscription(null)$$, '22004', null, 'name is null');
select throws_ok($$select fundes.create_subscription('')$$, '22023', null, 'name is empty');
select throws_ok($$select fundes.create_subscription(repeat('x', 256))$$, '22001', null, 'name is too long');
select throws_ok($$select fundes.create_subscription('t', types => array['X', null])$$, '22004', null, 'a type is null');
select throws_ok($$select fundes.create_subscription('t', categories => '{{a}}')$$, '22023', null, 'categories of two dimensions');
select pg_temp.make('now', start_after => fundes.watermark());
select is(pg_temp.polled('now'), 'nothing', 'from now on');
select is(pg_temp.place('now'), '300 0', 'no lag');
select pg_temp.make('gone');
select lives_ok($$select fundes.drop_subscription('gone')$$, 'dropped');
select throws_ok($$select fundes.drop_subscription('gone')$$, '42704', null, 'an unknown name: drop');
select throws_ok($$select fundes.poll('gone')$$, '42704', null, 'an unknown name: poll');
select throws_ok($$select fundes.acknowledge('gone', 1)$$, '42704', null, 'an unknown name: acknowledge');
select is_empty($$select * from fundes.subscription_partition p left join fundes.subscription s using (subscription_id) where s.name is null$$,
				'a dropped subscription leaves nothing behind');

-- Polling and acknowledging
select results_eq($$select * from fundes.poll('s', 2)$$, $$select * from fundes.event_log where position <= 2 order by position$$,
				  'events as event_log has them');
select is(pg_temp.polled('s'), '1 2 3', 'without an acknowledgement they come again');
select pg_temp.ack('s', 2);
select is(pg_temp.polled('s'), '3 4 5', 'what was acknowledged does not');
select is(pg_temp.place('s'), '2 298', 'the position is what was acknowledged');
select lives_ok($$select fundes.acknowledge('s', 2)$$, 'the same acknowledgement again is harmless');
select throws_ok($$select fundes.acknowledge('s', 1)$$, 'UF022', null, 'an acknowledgement does not go back');
select throws_ok($$select fundes.acknowledge('s', 6)$$, 'UF022', null, 'nor past what was delivered');
select pg_temp.ack('s', 5);
select is(pg_temp.polled('s', 1), '6', 'on');
select throws_ok($$select fundes.acknowledge('s', 8)$$, 'UF022', null, 'what an earlier, larger poll would have given does not count');
begin;
select is(pg_temp.polled('s', 4), '6 7 8 9', 'a poll that is rolled back');
rollback;
select throws_ok($$select fundes.acknowledge('s', 9)$$, 'UF022', null, 'delivered nothing');
select is(pg_temp.polled('s', 0), 'nothing', 'max_count 0');
select is((select count(*) from fundes.poll('s', null)), 295::bigint, 'max_count NULL');

-- A transaction's claim can be seen.
begin;
select is(pg_temp.polled('s'), '6 7 8', 'a poll');
select results_eq($$select claimed_by, claimed_since, lease_until from fundes.subscription_status where name = 's'$$,
				  $$values (pg_backend_pid(), now(), null::timestamptz)$$, 'has a claim');
commit;
select is((select claimed_by from fundes.subscription_status where name = 's'), null, 'until the transaction ends');

-- Leases
select is(pg_temp.polled('s', lease => '1 hour'), '6 7 8', 'a lease');
select is(pg_temp.polled('s'), 'nothing', 'keeps everybody away, in whatever transaction');
select results_eq($$select claimed_by, claimed_since < clock_timestamp(), lease_until = claimed_since + interval '1 hour'
					  from fundes.subscription_status where name = 's'$$,
				  $$values (pg_backend_pid(), true, true)$$, 'and can be seen');
select pg_temp.ack('s', 7);
select is(pg_temp.polled('s'), 'nothing', 'until all of it is acknowledged');
select pg_temp.ack('s', 8);
select is(pg_temp.polled('s'), '9 10 11', 'then others have their turn');
select is(pg_temp.polled('s', lease => '50 ms'), '9 10 11', 'a short lease');
select pg_sleep(0.06) as ignored \gset
select is(pg_temp.polled('s'), '9 10 11', 'that is over');

-- Filters
select pg_temp.make('y', types => '{Y}');
select pg_temp.make('ax', '{a}', '{X}');
select pg_temp.make('none', types => '{}');
select pg_temp.make('never', types => '{Z}');
select is(pg_temp.polled('y'), '10 20 30', 'a type');
select is(pg_temp.place('y'), '9 291', 'what was filtered out moves the subscription on');
select is(pg_temp.polled('ax', 5), '2 4 6 8 12', 'category and type');
select is(pg_temp.polled('none'), 'nothing', 'an empty filter');
select is(pg_temp.polled('never'), 'nothing', 'a type that is not there');
select is(pg_temp.place('never'), '300 0', 'moves on, too');
select fundes.append('b-1', 'Z', '{}') as ignored \gset
select is(pg_temp.polled('never'), '301', 'nor is the type missed when it comes');
select pg_temp.ack('never', 301);
select fundes.append('b-1', 'X', '{}') as ignored \gset
select is(pg_temp.polled('never'), 'nothing', 'filtered out');
select is(pg_temp.place('never'), '302 0', 'moved on');
select lives_ok($$select fundes.acknowledge('never', 301)$$, 'the same acknowledgement again is harmless after that');

-- Partitions
select pg_temp.make('p');
create function pg_temp.part(stream_id bigint, parts integer) returns integer
language sql as 'select ((hashint8extended(stream_id, 0)::numeric + 18446744073709551616) % 18446744073709551616 % parts)::integer';
select is((select string_agg(pg_temp.polled('p', null, n, 4), ' ' order by n) from generate_series(0, 3) n),
		  (select string_agg(position::text, ' ' order by pg_temp.part(stream_id, 4), position) from fundes.event),
		  'each event is in the one partition that its stream has');
select pg_temp.ack('p', (select max(position) from fundes.event where position < 100 and pg_temp.part(stream_id, 4) = n), 4)
  from generate_series(0, 3) n where n <> 2;
select is((select array_agg(position >= 90 order by partition) from fundes.subscription_status where name = 'p'), '{t,t,f,t}',
		  'each partition has its own position');
select throws_ok($$select fundes.acknowledge('p', 999)$$, 'UF022', null, 'a position that no event has');

-- Another number of partitions: nothing acknowledged comes again, nothing is
-- missed.
create temp table still_to_come as
select e.position from fundes.event e where not (e.position < 100 and pg_temp.part(stream_id, 4) <> 2);
select bag_eq($$select p.position from generate_series(0, 2) n, fundes.poll('p', null, partition => n, partitions => 3) p$$,
			  'select position from still_to_come', 'from four to three');
select throws_ok($$select fundes.acknowledge('p', 150, 4)$$, 'UF022', null, 'an acknowledgement from before the change');
select pg_temp.ack('p', (select max(position) from fundes.event where position < 200 and pg_temp.part(stream_id, 3) = 1), 3);
delete from still_to_come s using fundes.event e where s.position = e.position and e.position < 200 and pg_temp.part(stream_id, 3) = 1;
select bag_eq($$select p.position from generate_series(0, 6) n, fundes.poll('p', null, partition => n, partitions => 7) p$$,
			  'select position from still_to_come', 'from three to seven');
select bag_eq($$select position from fundes.poll('p', null)$$, 'select position from still_to_come', 'from seven to one');
select pg_temp.ack('p', 302);
select is((select count(*) from generate_series(0, 1) n, fundes.poll('p', null, partition => n, partitions => 2) p), 0::bigint, 'all done');
select is((select count(distinct generation) from fundes.subscription_partition
			where subscription_id = (select subscription_id from fundes.subscription where name = 'p')), 1::bigint, 'and former generations, which have nothing to tell, are gone');
select is(pg_temp.polled('p', 1, 0, 2, '1 hour') || pg_temp.polled('p', 1, 1, 2, '1 hour'), 'nothingnothing', 'nothing to lease');
select fundes.append('a-1', 'X', '{}') as ignored \gset
select matches(pg_temp.polled('p', 1, 0, 2, '1 hour') || pg_temp.polled('p', 1, 1, 2, '1 hour'), '303', 'leased');
select is(pg_temp.polled('p'), 'nothing', 'the number is not changed under a lease');

-- A poll looks at 100,000 events at most, and keeps how far it looked.
select fundes.append_batch(array_fill('c-1'::text, array[75000]), array_fill('X'::text, array[75000]), array_fill('{}'::jsonb, array[75000]))
  from generate_series(1, 2) \g /dev/null
select fundes.append('c-1', 'W', '{}') as ignored \gset
select pg_temp.make('w', types => '{W}');
select is(pg_temp.polled('w'), 'nothing', 'a rare event is not found by the first poll');
select is(pg_temp.place('w'), (100000) || ' ' || (150304 - 100000), 'which looked at 100,000 events');
select is(pg_temp.polled('w'), '150304', 'but by the second');

-- Waiting
select is((select count(*) from fundes.poll('never', wait => '150 ms')), 0::bigint, 'waits');
select cmp_ok(clock_timestamp() - statement_timestamp(), '<', interval '10 s', 'not for ever');

-- Arguments
select throws_ok($$select fundes.poll(null)$$, '22004', null, 'name is null');
select throws_ok($$select fundes.poll('s', -1)$$, '22023', null, 'max_count < 0');
select throws_ok($$select fundes.poll('s', wait => null)$$, '22004', null, 'wait is null');
select throws_ok($$select fundes.poll('s', wait => '-1 s')$$, '22023', null, 'wait < 0');
select throws_ok($$select fundes.poll('s', lease => null)$$, '22004', null, 'lease is null');
select throws_ok($$select fundes.poll('s', lease => '-1 s')$$, '22023', null, 'lease < 0');
select throws_ok($$select fundes.poll('s', partition => 4, partitions => 4)$$, '22023', null, 'partition too large');
select throws_ok($$select fundes.poll('s', partition => -1)$$, '22023', null, 'partition < 0');
select throws_ok($$select fundes.poll('s', partitions => 0)$$, '22023', null, 'partitions < 1');
select throws_ok($$select fundes.poll('s', partitions => 1025)$$, '22023', null, 'too many partitions');
select throws_ok($$select fundes.acknowledge(null, 1)$$, '22004', null, 'acknowledge: name is null');
select throws_ok($$select fundes.acknowledge('s', null)$$, '22004', null, 'acknowledge: position is null');
select throws_ok($$select fundes.acknowledge('s', -1)$$, '22023', null, 'acknowledge: position < 0');
begin read only;
select throws_ok($$select fundes.poll('s')$$, '25006', null, 'poll needs to write');
rollback;
begin read only;
select throws_ok($$select fundes.acknowledge('s', 9)$$, '25006', null, 'acknowledge too');
rollback;

-- EXECUTE on the functions and SELECT on the views is all that a reader needs.
create role fundes_test_reader;
grant usage on schema fundes to fundes_test_reader;
grant execute on function fundes.read_all, fundes.watermark, fundes.poll, fundes.acknowledge to fundes_test_reader;
grant select on fundes.subscription_status, fundes.appends_in_progress to fundes_test_reader;
begin;
set local role fundes_test_reader;
select count(*) as read from fundes.read_all(fundes.watermark() - 2) \gset
select position as polled from fundes.poll('y', 1) \gset
select fundes.acknowledge('y', :polled) as ignored \gset
select count(*) as held from fundes.appends_in_progress \gset
select count(*) as mine from fundes.subscription_status where name = 'y' and claimed_by = pg_backend_pid() \gset
reset role;
select is(:'read' || ' ' || :'polled' || ' ' || :'held' || ' ' || :'mine', '2 10 0 1', 'a reader with grants');
set local role fundes_test_reader;
select throws_ok($$select fundes.create_subscription('t')$$, '42501', null, 'without a grant: create_subscription');
select throws_ok($$select * from fundes.subscription$$, '42501', null, 'tables are closed');
commit;
drop owned by fundes_test_reader;
drop role fundes_test_reader;

select is(obj_description(oid, 'pg_proc') ~ 'Errors: .*Example: ', true, proname || ' has a comment with errors and an example')
  from pg_proc where pronamespace = 'fundes'::regnamespace
   and proname in ('create_subscription', 'poll', 'acknowledge', 'drop_subscription');

select * from finish();
drop extension fundes cascade;
create extension fundes;
