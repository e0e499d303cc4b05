-- Events are written below the executor only where that is what an INSERT would
-- do; and what is written is the same.

begin;
\ir helper.inc
select no_plan();

-- Both ways, one after the other, for the same calls.
set local fundes.direct_insert = on;
create table written as select true as direct, e.* from fundes.event_log e;
create function pg_temp.write_all(prefix text) returns void language plpgsql as $$
begin
	perform fundes.append(prefix || '-1', 'Noted', '{"n": 1}');
	perform fundes.append(prefix || '-1', 'Noted', '{"n": 2}', metadata => '{"actor": "Kim"}');
	perform fundes.append(prefix || '-1', 'Noted', '{"n": 3}', event_id => md5(prefix)::uuid);
	perform fundes.append(prefix || '-1', 'Noted', '{"n": 4}', event_id => md5(prefix || 4)::uuid, metadata => '{"actor": "Lee"}', effective_at => '2023-06-01 09:00');
	perform fundes.append(prefix || '-1', 'Large', jsonb_build_object('t', (select string_agg(md5(n::text), '') from generate_series(1, 3000) n)));
	perform from fundes.append_batch(
		array(select prefix || '-' || n % 7 from generate_series(1, 1200) n),
		array(select case when n % 3 = 0 then 'Noted' else 'Seen' end from generate_series(1, 1200) n),
		array(select jsonb_build_object('n', n, 't', repeat('x', case when n % 400 = 0 then 9000 else n % 50 end)) from generate_series(1, 1200) n),
		metadata => array(select case when n % 5 = 0 then '{"actor": "Park"}'::jsonb end from generate_series(1, 1200) n));
	perform from fundes.append_batch(array[prefix || '-1', prefix || '-2'], '{Noted,Noted}', array['{}', '{}']::jsonb[],
		event_ids => array[md5(prefix || 5)::uuid, null]);
end
$$;
select pg_temp.write_all('on');
set local fundes.direct_insert = off;
select pg_temp.write_all('off');
set local fundes.direct_insert = on;

create function pg_temp.shown(prefix text) returns setof text language sql as $$
	select format('%s %s %s %s %s %s %s', substr(stream, length(prefix) + 1), version, type, payload, metadata,
				  effective_at = now(), event_id = any (array[md5(prefix)::uuid, md5(prefix || 4)::uuid, md5(prefix || 5)::uuid]))
	  from fundes.event_log where stream like prefix || '-%' order by position
$$;
select is((select count(*) from pg_temp.shown('on')), 1207::bigint, 'all of them are there');
select results_eq($$select * from pg_temp.shown('on')$$, $$select * from pg_temp.shown('off')$$, 'both ways write the same');
select is((select count(*) from fundes.event where event_id is not null), 6::bigint, 'ids that were given are stored, no others');

-- A made id is the same wherever it is read.
select event_id as told, "position" as told_position from fundes.append('made-1', 'Noted', '{"n": 1}') \gset
select is((select event_id from fundes.event_log where position = :told_position), :'told'::uuid, 'in the view');
select is((select event_id from fundes.read_stream('made-1')), :'told'::uuid, 'in read_stream');
select is((select replayed from fundes.append('made-1', 'Noted', '{"n": 1}', event_id => :'told')), true, 'it is known');
select is((select count(*) from fundes.event_log v where v.event_id is distinct from
			(select r.event_id from fundes.read_stream(v.stream, v.version, 1) r)), 0::bigint, 'view and function agree on all ids');

-- Fund events are projected, whichever way.
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00') as fund \gset
select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00') as investor \gset
select fundes.create_investment('A', :fund, 100000, effective_at => '2023-06-01 09:10') is not null as paid \gset
set local fundes.direct_insert = off;
select fundes.create_investment('A', :fund, 50000, effective_at => '2023-06-01 09:20') is not null as paid \gset
set local fundes.direct_insert = on;
select is(pg_temp.figures(:fund, 'capital_cash'), 'capital_cash 150000', 'the projections have both');
select is_empty($$select * from fundes.verify_projections()$$, 'and equal the log');

-- What is done to the log's table is done, too, and undone with it.
create table noticed (what text);
create function pg_temp.noticed(change text, command text) returns text language plpgsql as $$
declare
	result text;
begin
	execute change;
	execute command;
	raise exception using errcode = 'P0999', message = coalesce((select string_agg(what, ',') from noticed), 'nothing');
