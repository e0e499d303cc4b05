/*-------------------------------------------------------------------------
 *
 * log.h
 *	  Looking into the log and its dictionaries.
 *
 *	  All look-ups see what is committed at the time of the call and what the
 *	  transaction itself has written, in any isolation level: they are made
 *	  under locks that may have been waited for.  Rows of the dictionaries are
 *	  remembered, see dictionary.h.  To be used between owner_enter() and
 *	  owner_end().
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_LOG_H
#define FUNDES_LOG_H

#include "utils/jsonb.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* Columns of fundes.event, in the order of sql/store/schema.sql. */
enum
{
	EVENT_POSITION = 1, EVENT_STREAM_ID, EVENT_VERSION, EVENT_EFFECTIVE_AT,
	EVENT_RECORDED_AT, EVENT_TYPE_ID, EVENT_PAYLOAD, EVENT_EVENT_ID,
	EVENT_METADATA
};

#define EVENT_COLUMNS EVENT_METADATA

/* The same of fundes.stream. */
enum
{
	STREAM_ID = 1, STREAM_NAME
};

#define STREAM_COLUMNS STREAM_NAME

/* Types with smaller ids are built in. */
#define FIRST_USER_TYPE_ID 1000

/*
 * A stream's id carries its category: the category's key, a hash, stands above
 * a serial number.  So a filter by category is a condition on the log's rows
 * alone, which an index can serve.  Categories that share a key are told apart
 * by their names.
 */
#define STREAM_SERIAL_BITS	40
#define CATEGORY_KEY_BITS	23

typedef struct EventType
{
	int32		type_id;		/* 0: not in the dictionary */
	Oid			payload_type;	/* InvalidOid: any object */
} EventType;

typedef struct StoredEvent
{
	int64		position;
	int64		stream_id;
	int64		version;
	int32		type_id;
	pg_uuid_t	event_id;
	TimestampTz effective_at;
	Jsonb	   *payload;
} StoredEvent;

extern int64 log_stream_id(const char *name);	/* 0: no such stream */

/*
 * The log's table and the index of its streams, for who appends: each is opened
 * by the first who asks.  Locks stay.
 */
typedef struct OpenLog
{
	Relation	table;
	Relation	versions;
} OpenLog;

extern Relation log_table(OpenLog *log);
extern Relation log_versions(OpenLog *log);
extern void log_close(OpenLog *log);

/* The version of a stream's last event, 0 where there is none; it is locked. */
extern int64 log_stream_version(OpenLog *log, int64 stream_id);

extern text *log_stream_name(int64 stream_id);
extern text *log_type_name(int32 type_id);
extern EventType log_event_type(const char *name);
extern bool log_find_position(int64 position, StoredEvent *found);
extern bool log_find_event(const pg_uuid_t *event_id, StoredEvent *found);

/* What stands before the first "-", or all of the name. */
static inline int
category_length(const char *stream)
{
	return (int) strcspn(stream, "-");
}

/*
 * It is stored, and read again on other machines and by later versions of the
 * server: so it is a hash of its own (FNV-1a, folded), which never changes.
 */
static inline int64
category_key(const char *category, int len)
{
	uint64		hash = UINT64CONST(0xcbf29ce484222325);
	int			i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char) category[i]) * UINT64CONST(0x100000001b3);
	hash ^= hash >> 32;
	return (int64) (hash & ((1 << CATEGORY_KEY_BITS) - 1));
}

#endif							/* FUNDES_LOG_H */
