-- What a payload's type may do to its event: the code of its checks, dates that
-- depend on settings, types that go; and what a valuation that is appended
-- directly must say.

begin;
\ir helper.inc
select no_plan();

-- A check is code of whoever made the type. It runs as that role, and can do
-- only what the role can.
create role payload_smith;
create schema smithy authorization payload_smith;
set local role payload_smith;
create table smithy.seen (who name, worker name);
create function smithy.look(value text) returns boolean
language plpgsql as $$
begin
	insert into smithy.seen values (current_user, session_user);
	if value = 'tell' then
		raise exception using errcode = '22000', message = 'it runs as ' || current_user;
	elsif value = 'rise' then
		execute 'alter role payload_smith superuser';
	elsif value = 'become' then
		execute format('set local role %I', session_user);
	elsif value = 'forge' then
		execute 'insert into fundes.event select * from fundes.event';
	elsif value = 'set' then
		perform set_config('work_mem', '65kB', false), set_config('search_path', 'smithy', false);
	end if;
	return value <> 'bad';
end
$$;
create domain smithy.looked_at as text check (smithy.look(value));
create type smithy.part as (inner_name smithy.looked_at);
create type smithy.wrought as (name smithy.looked_at, part smithy.part, parts smithy.part[]);
reset role;
select fundes.define_event_type('Wrought', 'smithy.wrought');

create function pg_temp.wrought(payload text) returns text
language sql as $$ select format('select fundes.append(''forge-1'', ''Wrought'', %L)', payload) $$;
select ok(rolsuper, 'the caller is a superuser') from pg_roles where rolname = current_user;
select pg_temp.accepts(pg_temp.wrought('{"name": "x"}'), 'what the check allows is appended');
select is(array(select distinct who from smithy.seen), array['payload_smith'::name], 'the check ran as the type''s owner');
select is(current_user, session_user, 'and the caller is who it was');
select pg_temp.refuses(pg_temp.wrought('{"name": "bad"}'), 'UF023', 'what it does not allow is not');
select pg_temp.refuses(pg_temp.wrought(payload), 'UF023', 'an error of the check: ' || payload)
  from unnest(array['{"name": "tell"}', '{"part": {"inner_name": "tell"}}', '{"parts": [{"inner_name": "x"}, {"inner_name": "tell"}]}']) payload;
select ok(concat_ws(' ', r.message, r.detail) ~ 'it runs as payload_smith', 'who it runs as: ' || payload)
  from unnest(array['{"name": "tell"}', '{"part": {"inner_name": "tell"}}', '{"parts": [{"inner_name": "tell"}]}']) payload,
	   lateral (select * from pg_temp.attempt(pg_temp.wrought(payload)) offset 0) r;
select pg_temp.refuses(pg_temp.wrought(format('{"name": "%s"}', deed)), '42501', 'it cannot ' || rule)
  from (values ('rise', 'make itself a superuser'), ('become', 'become the caller'), ('forge', 'write the log')) v(deed, rule);
select is(rolsuper, false, 'and is no superuser') from pg_roles where rolname = 'payload_smith';
select is(current_user, session_user, 'after errors too the caller is who it was');
select current_setting('work_mem') || current_setting('search_path') as settings \gset
select pg_temp.attempt(pg_temp.wrought('{"name": "set"}')) \g /dev/null
select is(current_setting('work_mem') || current_setting('search_path'), :'settings', 'what it sets does not stay');

-- A check that alters the type it belongs to and appends again: whatever comes
-- of it, the backend lives.
create type public.shifting as (first integer);
create function public.shift(value integer) returns boolean
language plpgsql as $$
begin
	if value = 1 then
		execute 'alter type public.shifting add attribute added_' || (select count(*) from pg_attribute where attrelid = 'public.shifting'::regclass) || ' text';
		perform fundes.append('shift-2', 'Shifting', '{"first": 2, "last": "x"}');
	elsif value = 3 then
		execute 'alter type public.shifting drop attribute last';
		perform fundes.append('shift-2', 'Shifting', '{"first": 2}');
		execute 'alter type public.shifting add attribute last text';
		perform fundes.append('shift-2', 'Shifting', '{"first": 2, "last": "x"}');
	elsif value = 4 then
		execute 'alter domain public.shifting_number add constraint more check (value < 1000)';
		perform fundes.append('shift-2', 'Shifting', '{"first": 2, "last": "x"}');
		execute 'alter domain public.shifting_number drop constraint more';
	elsif value = 5 then
		perform fundes.define_event_type('Shifting', null);
		execute 'drop type public.shifting';
		perform fundes.append('shift-2', 'Shifting', '{"any": "thing"}');
	end if;
	return true;
