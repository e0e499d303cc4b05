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

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "args.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "owner.h"
#include "plan.h"
#include "store/log.h"
#include "store/log_output.h"
#include "store/read.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Gives the events of a stream from a version on, or before it. */
static void
read_events(ReturnSetInfo *rsinfo, int64 stream_id, int64 from, bool back, int64 max_count)
{
	Relation	table = table_open(fundes_relation("event"), AccessShareLock);
	Relation	index = index_open(fundes_relation("event_stream_id_version_key"), AccessShareLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	ScanDirection direction = back ? BackwardScanDirection : ForwardScanDirection;
	ScanKeyData keys[2];
	IndexScanDesc scan;
	LogOutput	output;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(stream_id));
	if (back)
		ScanKeyInit(&keys[1], 2, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(from));
	else
		ScanKeyInit(&keys[1], 2, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(from));
	scan = begin_index_scan(table, index, GetActiveSnapshot(), lengthof(keys));
	index_rescan(scan, keys, lengthof(keys), NULL, 0);
	log_output_begin(&output, rsinfo);
	while (max_count-- > 0 && index_getnext_slot(scan, direction, slot))
	{
		CHECK_FOR_INTERRUPTS();
		log_output(&output, slot);
	}
	log_output_end(&output);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
}

FUNDES_FUNCTION(fundes_read_stream);

Datum
fundes_read_stream(PG_FUNCTION_ARGS)
{
	int64		stream_id;
	int64		from;
	int64		max_count;
	bool		back;
	char	   *name;
	Owner		owner;

	REQUIRE_ARG(0, "stream");
	REQUIRE_ARG(3, "backward");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	back = PG_GETARG_BOOL(3);
	if (!PG_ARGISNULL(1) && PG_GETARG_INT64(1) < 1)
		invalid_argument("from_version must be 1 or more",
						 psprintf("It is " INT64_FORMAT ".", PG_GETARG_INT64(1)),
						 "NULL is the start, or the end where backward.");
	if (PG_ARGISNULL(1))
		from = back ? PG_INT64_MAX : 1;
	else
		from = PG_GETARG_INT64(1);
	max_count = checked_max_count(PG_ARGISNULL(2), PG_GETARG_INT32(2));

	InitMaterializedSRF(fcinfo, 0);
	owner_enter(&owner);
	stream_id = log_stream_id(name);
	if (stream_id != 0)
		read_events((ReturnSetInfo *) fcinfo->resultinfo, stream_id, from, back, max_count);
	owner_end(&owner);
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
