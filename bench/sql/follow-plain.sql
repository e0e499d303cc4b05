-- as follow-fundes; it may pass by what is not committed yet
select position, stream, version, event_id, type, payload, metadata, effective_at, recorded_at from event where position > :position order by position limit 100 \aset
