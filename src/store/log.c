/*-------------------------------------------------------------------------
 *
 * log.c
 *	  Looking into the log and its dictionaries, see log.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "btree_last.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "owner.h"
#include "probe.h"
#include "store/dictionary.h"
#include "store/event_id.h"
#include "store/log.h"
#include "utils/builtins.h"

/* Columns of fundes.event_type, in the order of sql/store/schema.sql. */
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
	return probe_begin(probe, fundes_relation(table), index, direction);
}

static DictionaryEntry
stream_in(TupleTableSlot *row)
{
	DictionaryEntry stream = {0};
	bool		isnull;

	stream.id = DatumGetInt64(slot_getattr(row, STREAM_ID, &isnull));
	stream.name = TextDatumGetCString(slot_getattr(row, STREAM_NAME, &isnull));
	stream.len = strlen(stream.name);
	return stream;
}

/* As the probe sees them. */
static void
remember_all_streams(Probe *probe, uint64 epoch)
{
	TupleTableSlot *slot = table_slot_create(probe->table, NULL);
	TableScanDesc scan = table_beginscan(probe->table, probe->snapshot, 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		DictionaryEntry stream = stream_in(slot);

		CHECK_FOR_INTERRUPTS();
		dictionary_remember(DICTIONARY_STREAM, epoch, slot, &stream);
		pfree(unconstify(char *, stream.name));
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
}

/* Looks for a stream, and remembers it. */
static DictionaryEntry
find_stream(const char *index, Oid type, Datum key)
{
	DictionaryEntry stream = {0};
	uint64		epoch = dictionary_epoch(DICTIONARY_STREAM);
	Probe		probe;

	if (find(&probe, "stream", index, type, key, ForwardScanDirection))
	{
		stream = stream_in(probe.slot);
		dictionary_remember(DICTIONARY_STREAM, epoch, probe.slot, &stream);
		if (dictionary_wants_all(DICTIONARY_STREAM, probe.table))
			remember_all_streams(&probe, epoch);
	}
	probe_end(&probe);
	return stream;
}

/* Looks for a type, and remembers it. */
static DictionaryEntry
find_type(const char *index, Oid type, Datum key)
{
	DictionaryEntry found = {0};
	uint64		epoch = dictionary_epoch(DICTIONARY_TYPE);
	Probe		probe;

	if (find(&probe, "event_type", index, type, key, ForwardScanDirection))
	{
		found.id = DatumGetInt32(probe_value(&probe, TYPE_ID));
		found.payload_type = DatumGetObjectId(probe_value(&probe, TYPE_PAYLOAD_TYPE));
		found.name = TextDatumGetCString(probe_value(&probe, TYPE_NAME));
		found.len = strlen(found.name);
		dictionary_remember(DICTIONARY_TYPE, epoch, probe.slot, &found);
	}
	probe_end(&probe);
	return found;
}

int64
log_stream_id(const char *name)
{
	const DictionaryEntry *known = dictionary_by_name(DICTIONARY_STREAM, name);

	return known != NULL ? known->id :
		find_stream("stream_name_key", TEXTOID, CStringGetTextDatum(name)).id;
}

EventType
log_event_type(const char *name)
{
	const DictionaryEntry *known = dictionary_by_name(DICTIONARY_TYPE, name);
	DictionaryEntry found;
	EventType	result;

	found = known != NULL ? *known :
		find_type("event_type_name_key", TEXTOID, CStringGetTextDatum(name));
	result.type_id = (int32) found.id;
	result.payload_type = found.payload_type;
	return result;
}

text *
log_stream_name(int64 stream_id)
{
	const DictionaryEntry *known = dictionary_by_id(DICTIONARY_STREAM, stream_id);
	DictionaryEntry stream;

	if (known != NULL)
		return cstring_to_text_with_len(known->name, known->len);
	stream = find_stream("stream_pkey", INT8OID, Int64GetDatum(stream_id));
	if (stream.name == NULL)
		elog(ERROR, "stream " INT64_FORMAT " does not exist", stream_id);
	return cstring_to_text_with_len(stream.name, stream.len);
}

text *
log_type_name(int32 type_id)
{
	const DictionaryEntry *known = dictionary_by_id(DICTIONARY_TYPE, type_id);
	DictionaryEntry type;

	if (known != NULL)
		return cstring_to_text_with_len(known->name, known->len);
	type = find_type("event_type_pkey", INT4OID, Int32GetDatum(type_id));
	if (type.name == NULL)
		elog(ERROR, "event type %d does not exist", type_id);
	return cstring_to_text_with_len(type.name, type.len);
}

Relation
log_table(OpenLog *log)
{
	if (log->table == NULL)
		log->table = table_open(fundes_relation("event"), RowExclusiveLock);
	return log->table;
}

Relation
log_versions(OpenLog *log)
{
	if (log->versions == NULL)
		log->versions = index_open(fundes_relation("event_stream_id_version_key"),
								   RowExclusiveLock);
	return log->versions;
}

void
log_close(OpenLog *log)
{
	if (log->versions != NULL)
		index_close(log->versions, NoLock);
	if (log->table != NULL)
		table_close(log->table, NoLock);
}

/* Where an aborted transaction has left the last entry, a scan looks for one before. */
int64
log_stream_version(OpenLog *log, int64 stream_id)
{
	Relation	table = log_table(log);
	int64		version = 0;
	Probe		probe;

	if (btree_last(table, log_versions(log), stream_id, &version) != BTREE_LAST_UNKNOWN)
		return version;
	if (find(&probe, "event", "event_stream_id_version_key", INT8OID,
			 Int64GetDatum(stream_id), BackwardScanDirection))
		version = DatumGetInt64(probe_value(&probe, EVENT_VERSION));
	probe_end(&probe);
	return version;
}

/* The id that was given, or that which the row makes. */
static void
read_event_id(Probe *probe, pg_uuid_t *id)
{
	Datum		given = probe_value(probe, EVENT_EVENT_ID);

	if (given != (Datum) 0)
		memcpy(id, DatumGetUUIDP(given), UUID_LEN);
	else
		event_id_make(id, DatumGetTimestampTz(probe_value(probe, EVENT_RECORDED_AT)),
					  DatumGetInt64(probe_value(probe, EVENT_POSITION)));
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
		read_event_id(&probe, &found->event_id);
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
	if (find_event("event_given_id", UUIDOID, UUIDPGetDatum(event_id), event_id, found))
		return true;
	return event_id_may_be_made(event_id) &&
		find_event("event_pkey", INT8OID, Int64GetDatum(event_id_position(event_id)),
				   event_id, found);
}
