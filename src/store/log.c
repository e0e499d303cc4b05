/*-------------------------------------------------------------------------
 *
 * log.c
 *	  Looking into the log and its dictionaries, see log.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_collation.h"
#include "executor/tuptable.h"
#include "owner.h"
#include "store/event_id.h"
#include "store/log.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Columns in the order of sql/store/schema.sql. */
enum
{
	STREAM_ID = 1, STREAM_NAME
};

enum
{
	TYPE_ID = 1, TYPE_NAME, TYPE_PAYLOAD_TYPE
};

enum
{
	EVENT_POSITION = 1, EVENT_STREAM_ID, EVENT_VERSION, EVENT_EFFECTIVE_AT,
	EVENT_RECORDED_AT, EVENT_TYPE_ID, EVENT_ID_GIVEN, EVENT_EVENT_ID,
	EVENT_PAYLOAD
};

/* One look-up: what is open between probe_begin() and probe_end(). */
typedef struct Probe
{
	Relation	table;
	Relation	index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
} Probe;

/* Finds the first row, in the index's order or against it. */
static bool
probe_begin(Probe *probe, const char *table, const char *index,
			ScanKey key, ScanDirection direction)
{
	probe->table = table_open(fundes_relation(table), AccessShareLock);
	probe->index = index_open(fundes_relation(index), AccessShareLock);
	probe->slot = table_slot_create(probe->table, NULL);
	probe->scan = begin_index_scan(probe->table, probe->index,
								   RegisterSnapshot(GetLatestSnapshot()), 1);
	index_rescan(probe->scan, key, 1, NULL, 0);
	return index_getnext_slot(probe->scan, direction, probe->slot);
}

static void
probe_end(Probe *probe)
{
	Snapshot	snapshot = probe->scan->xs_snapshot;

	index_endscan(probe->scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(probe->slot);
	index_close(probe->index, AccessShareLock);
	table_close(probe->table, AccessShareLock);
}

static Datum
probe_value(Probe *probe, int column)
{
	bool		isnull;
	Datum		value = slot_getattr(probe->slot, column, &isnull);

	return isnull ? (Datum) 0 : value;
}

static void
key_int64(ScanKey key, int64 value)
{
	ScanKeyInit(key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(value));
}

static void
key_name(ScanKey key, const char *name)
{
	ScanKeyEntryInitialize(key, 0, 1, BTEqualStrategyNumber, InvalidOid,
						   C_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(name));
}

int64
log_stream_id(const char *name)
{
	Probe		probe;
	ScanKeyData key;
	int64		result = 0;

	key_name(&key, name);
	if (probe_begin(&probe, "stream", "stream_name_key", &key, ForwardScanDirection))
		result = DatumGetInt64(probe_value(&probe, STREAM_ID));
	probe_end(&probe);
	return result;
}

/* The version of a stream's last event, 0 where it has none. */
int64
log_stream_version(int64 stream_id)
{
	Probe		probe;
	ScanKeyData key;
	int64		result = 0;

	key_int64(&key, stream_id);
	if (probe_begin(&probe, "event", "event_stream_id_version_key", &key,
					BackwardScanDirection))
		result = DatumGetInt64(probe_value(&probe, EVENT_VERSION));
	probe_end(&probe);
	return result;
}

char *
log_stream_name(int64 stream_id)
{
	Probe		probe;
	ScanKeyData key;
	char	   *result;

	key_int64(&key, stream_id);
	if (!probe_begin(&probe, "stream", "stream_pkey", &key, ForwardScanDirection))
		elog(ERROR, "stream " INT64_FORMAT " does not exist", stream_id);
	result = TextDatumGetCString(probe_value(&probe, STREAM_NAME));
	probe_end(&probe);
	return result;
}

EventType
log_event_type(const char *name)
{
	Probe		probe;
	ScanKeyData key;
	EventType	result = {0, InvalidOid};

	key_name(&key, name);
	if (probe_begin(&probe, "event_type", "event_type_name_key", &key,
					ForwardScanDirection))
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
find_event(const char *index, ScanKey key, const pg_uuid_t *id,
		   StoredEvent *found)
{
	Probe		probe;
	bool		exists = probe_begin(&probe, "event", index, key,
									 ForwardScanDirection);

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
	ScanKeyData key;

	key_int64(&key, position);
	return find_event("event_pkey", &key, NULL, found);
}

/* A given id is in the partial index; a made one tells its position. */
bool
log_find_event(const pg_uuid_t *event_id, StoredEvent *found)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(event_id));
	if (find_event("event_given_id", &key, event_id, found))
		return true;
	key_int64(&key, event_id_position(event_id));
	return find_event("event_pkey", &key, event_id, found);
}
