/*-------------------------------------------------------------------------
 *
 * log.h
 *	  Looking into the log and its dictionaries, each by one index descent.
 *
 *	  All look-ups see what is committed at the time of the call and what the
 *	  transaction itself has written, in any isolation level: they are made
 *	  under locks that may have been waited for.  To be used between
 *	  owner_begin() and owner_end().
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_LOG_H
#define FUNDES_LOG_H

#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* Types with smaller ids are built in. */
#define FIRST_USER_TYPE_ID 1000

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
extern int64 log_stream_version(int64 stream_id);
extern char *log_stream_name(int64 stream_id);
extern EventType log_event_type(const char *name);
extern bool log_find_position(int64 position, StoredEvent *found);
extern bool log_find_event(const pg_uuid_t *event_id, StoredEvent *found);

#endif							/* FUNDES_LOG_H */
