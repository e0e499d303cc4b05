/*-------------------------------------------------------------------------
 *
 * append_functions.c
 *	  fundes.append() and fundes.append_batch(): arguments in, places out.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "args.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "owner.h"
#include "store/append.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#define MAX_BATCH 100000

/*
 * Arguments
 */

static void
set_metadata(NewEvent *event, Datum value, bool isnull)
{
	event->metadata = isnull ? NULL :
		checked_json_object(DatumGetJsonbP(value), "metadata");
}

static void
set_effective_at(NewEvent *event, Datum value, bool isnull)
{
	event->effective_given = !isnull;
	event->effective_at = isnull ? GetCurrentTransactionStartTimestamp() :
		DatumGetTimestampTz(value);
	if (!isnull)
		check_finite(event->effective_at, "effective_at");
}

static void
set_event_id(NewEvent *event, Datum value, bool isnull)
{
	event->id_given = !isnull;
	if (!isnull)
		memcpy(&event->event_id, DatumGetUUIDP(value), UUID_LEN);
}

/*
 * Results
 */

static void
place_values(const NewEvent *event, bool replayed, Datum *values)
{
	values[0] = UUIDPGetDatum(&event->event_id);
	values[1] = CStringGetTextDatum(event->stream);
	values[2] = Int64GetDatum(event->version);
	values[3] = Int64GetDatum(event->position);
	values[4] = BoolGetDatum(replayed);
}

/* The type is declared: so it need neither be resolved nor copied. */
static Datum
place_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
	HeapTuple	row = heap_form_tuple(desc, values, nulls);

	ReleaseTupleDesc(desc);
	return HeapTupleGetDatum(row);
}

FUNDES_FUNCTION(fundes_append);

Datum
fundes_append(PG_FUNCTION_ARGS)
{
	NewEvent	event = {0};
	Expectation expectation;
	bool		expects = !PG_ARGISNULL(3);
	Datum		values[5];
	bool		nulls[5] = {0};
	bool		replayed;
	Owner		owner;

	REQUIRE_ARG(0, "stream");
	REQUIRE_ARG(1, "type");
	REQUIRE_ARG(2, "payload");
	event.stream = checked_name(PG_GETARG_TEXT_PP(0), "stream");
	event.type = checked_name(PG_GETARG_TEXT_PP(1), "event type");
	event.payload = checked_json_object(PG_GETARG_JSONB_P(2), "payload");
	set_event_id(&event, PG_GETARG_DATUM(4), PG_ARGISNULL(4));
	set_metadata(&event, PG_GETARG_DATUM(5), PG_ARGISNULL(5));
	set_effective_at(&event, PG_GETARG_DATUM(6), PG_ARGISNULL(6));
	expectation.stream = event.stream;
	expectation.version = expects ? checked_expected_version(PG_GETARG_INT64(3)) : EXPECT_ANY;
	check_event_size(event.payload, event.metadata);

	owner_enter(&owner);
	replayed = append_outside_events(&event, 1, &expectation, expects ? 1 : 0);
	owner_end(&owner);

	place_values(&event, replayed, values);
	return place_row(fcinfo, values, nulls);
}

/*
 * Arrays
 */

typedef struct Array
{
	const char *name;
	bool		given;
	int			n;
	Datum	   *elements;
	bool	   *nulls;
} Array;

static Array
array_arg(FunctionCallInfo fcinfo, int arg, const char *name)
{
	Array		result = {name, false, 0, NULL, NULL};
	ArrayType  *array;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (PG_ARGISNULL(arg))
		return result;
	array = PG_GETARG_ARRAYTYPE_P(arg);
	if (ARR_NDIM(array) > 1)
		invalid_argument(psprintf("%s must have one dimension", name),
						 psprintf("It has %d.", ARR_NDIM(array)), "Give one element an event.");
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign,
					  &result.elements, &result.nulls, &result.n);
	result.given = true;
	return result;
}

static void
check_length(const Array *array, const Array *model)
{
	if (array->n != model->n)
		invalid_argument(psprintf("%s and %s must have the same length",
								  model->name, array->name),
						 psprintf("They have %d and %d elements.", model->n, array->n),
						 "Elements at the same place belong together.");
}

static Datum
element(const Array *array, int i, bool *isnull)
{
	*isnull = !array->given || array->nulls[i];
	return *isnull ? (Datum) 0 : array->elements[i];
}

