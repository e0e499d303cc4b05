select position, stream, version, event_id, type, payload, metadata, effective_at, recorded_at from event where position > (select last_value - 200 from event_position) order by position limit 100;