exception
	when sqlstate 'P0999' then return sqlerrm;
	when others then return sqlstate;
end
$$;
create function public.notice() returns trigger language plpgsql as $$
begin
	insert into public.noticed values (tg_when || ' ' || tg_level);
	return new;
end
$$;
create function public.fails_at(id bigint) returns bigint immutable language plpgsql as $$
begin
	if current_setting('search_path') = 'pg_catalog, pg_temp' then
		raise exception 'the safe search_path';
	end if;
	return id;
end
$$;
create function public.notice_default() returns text language sql as $$
	insert into public.noticed values ('default') returning what
$$;
select is(pg_temp.noticed(change, call), expected, change || ': ' || call)
  from (values
	($$select 1$$, 'nothing', 'nothing'),
	($$create trigger t before insert on fundes.event for each row execute function public.notice()$$, 'BEFORE ROW', 'BEFORE ROW,BEFORE ROW'),
	($$create trigger t after insert on fundes.event for each row execute function public.notice()$$, 'AFTER ROW', 'AFTER ROW,AFTER ROW'),
	($$create trigger t before insert on fundes.event for each statement execute function public.notice()$$, 'BEFORE STATEMENT', 'BEFORE STATEMENT'),
	($$create trigger t after insert on fundes.event for each statement execute function public.notice()$$, 'AFTER STATEMENT', 'AFTER STATEMENT'),
	($$create rule r as on insert to fundes.event do also insert into public.noticed values ('rule')$$, 'rule', 'rule,rule'),
	($$alter table fundes.event add check (version < 0) not valid$$, '23514', '23514'),
	($$alter table fundes.event add column extra text, alter extra set default public.notice_default()$$, 'default', 'default,default'),
	($$alter domain fundes.json_object add constraint few check (false) not valid$$, '23514', '23514'),
	($$create unique index one on fundes.event ((version > 0)) where stream_id < 0$$, 'nothing', 'nothing'),
	($$create unique index one on fundes.event (effective_at) where version > 400$$, 'nothing', 'nothing'),
	($$create index more on fundes.event (version, type_id)$$, 'nothing', 'nothing'),
	($$create index more on fundes.event (public.fails_at(stream_id)) where version > 100000$$, 'nothing', 'nothing'),
	($$create index more on fundes.event (public.fails_at(stream_id)) where payload = '{}'$$, 'P0001', 'P0001'),
	($$create unique index one on fundes.event ((payload ->> 'once')) where payload ? 'once'$$, 'nothing', 'nothing'),
	($$create unique index one on fundes.event ((payload = '{}')) where payload = '{}' and version < 3$$, 'nothing', '23505'),
	($$create index one on fundes.event using hash (version)$$, 'nothing', 'nothing'),
	($$drop trigger project on fundes.event$$, 'nothing', 'nothing')) c(change, one, two)
 cross join lateral (values
	($$select fundes.append('changed-1', 'Noted', '{}')$$, one),
	($$select fundes.append_batch('{changed-1,changed-2}', '{Noted,Noted}', array['{}', '{}']::jsonb[])$$, two)) calls(call, expected)
;

-- Filters have indexes that events must come into.
select fundes.create_filter_index('type'), fundes.create_filter_index('category'), fundes.create_filter_index('correlation_id');
select fundes.append('filtered-1', 'Filtered', '{}', metadata => '{"correlation_id": "c"}') is not null as appended \gset
select count(*) as appended from fundes.append_batch('{filtered-1,filtered-2}', '{Filtered,Filtered}', array['{}', '{}']::jsonb[]) \gset
set local enable_seqscan = off;
set local enable_bitmapscan = off;
select is((select count(*) from fundes.event where type_id = (select type_id from fundes.event_type where name = 'Filtered')), 3::bigint, 'by type');
select is((select count(*) from fundes.event e where e.stream_id >> 40 = (select stream_id >> 40 from fundes.stream where name = 'filtered-1')), 3::bigint, 'by category');

-- No one may choose but a superuser, and reading only is reading only.
select is((select context from pg_settings where name = 'fundes.direct_insert'), 'superuser', 'the setting is a superuser''s');
set transaction read only;
select is((pg_temp.attempt($$select fundes.append('made-1', 'Noted', '{}')$$)).state, '25006', 'not in a READ ONLY transaction');

select * from finish();
rollback;
