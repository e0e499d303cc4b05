/*-------------------------------------------------------------------------
 *
 * payload_type.c
 *	  Whether a payload fits the composite type that its event type has, and
 *	  fundes.define_event_type(), which says so.
 *
 *	  Each attribute must be there unless its type allows null, its JSON type
 *	  must fit, its text must convert, domains' checks must hold, and there may
 *	  be no other keys.
 *
 *	  What is known of a composite type is kept for the backend's life.  It is
 *	  looked up by the type's oid and the identifier that the type cache gives
 *	  to a row type's present shape, so ALTER and DROP make it unused; domain
 *	  constraints are followed by the server's own domain code.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/htup_details.h"
#include "args.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "json.h"
#include "locks.h"
#include "miscadmin.h"
#include "number.h"
#include "owner.h"
#include "plan.h"
#include "store/dictionary.h"
#include "store/log.h"
#include "store/payload_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* What JSON a type takes. */
typedef enum Form
{
	FORM_JSON,					/* anything: json, jsonb */
	FORM_NUMBER,
	FORM_BOOLEAN,
	FORM_STRING,
	FORM_ARRAY,
	FORM_OBJECT
} Form;

static const char *const form_names[] =
{"any JSON", "a number", "a boolean", "a string", "an array", "an object"};

typedef struct Attribute
{
	char		name[NAMEDATALEN];
	int			name_length;
	Oid			type;
	Oid			base;
	bool		is_domain;
	Form		form;
	Oid			element;		/* of an array */
	FmgrInfo	input;			/* of the base type */
	Oid			ioparam;
	int32		typmod;
	void	   *domain;			/* domain_check()'s own memory */
} Attribute;

typedef struct Shape
{
	uint64		identifier;
	MemoryContext context;		/* of the shape itself */
	int			natts;
	Attribute  *atts;
	int		   *by_key;			/* their numbers, in jsonb's order of keys */
} Shape;

typedef struct ShapeEntry
{
	Oid			type;			/* hash key */
	Shape	   *shape;			/* or NULL */
} ShapeEntry;

static HTAB *shapes = NULL;

/*
 * A domain's check may be anybody's function, and alter the type that is being
 * checked: shapes that were replaced live until no check is under way.
 */
static List *replaced_shapes = NIL;
static int	checks_under_way = 0;

static Form
form_of(Oid base)
{
	if (base == JSONOID || base == JSONBOID)
		return FORM_JSON;
	if (base == BOOLOID)
		return FORM_BOOLEAN;
	if (get_typtype(base) == TYPTYPE_COMPOSITE)
		return FORM_OBJECT;
	if (OidIsValid(get_element_type(base)))
		return FORM_ARRAY;
	switch (base)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			return FORM_NUMBER;
		default:
			return FORM_STRING;
	}
}

static void
attribute_init(Attribute *att, const char *name, Oid type, int32 typmod,
			   MemoryContext context)
{
	Oid			input;

	memset(att, 0, sizeof(*att));
	strlcpy(att->name, name, NAMEDATALEN);
	att->name_length = strlen(att->name);
	att->type = type;
	att->typmod = typmod;
	att->base = getBaseTypeAndTypmod(type, &att->typmod);
	att->is_domain = att->base != type;
	att->form = form_of(att->base);
	att->element = get_element_type(att->base);
	getTypeInputInfo(att->base, &input, &att->ioparam);
	fmgr_info_cxt(input, &att->input, context);
}

/* jsonb has an object's members in this order: short keys first. */
static int
compare_key(const Attribute *att, const char *key, int length)
{
	return att->name_length != length ? att->name_length - length :
		memcmp(att->name, key, length);
}

static int
compare_names(const void *a, const void *b, void *atts)
{
	const Attribute *x = (Attribute *) atts + *(const int *) a;
	const Attribute *y = (Attribute *) atts + *(const int *) b;

	return compare_key(x, y->name, y->name_length);
}

static Shape *
shape_make(TypeCacheEntry *type)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "fundes payload type",
												  ALLOCSET_SMALL_SIZES);
	Shape	   *shape = MemoryContextAllocZero(context, sizeof(Shape));
	int			i;

	shape->context = context;
	shape->atts = MemoryContextAlloc(context,
									 sizeof(Attribute) * Max(type->tupDesc->natts, 1));
	for (i = 0; i < type->tupDesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(type->tupDesc, i);

		if (!att->attisdropped)
			attribute_init(&shape->atts[shape->natts++], NameStr(att->attname),
						   att->atttypid, att->atttypmod, context);
	}
	shape->by_key = MemoryContextAlloc(context, sizeof(int) * Max(shape->natts, 1));
	for (i = 0; i < shape->natts; i++)
		shape->by_key[i] = i;
	qsort_arg(shape->by_key, shape->natts, sizeof(int), compare_names, shape->atts);
	shape->identifier = type->tupDesc_identifier;
	return shape;
}