end
$$;
create domain public.shifting_number as integer check (public.shift(value));
alter type public.shifting alter attribute first type public.shifting_number, add attribute last text;
select fundes.define_event_type('Shifting', 'public.shifting');
select pg_backend_pid() as pid \gset
select isnt((pg_temp.attempt(format('select fundes.append(''shift-1'', ''Shifting'', ''{"first": %s, "last": "%s"}'')', n, repeat('x', 100)))).state,
			'XX000', format('a check that alters its own type, %s, %s', n, again))
  from unnest(array[2, 1, 3, 4, 1, 3, 5]) with ordinality u(n, again) order by again;
select is(pg_backend_pid(), :pid, 'the backend lives');
select is((select 1), 1, 'and works');
select is(fundes.stream_version('shift-2') >= 0, true, 'the log can be read');

-- Types that go.
create type pg_temp.fleeting as (name text);
create type public.holds_fleeting as (part pg_temp.fleeting);
select pg_temp.refuses($$select fundes.define_event_type('Fleeting', 'pg_temp.fleeting')$$, '42809', 'a temporary type');
select pg_temp.refuses($$select fundes.define_event_type('Fleeting', 'public.holds_fleeting')$$, '42809', 'a type with an attribute of a temporary type');
create temporary table fleeting_rows (name text);
select pg_temp.refuses($$select fundes.define_event_type('Fleeting', 'pg_temp.fleeting_rows')$$, '42809', 'the row type of a temporary table');
create type public.dropped as (name text);
select fundes.define_event_type('Dropped', 'public.dropped');
select pg_temp.accepts($$select fundes.append('drop-1', 'Dropped', '{"name": "x"}')$$, 'a type that is there');
drop type public.dropped;
select pg_temp.refuses($$select fundes.append('drop-1', 'Dropped', '{"name": "x"}')$$, '42704', 'a type that was dropped');
select isnt(hint, '', 'the hint says what to do') from pg_temp.attempt($$select fundes.append('drop-1', 'Dropped', '{"name": "x"}')$$);
select fundes.define_event_type('Dropped', null);
select pg_temp.accepts($$select fundes.append('drop-1', 'Dropped', '{"name": "x"}')$$, 'defined anew it is taken again');

-- Integers, however they are written, and their domains.
create type public.counted as (id fundes.required_id, n bigint);
select fundes.define_event_type('Counted', 'public.counted');
select pg_temp.accepts(format('select fundes.append(''count-1'', ''Counted'', %L)', payload), payload)
  from unnest(array['{"id": 1}', '{"id": 9007199254740991}', '{"id": 1.0}', '{"id": 1e3}', '{"id": 1, "n": 0}', '{"id": 1, "n": -7}',
					'{"id": 1, "n": 9223372036854775807}', '{"id": 1, "n": -9223372036854775808}']) payload;
select pg_temp.refuses(format('select fundes.append(''count-1'', ''Counted'', %L)', payload), 'UF023', payload)
  from unnest(array['{"id": 0}', '{"id": -0.0}', '{"id": -1}', '{"id": 9007199254740992}', '{"id": 1.5}', '{"id": 10000.0001}', '{"id": 1e-1}',
					'{"id": null}', '{"id": "1"}', '{"id": 1, "n": 9223372036854775808}', '{"id": 1, "n": 1e30}']) payload;

