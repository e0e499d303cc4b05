/*-------------------------------------------------------------------------
 *
 * log.c
 *	  Looking into the log and its dictionaries, see log.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/pg_type.h"
#include "owner.h"
#include "probe.h"
#include "store/event_id.h"
#include "store/log.h"
#include "utils/builtins.h"

/* Columns in the order of sql/store/schema.sql. */
enum
{
	STREAM_ID = 1, STREAM_NAME
};

enum
{
	TYPE_ID = 1, TYPE_NAME, TYPE_PAYLOAD_TYPE
};

/* Finds the first row by one key of an index. */
static bool
find(Probe *probe, const char *table, const char *index, Oid type, Datum key,
	 ScanDirection direction)
{
	probe->nkeys = 0;
	probe_key(probe, type, key);
	return probe_begin(probe, fundes_relation(table), fundes_relation(index), direction);
}

int64
log_stream_id(const char *name)
{
	Probe		probe;
	int64		result = 0;

	if (find(&probe, "stream", "stream_name_key", TEXTOID, CStringGetTextDatum(name),
			 ForwardScanDirection))
		result = DatumGetInt64(probe_value(&probe, STREAM_ID));
	probe_end(&probe);
	return result;
}

/* The version of a stream's last event, 0 where it has none. */
int64
log_stream_version(int64 stream_id)
{
	Probe		probe;
	int64		result = 0;

	if (find(&probe, "event", "event_stream_id_version_key", INT8OID,
			 Int64GetDatum(stream_id), BackwardScanDirection))
		result = DatumGetInt64(probe_value(&probe, EVENT_VERSION));
	probe_end(&probe);
	return result;
}

char *
log_stream_name(int64 stream_id)
{
	Probe		probe;
	char	   *result;

	if (!find(&probe, "stream", "stream_pkey", INT8OID, Int64GetDatum(stream_id),
			  ForwardScanDirection))
		elog(ERROR, "stream " INT64_FORMAT " does not exist", stream_id);
	result = TextDatumGetCString(probe_value(&probe, STREAM_NAME));
	probe_end(&probe);
	return result;
}

char *
log_type_name(int32 type_id)
{
	Probe		probe;
	char	   *result;

	if (!find(&probe, "event_type", "event_type_pkey", INT4OID, Int32GetDatum(type_id),
			  ForwardScanDirection))
		elog(ERROR, "event type %d does not exist", type_id);
	result = TextDatumGetCString(probe_value(&probe, TYPE_NAME));
	probe_end(&probe);
	return result;
}

EventType
log_event_type(const char *name)
{
	Probe		probe;
	EventType	result = {0, InvalidOid};

	if (find(&probe, "event_type", "event_type_name_key", TEXTOID,
			 CStringGetTextDatum(name), ForwardScanDirection))
	{
		result.type_id = DatumGetInt32(probe_value(&probe, TYPE_ID));
		result.payload_type = DatumGetObjectId(probe_value(&probe, TYPE_PAYLOAD_TYPE));
	}
	probe_end(&probe);
	return result;
}

/*
 * Finds one event by a key of an index.  Where id is given, an event with
 * another id does not count.
 */
static bool
find_event(const char *index, Oid type, Datum key, const pg_uuid_t *id,
		   StoredEvent *found)
{
	Probe		probe;
	bool		exists = find(&probe, "event", index, type, key, ForwardScanDirection);

	if (exists)
	{
		memcpy(&found->event_id,
			   DatumGetUUIDP(probe_value(&probe, EVENT_EVENT_ID)), UUID_LEN);
		exists = id == NULL || event_id_equal(&found->event_id, id);
	}
	if (exists)
	{
		found->position = DatumGetInt64(probe_value(&probe, EVENT_POSITION));
		found->stream_id = DatumGetInt64(probe_value(&probe, EVENT_STREAM_ID));
		found->version = DatumGetInt64(probe_value(&probe, EVENT_VERSION));
		found->type_id = DatumGetInt32(probe_value(&probe, EVENT_TYPE_ID));
		found->effective_at = DatumGetTimestampTz(probe_value(&probe, EVENT_EFFECTIVE_AT));
		found->payload = DatumGetJsonbPCopy(probe_value(&probe, EVENT_PAYLOAD));
	}
	probe_end(&probe);
	return exists;
}

bool
log_find_position(int64 position, StoredEvent *found)
{
	return find_event("event_pkey", INT8OID, Int64GetDatum(position), NULL, found);
}

/* A given id is in the partial index; a made one tells its position. */
bool
log_find_event(const pg_uuid_t *event_id, StoredEvent *found)
{
	return find_event("event_given_id", UUIDOID, UUIDPGetDatum(event_id), event_id, found) ||
		find_event("event_pkey", INT8OID, Int64GetDatum(event_id_position(event_id)),
				   event_id, found);
}