/* The shape of a composite type as it is now. */
static Shape *
shape_of(Oid type)
{
	TypeCacheEntry *cached = lookup_type_cache(type, TYPECACHE_TUPDESC);
	ShapeEntry *entry;
	bool		found;

	if (cached->tupDesc == NULL)
		elog(ERROR, "type %u is not composite", type);
	if (shapes == NULL)
	{
		HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(ShapeEntry)};

		shapes = hash_create("fundes payload types", 32, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(shapes, &type, HASH_ENTER, &found);
	if (!found)
		entry->shape = NULL;
	if (entry->shape != NULL && entry->shape->identifier != cached->tupDesc_identifier)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		replaced_shapes = lappend(replaced_shapes, entry->shape);
		MemoryContextSwitchTo(old);
		entry->shape = NULL;
	}
	if (entry->shape == NULL)
		entry->shape = shape_make(cached);
	return entry->shape;
}

static void
free_replaced_shapes(void)
{
	ListCell   *cell;

	foreach(cell, replaced_shapes)
		MemoryContextDelete(((Shape *) lfirst(cell))->context);
	list_free(replaced_shapes);
	replaced_shapes = NIL;
}

/* Where in a payload the check is, for the error. */
typedef struct Place
{
	const char *event_type;
	const char *key;			/* of the payload itself */
} Place;

pg_noreturn static void
misfit(const Place *place, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_PAYLOAD_MISFIT),
			 errmsg("payload of %s does not fit its type: key \"%s\"",
					place->event_type, place->key),
			 errdetail("%s", detail),
			 errhint("Mend the payload; doc/reference.md and fundes.define_event_type() say what a type takes.")));
}

static Form
form_of_value(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNumeric:
			return FORM_NUMBER;
		case jbvBool:
			return FORM_BOOLEAN;
		case jbvString:
			return FORM_STRING;
		case jbvBinary:
			return JsonContainerIsArray(value->val.binary.data) ? FORM_ARRAY : FORM_OBJECT;
		default:
			elog(ERROR, "unexpected JSON value of type %d", value->type);
	}
	return FORM_JSON;			/* keep the compiler quiet */
}

static void check_object(Shape *shape, Place *place, JsonbContainer *object,
						 bool outermost);

/* The server's conversion of a number to an integer type; NULL for other types. */
static PGFunction
integer_conversion(Oid type)
{
	return type == INT8OID ? numeric_int8 :
		type == INT4OID ? numeric_int4 :
		type == INT2OID ? numeric_int2 : NULL;
}

/*
 * Converts a number; its value must not depend on the type's digits, to which
 * the server's conversions would round it.
 */
static Datum
check_number(Attribute *att, Place *place, Numeric number)
{
	Datum		value = NumericGetDatum(number);
	PGFunction	to_integer = integer_conversion(att->base);
	Datum		converted;
	Datum		kept;
	int64		integer;

	if (att->base == INT8OID && number_small_int(number, &integer))
		return Int64GetDatum(integer);
	if (to_integer != NULL)
	{
		converted = DirectFunctionCall1(to_integer, value);
		/* no decimals, none lost */
		if (DatumGetInt32(DirectFunctionCall1(numeric_scale, value)) == 0)
			return converted;
		kept = DirectFunctionCall2(numeric_trunc, value, Int32GetDatum(0));
	}
	else
	{
		Oid			output;
		bool		varlena;

		converted = InputFunctionCall(&att->input,
									  DatumGetCString(DirectFunctionCall1(numeric_out, value)),
									  att->ioparam, att->typmod);
		if (att->base == FLOAT4OID || att->base == FLOAT8OID)
			return converted;
		getTypeOutputInfo(att->base, &output, &varlena);
		kept = DirectFunctionCall3(numeric_in,
								   CStringGetDatum(OidOutputFunctionCall(output, converted)),
								   ObjectIdGetDatum(InvalidOid),
								   Int32GetDatum(-1));
	}
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, kept, value)))
		misfit(place, "The number has more decimals than its type.");
	return converted;
}

/*
 * Whether a text means the same moment, day or length of time whatever the
 * session's settings and the clock are: ISO 8601, and a moment with its zone.
 */
