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

extern JsonbValue *json_find(const Jsonb *object, const char *key);
extern Numeric json_numeric(const Jsonb *object, const char *key);
extern int64 json_int64(const Jsonb *object, const char *key);
extern char *json_string(const Jsonb *object, const char *key);
extern DateADT json_date(const Jsonb *object, const char *key);

/* Whether a key that may be absent has a moment. */
extern bool json_find_moment(const Jsonb *object, const char *key, TimestampTz *value);

/* Whether a text begins as YYYY-MM-DD, which every DateStyle reads alike. */
extern bool json_is_iso_date(const char *text);

/* Such a date; else UF023. */
extern DateADT json_iso_date(const char *text);
extern Jsonb *json_json(const Jsonb *object, const char *key);

/* The object as text, for DETAIL. */
extern char *json_text(const Jsonb *object);

#endif							/* FUNDES_JSON_H */
