-- The version of a new event is one after that of its stream's last event that is
-- there, whatever else the index of the streams has.

begin;
\ir helper.inc
select no_plan();

create function pg_temp.append(stream text) returns bigint language sql as
$$ select version from fundes.append(stream, 'Noted', '{}') $$;
create function pg_temp.take_back(stream text, times integer) returns void language plpgsql as $$
begin
	for n in 1 .. times loop
		begin
			perform pg_temp.append(stream);
			raise exception 'taken back';
		exception when raise_exception then
			null;
		end;
	end loop;
end
$$;

-- Neighbours in the index, in both directions.
select is(array_agg(pg_temp.append(stream)), '{1,1,1,1}', 'new streams')
  from unnest(array['a-1', 'a-2', 'a-3', 'a-4']) stream;
select is(array_agg(pg_temp.append(stream)), '{2,2,3,2,2}', 'and their next events')
  from unnest(array['a-4', 'a-2', 'a-2', 'a-1', 'a-3']) stream;

-- Entries of events that were taken back: few, and more than a page has.
select pg_temp.take_back('a-2', 3);
select is(pg_temp.append('a-2'), 4::bigint, 'the versions that were taken back are given again');
select pg_temp.take_back('a-3', 1000);
select is(pg_temp.append('a-3'), 3::bigint, 'however many there were');
select is(pg_temp.append('a-3'), 4::bigint, 'and the next one follows');
savepoint s;
select is(pg_temp.append('a-4'), 3::bigint, 'in a savepoint');
rollback to s;
select is(pg_temp.append('a-4'), 3::bigint, 'and after it');
select is((select count(*) from fundes.append_batch(array_fill('a-4'::text, array[3000]), array_fill('Noted'::text, array[3000]),
													array_fill('{}'::jsonb, array[3000]))), 3000::bigint, 'a batch of many pages');
select is(pg_temp.append('a-4'), 3004::bigint, 'and the event after it');
select is(array_agg(pg_temp.append(stream)), '{3,5,5,1}', 'beside others, and a new one')
  from unnest(array['a-1', 'a-2', 'a-3', 'a-5']) stream;

-- What is remembered of the index does not outlive it.
reindex index fundes.event_stream_id_version_key;
select is(array_agg(pg_temp.append(stream)), '{4,6,3005}', 'after REINDEX')
  from unnest(array['a-1', 'a-2', 'a-4']) stream;

-- A stream whose events were all taken back.
savepoint s;
select is(pg_temp.append('b-1'), 1::bigint, 'a new stream');
rollback to s;
select is(pg_temp.append('b-1'), 1::bigint, 'is new again');

select is_empty($$select stream from fundes.event_log group by stream
				  having count(*) <> max(version) or min(version) <> 1$$, 'no stream has a gap');

select * from finish();
rollback;