static Datum
required_element(const Array *array, int i)
{
	if (array->nulls[i])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain null", array->name),
				 errdetail("Element %d is null.", i + 1),
				 errhint("Give a value for each.")));
	return array->elements[i];
}

static NewEvent *
batch_events(FunctionCallInfo fcinfo, int *count)
{
	Array		streams;
	Array		others[5];
	NewEvent   *events;
	int			i;

	REQUIRE_ARG(0, "streams");
	REQUIRE_ARG(1, "types");
	REQUIRE_ARG(2, "payloads");
	streams = array_arg(fcinfo, 0, "streams");
	others[0] = array_arg(fcinfo, 1, "types");
	others[1] = array_arg(fcinfo, 2, "payloads");
	others[2] = array_arg(fcinfo, 3, "event_ids");
	others[3] = array_arg(fcinfo, 4, "metadata");
	others[4] = array_arg(fcinfo, 5, "effective_at");
	for (i = 0; i < lengthof(others); i++)
		if (others[i].given)
			check_length(&others[i], &streams);
	if (streams.n > MAX_BATCH)
		invalid_argument("too many events in a batch",
						 psprintf("There are %d, the limit is %d.", streams.n, MAX_BATCH),
						 "Append them in several batches, of one transaction if need be.");

	events = palloc0(sizeof(NewEvent) * Max(streams.n, 1));
	for (i = 0; i < streams.n; i++)
	{
		NewEvent   *event = &events[i];
		bool		isnull;
		Datum		value;

		CHECK_FOR_INTERRUPTS();
		event->stream = checked_name(DatumGetTextPP(required_element(&streams, i)), "stream");
		event->type = checked_name(DatumGetTextPP(required_element(&others[0], i)), "event type");
		event->payload = checked_json_object(DatumGetJsonbP(required_element(&others[1], i)), "payload");
		value = element(&others[2], i, &isnull);
		set_event_id(event, value, isnull);
		value = element(&others[3], i, &isnull);
		set_metadata(event, value, isnull);
		value = element(&others[4], i, &isnull);
		set_effective_at(event, value, isnull);
		check_event_size(event->payload, event->metadata);
	}
	*count = streams.n;
	return events;
}

static int
compare_expectations(const void *a, const void *b)
{
	return strcmp(((const Expectation *) a)->stream, ((const Expectation *) b)->stream);
}

static Expectation *
batch_expectations(FunctionCallInfo fcinfo, int *count)
{
	Array		streams = array_arg(fcinfo, 6, "expected_streams");
	Array		versions = array_arg(fcinfo, 7, "expected_versions");
	Expectation *expectations;
	int			i;

	if (streams.given != versions.given)
		invalid_argument("expected_streams and expected_versions must be given together",
						 psprintf("%s is null.", streams.given ? "expected_versions" : "expected_streams"),
						 "Elements at the same place belong together.");
	check_length(&versions, &streams);
	expectations = palloc(sizeof(Expectation) * Max(streams.n, 1));
	for (i = 0; i < streams.n; i++)
	{
		bool		isnull;
		Datum		version = element(&versions, i, &isnull);

		expectations[i].stream = checked_name(DatumGetTextPP(required_element(&streams, i)), "stream");
		expectations[i].version = isnull ? EXPECT_ANY :
			checked_expected_version(DatumGetInt64(version));
	}
	qsort(expectations, streams.n, sizeof(Expectation), compare_expectations);
	for (i = 1; i < streams.n; i++)
		if (strcmp(expectations[i].stream, expectations[i - 1].stream) == 0)
			invalid_argument("a stream stands twice among the expectations",
							 psprintf("It is \"%s\".", expectations[i].stream),
							 "Give one expectation a stream.");
	*count = streams.n;
	return expectations;
}

FUNDES_FUNCTION(fundes_append_batch);

Datum
fundes_append_batch(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	NewEvent   *events;
	Expectation *expectations;
	int			nevents;
	int			nexpectations;
	bool		replayed;
	Owner		owner;
	int			i;

	events = batch_events(fcinfo, &nevents);
	expectations = batch_expectations(fcinfo, &nexpectations);

	owner_enter(&owner);
	replayed = append_outside_events(events, nevents, expectations, nexpectations);
	owner_end(&owner);

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < nevents; i++)
	{
		Datum		values[5];
		bool		nulls[5] = {0};

		place_values(&events[i], replayed, values);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		pfree(DatumGetPointer(values[1]));
	}
	return (Datum) 0;
}
