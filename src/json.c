/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Building and reading flat jsonb objects, see json.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/pg_type.h"
#include "json.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

void
json_begin(JsonObject *object)
{
	object->state = NULL;
	(void) pushJsonbValue(&object->state, WJB_BEGIN_OBJECT, NULL);
}

static void
put(JsonObject *object, const char *key, JsonbValue *value)
{
	JsonbValue	name;

	name.type = jbvString;
	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	(void) pushJsonbValue(&object->state, WJB_KEY, &name);
	(void) pushJsonbValue(&object->state, WJB_VALUE, value);
}

void
json_put_null(JsonObject *object, const char *key)
{
	JsonbValue	v;

	v.type = jbvNull;
	put(object, key, &v);
}

void
json_put_string(JsonObject *object, const char *key, const char *value)
{
	JsonbValue	v;

	v.type = jbvString;
	v.val.string.val = unconstify(char *, value);
	v.val.string.len = strlen(value);
	put(object, key, &v);
}

void
json_put_optional_string(JsonObject *object, const char *key, const char *value)
{
	if (value != NULL)
		json_put_string(object, key, value);
	else
		json_put_null(object, key);
}

void
json_put_numeric(JsonObject *object, const char *key, Numeric value)
{
	JsonbValue	v;

	v.type = jbvNumeric;
	v.val.numeric = value;
	put(object, key, &v);
}

void
json_put_int64(JsonObject *object, const char *key, int64 value)
{
	json_put_numeric(object, key, int64_to_numeric(value));
}

void
json_put_bool(JsonObject *object, const char *key, bool value)
{
	JsonbValue	v;

	v.type = jbvBool;
	v.val.boolean = value;
	put(object, key, &v);
}

void
json_put_date(JsonObject *object, const char *key, DateADT value)
{
	json_put_string(object, key,
					JsonEncodeDateTime(NULL, DateADTGetDatum(value), DATEOID, NULL));
}

void
json_put_moment(JsonObject *object, const char *key, TimestampTz value)
{
	int			utc = 0;

	json_put_string(object, key,
					JsonEncodeDateTime(NULL, TimestampTzGetDatum(value), TIMESTAMPTZOID, &utc));
}

void
json_put_json(JsonObject *object, const char *key, Jsonb *value)
{
	JsonbValue	v;

	v.type = jbvBinary;
	v.val.binary.data = &value->root;
	v.val.binary.len = VARSIZE(value) - VARHDRSZ;
	put(object, key, &v);
}

Jsonb *
json_end(JsonObject *object)
{
	return JsonbValueToJsonb(pushJsonbValue(&object->state, WJB_END_OBJECT, NULL));
}

Jsonb *
json_merge(Jsonb *first, Jsonb *second)
{
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat,
											  JsonbPGetDatum(first),
											  JsonbPGetDatum(second)));
}

/* The value of a key, or NULL where the key is absent or its value null. */
JsonbValue *
json_find(const Jsonb *object, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(unconstify(JsonbContainer *, &object->root),
													 key, strlen(key), NULL);

	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* Payloads are checked as they are appended; not so what a superuser inserts. */
static JsonbValue *
must_find(const Jsonb *object, const char *key, enum jbvType type)
{
	JsonbValue *value = json_find(object, key);

	if (value == NULL || (value->type != type && type != jbvNull))
		ereport(ERROR,
				(errcode(ERRCODE_PAYLOAD_MISFIT),
				 errmsg("payload does not fit its type: key \"%s\"", key),
				 errdetail("The payload is %s.", json_text(object)),
				 errhint("Append events with fundes.append(), which checks them.")));
	return value;
}

Numeric
json_numeric(const Jsonb *object, const char *key)
{
	return must_find(object, key, jbvNumeric)->val.numeric;
}

int64
json_int64(const Jsonb *object, const char *key)
{
	return DatumGetInt64(DirectFunctionCall1(numeric_int8,
											 NumericGetDatum(json_numeric(object, key))));
}

char *
json_string(const Jsonb *object, const char *key)
{
	JsonbValue *value = must_find(object, key, jbvString);

	return pnstrdup(value->val.string.val, value->val.string.len);
}

bool
json_is_iso_date(const char *text)
{
	static const char pattern[] = "0000-00-00";
	int			i;

	for (i = 0; pattern[i] != '\0'; i++)
		if (pattern[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i])
			return false;
	return true;
}

static int
two_digits(const char *text)
{
	return (text[0] - '0') * 10 + (text[1] - '0');
}

DateADT
json_iso_date(const char *text)
{
	int			year = 0;
	int			month = 0;
	int			day = 0;
	int			julian;
	int			y,
				m,
				d;

	if (json_is_iso_date(text) && text[10] == '\0')
	{
		year = two_digits(text) * 100 + two_digits(text + 2);
		month = two_digits(text + 5);
		day = two_digits(text + 8);
	}
	julian = date2j(year, month, day);
	j2date(julian, &y, &m, &d);
	if (year < 1 || y != year || m != month || d != day)
		ereport(ERROR,
				(errcode(ERRCODE_PAYLOAD_MISFIT),
				 errmsg("payload does not fit its type: not a date as in ISO 8601"),
				 errdetail("It is \"%s\".", text),
				 errhint("Write it as YYYY-MM-DD.")));
	return julian - POSTGRES_EPOCH_JDATE;
}

DateADT
json_date(const Jsonb *object, const char *key)
{
	return json_iso_date(json_string(object, key));
}

/* Without an offset a text would mean what the session's zone makes of it. */
bool
json_find_moment(const Jsonb *object, const char *key, TimestampTz *value)
{
	char	   *text;

	if (json_find(object, key) == NULL)
		return false;
	text = json_string(object, key);
	if (!json_is_iso_date(text) || strpbrk(text + 10, "+-Zz") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PAYLOAD_MISFIT),
				 errmsg("payload does not fit its type: key \"%s\"", key),
				 errdetail("\"%s\" is not a moment with an offset, as in ISO 8601.", text),
				 errhint("Write it as YYYY-MM-DDThh:mm:ss+00:00.")));
	*value = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	return true;
}

Jsonb *
json_json(const Jsonb *object, const char *key)
{
	return JsonbValueToJsonb(must_find(object, key, jbvNull));
}

char *
json_text(const Jsonb *object)
{
	return JsonbToCString(NULL, unconstify(JsonbContainer *, &object->root),
						  VARSIZE(object));
}
