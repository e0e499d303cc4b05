/*-------------------------------------------------------------------------
 *
 * event_id.c
 *	  Ids that fundes makes for events, see event_id.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "port/pg_bswap.h"
#include "store/event_id.h"
#include "utils/fmgrprotos.h"

#define UNIX_EPOCH_OFFSET \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)
#define POSITION_BITS ((UINT64CONST(1) << 62) - 1)

void
event_id_make(pg_uuid_t *id, TimestampTz recorded_at, int64 position)
{
	uint64		us = (uint64) (recorded_at + UNIX_EPOCH_OFFSET);
	uint64		high = (us / 1000) << 16 | UINT64CONST(0x7000) | us % 1000;
	uint64		low = UINT64CONST(0x8000000000000000) | (uint64) position;

	if ((uint64) position > POSITION_BITS)
		elog(ERROR, "position " INT64_FORMAT " does not fit an event id", position);
	high = pg_hton64(high);
	low = pg_hton64(low);
	memcpy(id->data, &high, 8);
	memcpy(id->data + 8, &low, 8);
}

bool
event_id_may_be_made(const pg_uuid_t *id)
{
	return id->data[6] >> 4 == 7 && id->data[8] >> 6 == 2;
}

int64
event_id_position(const pg_uuid_t *id)
{
	uint64		low;

	memcpy(&low, id->data + 8, 8);
	return (int64) (pg_ntoh64(low) & POSITION_BITS);
}

char *
event_id_text(const pg_uuid_t *id)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));
}
