\set s random(1, :streams)
select position, stream, version, event_id, type, payload, metadata, effective_at, recorded_at from event where stream = 's' || :s || '-1' order by version limit 100;
