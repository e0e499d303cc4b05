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
#include "number.h"
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

/*
 * Reading.  The server's own look-up sums up lengths for each key that it looks
 * at: here they are summed up once.
 */
void
payload_open(Payload *payload, const Jsonb *object)
{
	const JEntry *parts = object->root.children;
	int			count = JB_ROOT_IS_OBJECT(object) ? JB_ROOT_COUNT(object) : 0;
	uint32		end = 0;
	int			i;

	payload->object = object;
	payload->count = count;
	payload->ends = 2 * count <= lengthof(payload->room) ? payload->room :
		palloc(sizeof(uint32) * 2 * count);
	for (i = 0; i < 2 * count; i++)
	{
		JBE_ADVANCE_OFFSET(end, parts[i]);
		payload->ends[i] = end;
	}
}

/* A part of a container as a value, which points into the container. */
static inline void
take_part(JEntry part, const char *data, uint32 offset, uint32 end, JsonbValue *value)
{
	char	   *aligned = unconstify(char *, data) + INTALIGN(offset);

	if (JBE_ISSTRING(part))
	{
		value->type = jbvString;
		value->val.string.val = unconstify(char *, data) + offset;
		value->val.string.len = end - offset;
	}
	else if (JBE_ISNUMERIC(part))
	{
		value->type = jbvNumeric;
		value->val.numeric = (Numeric) aligned;
	}
	else if (JBE_ISNULL(part))
		value->type = jbvNull;
	else if (JBE_ISBOOL(part))
	{
		value->type = jbvBool;
		value->val.boolean = JBE_ISBOOL_TRUE(part);
	}
	else
	{
		value->type = jbvBinary;
		value->val.binary.data = (JsonbContainer *) aligned;
		value->val.binary.len = end - INTALIGN(offset);
	}
}

/*
 * False where the key is absent or its value null.  Keys are sorted, by their
 * lengths first.
 */
static bool
look_up(const Payload *payload, const char *key, JsonbValue *value)
{
	const JEntry *parts = payload->object->root.children;
	const uint32 *ends = payload->ends;
	int			count = payload->count;
	const char *data = (const char *) (parts + 2 * count);
	uint32		length = strlen(key);
	uint32		offset = 0;
	int			i;

	for (i = 0; i < count && ends[i] - offset <= length; offset = ends[i++])
		if (ends[i] - offset == length && memcmp(data + offset, key, length) == 0)
		{
			i += count;
			take_part(parts[i], data, ends[i - 1], ends[i], value);
			return value->type != jbvNull;
		}
	return false;
}

JsonbValue *
payload_find(const Payload *payload, const char *key)
{
	JsonbValue	value;
	JsonbValue *found;

	if (!look_up(payload, key, &value))
		return NULL;
	found = palloc(sizeof(JsonbValue));
	*found = value;
	return found;
}

/* Payloads are checked as they are appended; not so what a superuser inserts. */
pg_noreturn static void
refuse_key(const Payload *payload, const char *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_PAYLOAD_MISFIT),
			 errmsg("payload does not fit its type: key \"%s\"", key),
			 errdetail("The payload is %s.", json_text(payload->object)),
			 errhint("Append events with fundes.append(), which checks them.")));
}

static void
must_find(const Payload *payload, const char *key, enum jbvType type, JsonbValue *value)
{
	if (!look_up(payload, key, value) || (value->type != type && type != jbvNull))
		refuse_key(payload, key);
}

Numeric
payload_numeric(const Payload *payload, const char *key)
{
	JsonbValue	value;

	must_find(payload, key, jbvNumeric, &value);
	return value.val.numeric;
}

int64
payload_int64(const Payload *payload, const char *key)
{
	Numeric		number = payload_numeric(payload, key);
	int64		value;

	if (number_small_int(number, &value))
		return value;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(number)));
}

const char *
payload_characters(const Payload *payload, const char *key, int *length)
{
	JsonbValue	value;

	must_find(payload, key, jbvString, &value);
	*length = value.val.string.len;
	return value.val.string.val;
}

/* No string of a jsonb has a byte 0. */
char *
payload_string(const Payload *payload, const char *key)
{
	int			length;
	const char *characters = payload_characters(payload, key, &length);
	char	   *string = palloc(length + 1);

	memcpy(string, characters, length);
	string[length] = '\0';
	return string;
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

bool
json_parse_date(const char *text, DateADT *date)
{
	int			year;
	int			month;
	int			day;
	int			julian;
	int			y,
				m,
				d;

	if (!json_is_iso_date(text) || text[10] != '\0')
		return false;
	year = two_digits(text) * 100 + two_digits(text + 2);
	month = two_digits(text + 5);
	day = two_digits(text + 8);
	julian = date2j(year, month, day);
	j2date(julian, &y, &m, &d);
	*date = julian - POSTGRES_EPOCH_JDATE;
	return year >= 1 && y == year && m == month && d == day;
}

DateADT
json_iso_date(const char *text)
{
	DateADT		date;

	if (!json_parse_date(text, &date))
		ereport(ERROR,
				(errcode(ERRCODE_PAYLOAD_MISFIT),
				 errmsg("payload does not fit its type: not a date as in ISO 8601"),
				 errdetail("It is \"%s\".", text),
				 errhint("Write it as YYYY-MM-DD.")));
	return date;
}

DateADT
payload_date(const Payload *payload, const char *key)
{
	return json_iso_date(payload_string(payload, key));
}

/* Without an offset a text would mean what the session's zone makes of it. */
bool
payload_find_moment(const Payload *payload, const char *key, TimestampTz *value)
{
	JsonbValue	found;
	char	   *text;

	if (!look_up(payload, key, &found))
		return false;
	text = payload_string(payload, key);
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
payload_json(const Payload *payload, const char *key)
{
	JsonbValue	value;

	must_find(payload, key, jbvNull, &value);
	return JsonbValueToJsonb(&value);
}

char *
json_text(const Jsonb *object)
{
	return JsonbToCString(NULL, unconstify(JsonbContainer *, &object->root),
						  VARSIZE(object));
}
