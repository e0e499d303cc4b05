-- the package's own call as one prepared statement; pgbench would take its
-- partition name, with its colon, for a variable
\set s random(1, :streams)
select * from emt_append_to_stream(array[gen_random_uuid()::text]::text[], array[:payload]::jsonb[], array['{}']::jsonb[], array['1']::text[], array['CopyrightBought']::text[], array['E']::text[], ('s' || :s || '-1')::text, 'unknown'::text, null::bigint, ('emt' || chr(58) || 'default')::text);
