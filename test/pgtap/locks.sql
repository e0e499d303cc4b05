-- The locks of appends, and how many a transaction may come to.

begin;
\ir helper.inc
select no_plan();

create view pg_temp.all_streams as
select mode, fastpath from pg_locks
 where pid = pg_backend_pid() and relation = 'fundes.event_log'::regclass and mode <> 'AccessShareLock';
create view pg_temp.advisory as
select objsubid, objid, mode from pg_locks where pid = pg_backend_pid() and locktype = 'advisory';

-- All appends share a lock that none of them waits for; it takes no room of the lock table.
savepoint s;
select version from fundes.append('a-1', 'Noted', '{}') \g /dev/null
select results_eq('select * from pg_temp.all_streams', $$values ('RowExclusiveLock', true)$$, 'the lock of all streams');
select is((select count(*) from pg_temp.advisory), 3::bigint, 'those of the stream and of the new type, and the mark of the append');
select is((select count(*) from fundes.append_batch(array(select 'c-' || n from generate_series(1, 65) n), array_fill('Noted'::text, array[65]),
													array_fill('{}'::jsonb, array[65]))), 65::bigint, 'a call over very many streams');
select set_has('select mode from pg_temp.all_streams', $$values ('ShareRowExclusiveLock')$$, 'holds it alone');
select is((select count(*) from pg_temp.advisory), 3::bigint, 'and no more');
rollback to s;
select is_empty('select from pg_temp.all_streams', 'nothing is left of that');

-- Who is alone with a fund needs no locks of its streams.
savepoint s;
select fundes.create_fund('Alone') \g /dev/null
select fundes.create_investor('i', 'I') \g /dev/null
select is((select count(*) from pg_temp.advisory), 4::bigint, 'the locks of new funds, of the fund and of the investor, and the mark');
select fundes.create_investment('i', 1, 1000) \g /dev/null
select fundes.set_price_limits(1, 0.5, null) \g /dev/null
select is((select count(*) from pg_temp.advisory), 4::bigint, 'and none of the holding');
rollback to s;

-- Those that are taken once do not count, however often they are taken back.
savepoint s;
do $$
begin
	perform fundes.define_event_type('Noted');
	for n in 1 .. 12 * current_setting('max_locks_per_transaction')::integer loop
		begin
			perform fundes.append('a-2', 'Noted', '{}');
			raise exception 'taken back';
		exception when raise_exception then
			null;
		end;
	end loop;
	perform fundes.append('a-1', 'Noted', '{}');
end
$$;
select results_eq('select mode from pg_temp.all_streams', $$values ('RowExclusiveLock')$$, 'the lock of all streams after many savepoints');
rollback to s;

-- A transaction that comes to very many leaves room to others.
select count(fundes.create_fund('Fund ' || n)) from generate_series(1, 17 * current_setting('max_locks_per_transaction')::integer) n \g /dev/null
select set_has('select mode from pg_temp.all_streams', $$values ('ShareRowExclusiveLock')$$, 'funds one after the other');
select cmp_ok((select count(*) from pg_temp.advisory), '<=', 16 * current_setting('max_locks_per_transaction')::bigint + 8,
			  'take one lock for all in the end');

select * from finish();
rollback;