static bool
is_unambiguous(Oid type, const char *text)
{
	switch (type)
	{
		case DATEOID:
		case TIMESTAMPOID:
			return json_is_iso_date(text);
		case TIMESTAMPTZOID:
			return json_is_iso_date(text) &&
				strlen(text) > 10 && strpbrk(text + 10, "+-Zz") != NULL;
		case INTERVALOID:
			return text[0] == 'P' || strchr(text, '-') == NULL;
		default:
			return true;
	}
}

/* Converts a scalar and checks its domain; the server's errors come through. */
static void
check_scalar(Attribute *att, Place *place, const JsonbValue *value)
{
	Datum		converted;
	DateADT		date;

	if (att->form == FORM_NUMBER && att->base == NUMERICOID && att->typmod < 0)
		converted = NumericGetDatum(value->val.numeric);
	else if (att->form == FORM_NUMBER)
		converted = check_number(att, place, value->val.numeric);
	else if (att->form == FORM_BOOLEAN)
		converted = BoolGetDatum(value->val.boolean);
	else if (att->base == TEXTOID && !att->is_domain)
		return;
	else if (att->base == TEXTOID)
		converted = PointerGetDatum(cstring_to_text_with_len(value->val.string.val,
															 value->val.string.len));
	else
	{
		char	   *string = pnstrdup(value->val.string.val, value->val.string.len);

		if (!is_unambiguous(att->base, string))
			misfit(place, psprintf("\"%s\" depends on settings or the clock: write it as in ISO 8601.",
								   string));
		if (att->base == DATEOID && json_parse_date(string, &date))
			converted = DateADTGetDatum(date);
		else
			converted = InputFunctionCall(&att->input, string, att->ioparam, att->typmod);
	}
	if (att->is_domain)
		domain_check(converted, false, att->type, &att->domain,
					 att->input.fn_mcxt);
}

static void
check_value(Attribute *att, Place *place, JsonbValue *value)
{
	check_stack_depth();
	if (value->type == jbvNull)
	{
		/* raises where a domain forbids null */
		if (att->is_domain)
			domain_check((Datum) 0, true, att->type, &att->domain,
						 att->input.fn_mcxt);
		return;
	}
	if (att->form != FORM_JSON && att->form != form_of_value(value))
		misfit(place, psprintf("It must be %s, as its type is %s.",
							   form_names[att->form],
							   format_type_be(att->type)));
	switch (att->form)
	{
		case FORM_JSON:
			if (att->is_domain)
				domain_check(JsonbPGetDatum(JsonbValueToJsonb(value)), false,
							 att->type, &att->domain, att->input.fn_mcxt);
			break;
		case FORM_OBJECT:
			check_object(shape_of(att->base), place, value->val.binary.data, false);
			break;
		case FORM_ARRAY:
			{
				Attribute	element;
				JsonbIterator *it = JsonbIteratorInit(value->val.binary.data);
				JsonbIteratorToken token;
				JsonbValue	v;

				attribute_init(&element, att->name, att->element, -1,
							   CurrentMemoryContext);
				while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
					if (token == WJB_ELEM)
						check_value(&element, place, &v);
				break;
			}
		default:
			check_scalar(att, place, value);
	}
}

/*
 * The values of an object by attribute, null where a key is absent; and the
 * first key that is no attribute, NULL if all are.
 */
static JsonbValue *
values_by_attribute(const Shape *shape, JsonbContainer *object, char **unknown)
{
	JsonbValue *values = palloc(sizeof(JsonbValue) * Max(shape->natts, 1));
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	v;
	JsonbValue *value = NULL;	/* where the next one goes */
	int			next = 0;
	int			i;

	for (i = 0; i < shape->natts; i++)
		values[i].type = jbvNull;
	*unknown = NULL;
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			int			order = 1;

			while (next < shape->natts &&
				   (order = compare_key(&shape->atts[shape->by_key[next]],
										v.val.string.val, v.val.string.len)) < 0)
				next++;
			value = order == 0 && next < shape->natts ? &values[shape->by_key[next]] : NULL;
			if (value == NULL && *unknown == NULL)
				*unknown = pnstrdup(v.val.string.val, v.val.string.len);
		}
		else if (token == WJB_VALUE && value != NULL)
			*value = v;
	}
	return values;
}

static void
check_object(Shape *shape, Place *place, JsonbContainer *object,
			 bool outermost)
{
	char	   *unknown;
	JsonbValue *values = values_by_attribute(shape, object, &unknown);
	int			i;

	for (i = 0; i < shape->natts; i++)
	{
		if (outermost)
			place->key = shape->atts[i].name;
		check_value(&shape->atts[i], place, &values[i]);
	}
	if (unknown != NULL)
	{
		if (outermost)
			place->key = unknown;
		misfit(place, "Its type has no such attribute.");
	}
	pfree(values);
}

