/*-------------------------------------------------------------------------
 *
 * json.h
 *	  Building and reading flat jsonb objects: the payloads of events.
 *
 *	  Values that are put are not copied before json_end().  The readers of a
 *	  value take a key that must be there, as the payload's type has already
 *	  been checked; json_find() is for keys that may be absent or null.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_JSON_H
#define FUNDES_JSON_H

#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

typedef struct JsonObject
{
	JsonbParseState *state;
} JsonObject;

extern void json_begin(JsonObject *object);
extern void json_put_null(JsonObject *object, const char *key);
extern void json_put_string(JsonObject *object, const char *key, const char *value);

/* NULL is put as null. */
extern void json_put_optional_string(JsonObject *object, const char *key, const char *value);
extern void json_put_numeric(JsonObject *object, const char *key, Numeric value);
extern void json_put_int64(JsonObject *object, const char *key, int64 value);
extern void json_put_bool(JsonObject *object, const char *key, bool value);
extern void json_put_date(JsonObject *object, const char *key, DateADT value);
/* A moment is written in UTC, as in ISO 8601. */
extern void json_put_moment(JsonObject *object, const char *key, TimestampTz value);
extern void json_put_json(JsonObject *object, const char *key, Jsonb *value);
extern Jsonb *json_end(JsonObject *object);

/* The keys of both; of a key in both, the value in second. */
extern Jsonb *json_merge(Jsonb *first, Jsonb *second);

/*
 * An object for many looks into it.  It must stay where it is, and what is put
 * into a Payload, too.
 */
typedef struct Payload
{
	const Jsonb *object;
	int			count;			/* of keys; 0 where it is no object */
	uint32	   *ends;			/* of the keys, then of their values */
	uint32		room[64];		/* for them, if they are as few */
} Payload;

extern void payload_open(Payload *payload, const Jsonb *object);

/* NULL where the key is absent or its value null. */
extern JsonbValue *payload_find(const Payload *payload, const char *key);
extern Numeric payload_numeric(const Payload *payload, const char *key);
extern int64 payload_int64(const Payload *payload, const char *key);
extern char *payload_string(const Payload *payload, const char *key);

/* A string as it stands in the object: without a byte 0 at its end. */
extern const char *payload_characters(const Payload *payload, const char *key, int *length);
extern DateADT payload_date(const Payload *payload, const char *key);

/* Whether a key that may be absent has a moment. */
extern bool payload_find_moment(const Payload *payload, const char *key, TimestampTz *value);
extern Jsonb *payload_json(const Payload *payload, const char *key);

/* The same for a single look. */
#define JSON_READER(type, reader) \
static inline type \
json_##reader(const Jsonb *object, const char *key) \
{ \
	Payload		payload; \
\
	payload_open(&payload, object); \
	return payload_##reader(&payload, key); \
}

JSON_READER(JsonbValue *, find)
JSON_READER(Numeric, numeric)
JSON_READER(int64, int64)
JSON_READER(char *, string)
JSON_READER(DateADT, date)
JSON_READER(Jsonb *, json)

static inline bool
json_find_moment(const Jsonb *object, const char *key, TimestampTz *value)
{
	Payload		payload;

	payload_open(&payload, object);
	return payload_find_moment(&payload, key, value);
}

/* Whether a text begins as YYYY-MM-DD, which every DateStyle reads alike. */
extern bool json_is_iso_date(const char *text);

/* Whether a text is just such a date, of the calendar. */
extern bool json_parse_date(const char *text, DateADT *date);

/* Such a date; else UF023. */
extern DateADT json_iso_date(const char *text);

/* The object as text, for DETAIL. */
extern char *json_text(const Jsonb *object);

#endif							/* FUNDES_JSON_H */
