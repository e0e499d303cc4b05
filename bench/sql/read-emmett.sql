-- the package's own query
\set s random(1, :streams)
select stream_id, stream_position, global_position, message_data, message_metadata, message_schema_version, message_type, message_id from emt_messages where stream_id = 's' || :s || '-1' and partition = 'emt' || chr(58) || 'default' and is_archived = false order by stream_position asc;