-- Dates: ISO 8601 under any setting, and nothing that a setting or the clock
-- would change.
create type public.dated as (day date, moment timestamptz, local timestamp, length interval, days date[]);
select fundes.define_event_type('Dated', 'public.dated');
create function pg_temp.dated(payload text) returns text
language sql as $$ select format('select fundes.append(''date-1'', ''Dated'', %L)', payload) $$;
create procedure pg_temp.set_style(date_style text, interval_style text)
language plpgsql as $$
begin
	perform set_config('datestyle', date_style, true), set_config('intervalstyle', interval_style, true);
end
$$;
create temporary table style as
select d, i
  from unnest(array['ISO, YMD', 'ISO, DMY', 'SQL, DMY', 'SQL, MDY', 'Postgres, DMY', 'German, DMY']) d,
	   unnest(array['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601']) i;
create function pg_temp.under_all_styles(command text) returns text
language plpgsql as $$
declare
	s record;
	states text[];
begin
	for s in select * from style loop
		call pg_temp.set_style(s.d, s.i);
		states := states || (pg_temp.attempt(command)).state;
	end loop;
	call pg_temp.set_style('ISO, YMD', 'postgres');
	return (select string_agg(distinct state, ' ') from unnest(states) state);
end
$$;
select is(pg_temp.under_all_styles(pg_temp.dated(payload)), '00000', 'under any style: ' || payload)
  from unnest(array[
	'{"day": "2023-02-01"}', '{"days": ["2023-02-01", "2023-12-31"]}',
	'{"moment": "2023-02-01T09:00:00Z"}', '{"moment": "2023-02-01T09:00:00+09:00"}', '{"moment": "2023-02-01 09:00:00.123456-03"}',
	'{"local": "2023-02-01T09:00:00"}', '{"length": "P1Y2M3DT4H5M6S"}', '{"length": "7 days"}', '{"length": "01:00:00"}', '{}']) payload;
select is(pg_temp.under_all_styles(pg_temp.dated(payload)), 'UF023', 'under any style: ' || payload)
  from unnest(array[
	'{"day": "today"}', '{"day": "yesterday"}', '{"day": "now"}', '{"day": "01/02/2023"}', '{"day": "01.02.2023"}', '{"day": "20230201"}', '{"day": "1 Feb 2023"}', '{"day": "23-02-01"}', '{"day": ""}', '{"day": "2023-02-30"}', '{"day": "0000-01-01"}',
	'{"days": ["2023-02-01", "tomorrow"]}',
	'{"moment": "2023-02-01 09:00"}', '{"moment": "2023-02-01"}', '{"moment": "now"}', '{"moment": "02/01/2023 09:00 Z"}', '{"moment": "today +09"}',
	'{"local": "now"}', '{"local": "02/01/2023 09:00"}', '{"length": "-1 2:03:04"}', '{"length": "soon"}']) payload;
select pg_temp.refuses(pg_temp.dated(payload), 'UF023', payload)
  from unnest(array['{"day": "today"}', '{"moment": "2023-02-01 09:00"}', '{"day": "01/02/2023"}']) payload;

-- A type whose text is a number.
create type public.numbered as (a oid);
select fundes.define_event_type('Numbered', 'public.numbered');
select pg_temp.accepts(format('select fundes.append(''number-1'', ''Numbered'', %L)', payload), 'oid: ' || payload)
  from unnest(array['{"a": 0}', '{"a": 100000}', '{"a": 4294967295}', '{"a": null}']) payload;
select pg_temp.refuses(format('select fundes.append(''number-1'', ''Numbered'', %L)', payload), 'UF023', 'oid: ' || payload)
  from unnest(array['{"a": "100000"}', '{"a": 1.5}', '{"a": 42949672950}', '{"a": -1}']) payload;

