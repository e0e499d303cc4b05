/*-------------------------------------------------------------------------
 *
 * event_id.h
 *	  Ids that fundes makes for events.
 *
 *	  A made id is a UUIDv7 (RFC 9562): 48 bits of milliseconds since 1970 and
 *	  12 bits of the microseconds within, both of recorded_at, and 62 bits that
 *	  are the event's position.  So made ids are in the log's order, unique by
 *	  construction, and found through the primary key of the log.  They are not
 *	  stored: whoever reads the log makes them again, in SQL view event_log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_EVENT_ID_H
#define FUNDES_EVENT_ID_H

#include "utils/timestamp.h"
#include "utils/uuid.h"

extern void event_id_make(pg_uuid_t *id, TimestampTz recorded_at, int64 position);

/* Whether an id has the form of a made one; others may have it, too. */
extern bool event_id_may_be_made(const pg_uuid_t *id);

/* The position in a made id; of any other id, a number that means nothing. */
extern int64 event_id_position(const pg_uuid_t *id);

extern char *event_id_text(const pg_uuid_t *id);

static inline bool
event_id_equal(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a, b, UUID_LEN) == 0;
}

#endif							/* FUNDES_EVENT_ID_H */