/*
 * A type's checks are its owner's code, so they run as its owner, and cannot
 * get out of that: as a materialized view is refreshed.
 */
static Oid
type_owner(Oid type, const char *event_type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("payload type of %s does not exist any more", event_type),
				 errdetail("Its oid was %u.", type),
				 errhint("Say anew what its payload is with fundes.define_event_type().")));
	owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Turns an error of a conversion or a check into UF023. */
static void
explain_misfit(Place *place, const Jsonb *payload, MemoryContext context)
{
	ErrorData  *error;
	int			category;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	if (category != ERRCODE_DATA_EXCEPTION &&
		category != ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
		PG_RE_THROW();
	FlushErrorState();
	misfit(place, json_find(payload, place->key) == NULL ?
		   "The key is missing." : error->message);
}

void
payload_check(Oid payload_type, const char *event_type, const Jsonb *payload)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			user;
	int			security;
	Oid			owner = type_owner(payload_type, event_type);
	int			guc_level = 0;

	/* volatile: set in PG_TRY, read in PG_CATCH */
	Place *volatile place = palloc0(sizeof(Place));

	place->event_type = event_type;
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_RESTRICTED_OPERATION);
	/* what others set must not outlive their checks */
	if (owner != user)
		guc_level = NewGUCNestLevel();
	if (checks_under_way == 0)
		free_replaced_shapes();
	checks_under_way++;
	PG_TRY();
	{
		check_object(shape_of(payload_type), place,
					 unconstify(JsonbContainer *, &payload->root), true);
	}
	PG_CATCH();
	{
		checks_under_way--;
		explain_misfit(place, payload, context);
	}
	PG_END_TRY();
	checks_under_way--;
	if (guc_level > 0)
		AtEOXact_GUC(false, guc_level);
	SetUserIdAndSecContext(user, security);
}

/* Refuses what payload_check() could not check. */
static void
check_definable(Oid type)
{
	TupleDesc	desc;
	int			i;

	check_stack_depth();
	if (get_typtype(type) != TYPTYPE_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not a composite type", format_type_be(type)),
				 errdetail("The payload of an event is an object with keys."),
				 errhint("Make one with CREATE TYPE ... AS, an attribute for each key.")));
	if (isAnyTempNamespace(get_rel_namespace(get_typ_typrelid(type))))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is a temporary type", format_type_be(type)),
				 errdetail("It ends with the session."),
				 errhint("Events stay; make the type in a schema that stays, too.")));
	desc = lookup_rowtype_tupdesc_copy(type, -1);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Oid			base = getBaseType(att->atttypid);
		Oid			inner = base;
		Form		form = form_of(base);

		if (att->attisdropped)
			continue;
		if (base != att->atttypid && (form == FORM_ARRAY || form == FORM_OBJECT))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("attribute \"%s\" cannot be checked", NameStr(att->attname)),
					 errdetail("Its type %s is a domain over an array or a composite type.",
							   format_type_be(att->atttypid)),
					 errhint("Use the array or composite type itself, or jsonb.")));
		if (form == FORM_ARRAY)
			inner = get_element_type(base);
		if (get_typtype(inner) == TYPTYPE_COMPOSITE)
			check_definable(inner);
	}
}

FUNDES_FUNCTION(fundes_define_event_type);

Datum
fundes_define_event_type(PG_FUNCTION_ARGS)
{
	static KeptPlan upsert = PLAN("insert into fundes.event_type (name, payload_type) values ($1, $2)"
							  " on conflict (name) do update set payload_type = excluded.payload_type",
							  TEXTOID, REGTYPEOID);
	Owner		owner;
	char	   *name;
	Datum		values[2];
	char		nulls[2] = {' ', ' '};

	REQUIRE_ARG(0, "type");
	name = checked_name(PG_GETARG_TEXT_PP(0), "event type");
	values[0] = CStringGetTextDatum(name);
	if (PG_ARGISNULL(1))
		nulls[1] = 'n';
	else
	{
		check_definable(PG_GETARG_OID(1));
		values[1] = PG_GETARG_DATUM(1);
	}

	owner_begin(&owner);
	lock_acquire(LOCK_TYPE, lock_key(name, strlen(name)), LOCK_EXCLUSIVE);
	{
		int32		id = log_event_type(name).type_id;

		if (id != 0 && id < FIRST_USER_TYPE_ID)
			invalid_argument("a built-in event type cannot be defined anew",
							 psprintf("It is %s.", name),
							 "Choose another name for the events of your own streams.");
	}
	(void) plan_write(&upsert, values, nulls);
	dictionary_changed(DICTIONARY_TYPE);
	owner_end(&owner);
	PG_RETURN_VOID();
}
