/*-------------------------------------------------------------------------
 *
 * read_functions.c
 *	  fundes.read_stream() and fundes.stream_version().
 *
 *	  A stream is read along the unique index on (stream_id, version), from
 *	  where the read starts, with the caller's snapshot.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "owner.h"
#include "plan.h"
#include "store/read.h"
#include "utils/builtins.h"

#define READ_STREAM(direction, order) \
	"select e.position, $4, e.version, e.event_id, t.name::text, e.payload," \
	"       e.metadata, e.effective_at, e.recorded_at" \
	"  from fundes.event e join fundes.event_type t using (type_id)" \
	" where e.stream_id = (select s.stream_id from fundes.stream s where s.name = $1)" \
	"   and e.version " direction " $2" \
	" order by e.version " order " limit $3"

FUNDES_FUNCTION(fundes_read_stream);

Datum
fundes_read_stream(PG_FUNCTION_ARGS)
{
	static KeptPlan forward = PLAN(READ_STREAM(">=", "asc"), TEXTOID, INT8OID, INT8OID, TEXTOID);
	static KeptPlan backward = PLAN(READ_STREAM("<=", "desc"), TEXTOID, INT8OID, INT8OID, TEXTOID);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DestReceiver *dest;
	Datum		values[4];
	bool		back;
	Owner		owner;

	REQUIRE_ARG(0, "stream");
	REQUIRE_ARG(3, "backward");
	back = PG_GETARG_BOOL(3);
	if (!PG_ARGISNULL(1) && PG_GETARG_INT64(1) < 1)
		invalid_argument("from_version must be 1 or more",
						 psprintf("It is " INT64_FORMAT ".", PG_GETARG_INT64(1)),
						 "NULL is the start, or the end where backward.");

	values[0] = values[3] = PG_GETARG_DATUM(0);
	values[1] = PG_ARGISNULL(1) ? Int64GetDatum(back ? PG_INT64_MAX : 1) : PG_GETARG_DATUM(1);
	values[2] = Int64GetDatum(checked_max_count(PG_ARGISNULL(2), PG_GETARG_INT32(2)));

	InitMaterializedSRF(fcinfo, 0);
	dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(dest, rsinfo->setResult, CurrentMemoryContext,
									false, NULL, NULL);
	owner_begin(&owner);
	plan_into(back ? &backward : &forward, values, NULL, dest);
	owner_end(&owner);
	dest->rDestroy(dest);
	return (Datum) 0;
}

FUNDES_FUNCTION(fundes_stream_version);

Datum
fundes_stream_version(PG_FUNCTION_ARGS)
{
	static KeptPlan select = PLAN("select e.version from fundes.event e"
							  " where e.stream_id = (select s.stream_id from fundes.stream s where s.name = $1)"
							  " order by e.version desc limit 1",
							  TEXTOID);
	Datum		value;
	Datum		name;
	bool		isnull;
	Owner		owner;

	REQUIRE_ARG(0, "stream");
	name = PG_GETARG_DATUM(0);
	owner_begin(&owner);
	value = plan_read(&select, &name, NULL) == 0 ? Int64GetDatum(0) :
		plan_value(1, INT8OID, &isnull);
	owner_end(&owner);
	PG_RETURN_DATUM(value);
}
