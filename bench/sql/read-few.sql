-- of the columns those that Emmett gives
\set s random(1, :streams)
select stream, version, position, payload, metadata, type, event_id from fundes.read_stream('s' || :s || '-1', null, 100);
