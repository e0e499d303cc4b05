insert into emt_streams (stream_id, stream_position, partition, stream_type, stream_metadata)
	select 's' || s || '-1', :count / :streams, 'emt:default', 'unknown', '{}'
	  from generate_series(1, :streams) s;
insert into emt_messages (stream_id, stream_position, partition, message_data, message_metadata,
						  message_schema_version, message_type, message_id, transaction_id)
	select 's' || 1 + i % :streams || '-1', 1 + i / :streams, 'emt:default', :'payload', '{}',
		   '1', 'CopyrightBought', gen_random_uuid()::text, pg_current_xact_id()
	  from generate_series(0, :count - 1) i;
vacuum analyze;