-- Commands write the same under any style, and what they wrote can be read.
select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:10');
call pg_temp.set_style('German, DMY', 'sql_standard');
select fundes.purchase_mcp(:f, 'M1', 'R', 'S', 50000, acquisition_date => '2023-05-02', effective_at => '2023-06-01 10:00') as asset \gset
select fundes.record_royalty(:f, :asset, 10, '2023-05-02', effective_at => '2023-06-01 11:00');
select fundes.set_price_limits(:f, 0.02, '1 day 12:00', effective_at => '2023-06-01 11:00');
select fundes.record_mcp_price('M1', 'R', 'S', '2023-06-01', 51000);
select fundes.update_mcp_asset_value(:f, '2023-06-01', effective_at => '2023-06-02 00:00');
select fundes.rebuild_projections();
select is_empty($$select * from fundes.verify_projections()$$, 'commands under another style');
call pg_temp.set_style('ISO, YMD', 'postgres');
select is_empty($$select * from fundes.verify_projections()$$, 'and read under the usual one');
select is((select array_agg(distinct value) from fundes.event_log, jsonb_each_text(payload) where stream = 'fund-' || :f and key in ('acquisition_date', 'period', 'valuation_date')),
		  array['2023-05-02', '2023-06-01'], 'dates stand in the log as in ISO 8601');
select is((select last_price_date from fundes.mcp_holding where asset_id = :asset), '2023-06-01'::date, 'the day of the quote');

-- A valuation that is appended directly. %s: what to change in the last one.
create function pg_temp.valuation(fund bigint, change jsonb) returns text
language sql as $$
	select format('select fundes.append(%L, ''FundValued'', %L, effective_at => ''2023-06-02 12:00'')', 'fund-' || fund, payload || change)
	  from fundes.event_log
	 where stream = 'fund-' || fund and type = 'FundValued'
	 order by version limit 1
$$;
-- What comes of a command that is taken back in any case.
create function pg_temp.trial(command text) returns text
language plpgsql as $$
declare
	state text;
begin
	state := (pg_temp.attempt(command)).state;
	raise exception using errcode = 'P0001', message = state;
exception when sqlstate 'P0001' then
	return sqlerrm;
end
$$;
select is((select payload #>> array['sources', :'asset'] from fundes.event_log where type = 'FundValued'), '2023-06-01', 'sources has the day of each quote');
select pg_temp.refuses(pg_temp.valuation(:f, jsonb_build_object('revision', revision)), 'UF023', 'revision ' || revision)
  from unnest(array[2147483647, 0, 1, 3, 4]) revision;
select pg_temp.refuses(pg_temp.valuation(:f, jsonb_build_object('revision', revision, 'valuation_date', '2023-06-02')), 'UF023', 'another day begins at 1, not at ' || revision)
  from unnest(array[0, 2, 2147483647]) revision;
select pg_temp.refuses(pg_temp.valuation(:f, jsonb_build_object('revision', 2, 'sources', jsonb_build_object(:asset, day))), 'UF023', 'a source of ' || day)
  from unnest(array['yesterday', '01/06/2023', '', '2023-06-31x', 'infinity']) day;
select pg_temp.refuses(pg_temp.valuation(:f, jsonb_build_object('revision', 2, 'sources', jsonb_build_object(:asset, '2023-02-30'))), 'UF023', 'a source on a day that is none');
select pg_temp.refuses(pg_temp.valuation(:f, jsonb_build_object('revision', 2, 'valuation_date', day)), 'UF023', 'a valuation of ' || day)
  from unnest(array['today', '01/06/2023', 'infinity']) day;
select matches(pg_temp.trial(pg_temp.valuation(:f, jsonb_build_object('revision', 2, 'values', vals))), '^UF', 'values ' || vals::text)
  from (select jsonb_build_object(key, 51000) from unnest(array['x', '', '99999999999999999999', '0', '-1', :'asset' || 'x', '0' || :'asset', ' ' || :'asset']) key) v(vals);
select matches(pg_temp.trial(pg_temp.valuation(:f, jsonb_build_object('revision', 2, 'values', vals))), '^UF', 'values ' || vals::text)
  from (values (jsonb_build_object(:asset, 'x')), (jsonb_build_object(:asset, '51000')), (jsonb_build_object(:asset, true)), (jsonb_build_object(:asset, null)),
			   (jsonb_build_object(:asset, '{}'::jsonb)), (jsonb_build_object(:asset, -1))) v(vals);
select pg_temp.accepts(pg_temp.valuation(:f, '{"revision": 2}'), 'revision 2, as it should be');
select pg_temp.accepts(pg_temp.valuation(:f, '{"revision": 3}'), 'then 3');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
