-- The log is append-only for everyone: UF018, also where no row matches, in
-- replica mode and for MERGE.

begin;
\ir helper.inc
select no_plan();

select is(current_setting('is_superuser'), 'on', 'these are the rights of a superuser');
select fundes.append('order-1', 'OrderPlaced', '{"sum": 12}');

create temporary table forbidden (command text);
insert into forbidden values
	($$update fundes.event set payload = '{}'$$),
	($$update fundes.event set payload = payload where false$$),
	($$delete from fundes.event$$),
	($$delete from fundes.event where position = -1$$),
	($$truncate fundes.event$$),
	($$truncate fundes.event cascade$$),
	($$update fundes.stream set name = 'x'$$),
	($$update fundes.stream set name = name where false$$),
	($$delete from fundes.stream where false$$),
	($$truncate fundes.stream$$),
	($$merge into fundes.event e using (select 1 as position) n on e.position = -n.position
	   when matched then delete when not matched then do nothing$$),
	($$merge into fundes.event e using (select 1 as one) n on true when matched then update set version = 7$$),
	($$merge into fundes.stream s using (select 1 as one) n on false when matched then delete$$);

select pg_temp.refuses(command, 'UF018', command) from forbidden;
set local session_replication_role = replica;
select pg_temp.refuses(command, 'UF018', 'replica mode: ' || command) from forbidden;
set local session_replication_role = origin;
select pg_temp.refuses_somehow($$update fundes.event_log set type = 'x'$$, 'the view is no way round');
select pg_temp.refuses_somehow($$delete from fundes.event_log$$, 'the view is no way round, for DELETE');

select is((select count(*) from fundes.read_stream('order-1')), 1::bigint, 'the event is there');

select * from finish();
rollback;
