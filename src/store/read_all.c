/*-------------------------------------------------------------------------
 *
 * read_all.c
 *	  fundes.read_all() and fundes.read_correlation(): reading the log in the
 *	  order of positions, up to the watermark.
 *
 *	  They take a snapshot of their own, after the watermark, whatever called
 *	  them; see watermark.c for why that loses nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "funcapi.h"
#include "owner.h"
#include "store/log_output.h"
#include "store/log_scan.h"
#include "store/read.h"
#include "store/watermark.h"

int64
checked_max_count(bool isnull, int32 value)
{
	if (isnull)
		return PG_INT64_MAX;
	if (value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_count must not be negative"),
				 errdetail("It is %d.", value),
				 errhint("NULL reads all.")));
	return value;
}

int64
checked_position(int64 value, const char *name)
{
	if (value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", name),
				 errdetail("It is " INT64_FORMAT ".", value),
				 errhint("0 is the start of the log.")));
	return value;
}

/* As the caller becomes the owner only after all arguments are read. */
static void
read_log(FunctionCallInfo fcinfo, const LogFilter *filter, int64 after, int64 max_count)
{
	LogOutput	output;
	LogScan    *scan;
	Owner		owner;

	require_renewable_snapshot();
	InitMaterializedSRF(fcinfo, 0);
	if (max_count == 0)
		return;
	owner_enter(&owner);
	scan = log_scan_begin(filter, after, watermark());
	log_output_begin(&output, (ReturnSetInfo *) fcinfo->resultinfo);
	while (max_count-- > 0 && log_scan_next(scan, PG_INT64_MAX) > 0)
		log_output(&output, log_scan_event(scan));
	log_output_end(&output);
	log_scan_end(scan);
	owner_end(&owner);
}

FUNDES_FUNCTION(fundes_read_all);

Datum
fundes_read_all(PG_FUNCTION_ARGS)
{
	LogFilter	filter = {.partitions = 1};
	int64		after;
	int64		max_count;

	REQUIRE_ARG(0, "after_position");
	after = checked_position(PG_GETARG_INT64(0), "after_position");
	max_count = checked_max_count(PG_ARGISNULL(1), PG_GETARG_INT32(1));
	if (!PG_ARGISNULL(2))
		check_filter(filter.categories = PG_GETARG_ARRAYTYPE_P(2), "categories");
	if (!PG_ARGISNULL(3))
		check_filter(filter.types = PG_GETARG_ARRAYTYPE_P(3), "types");
	read_log(fcinfo, &filter, after, max_count);
	return (Datum) 0;
}

FUNDES_FUNCTION(fundes_read_correlation);

Datum
fundes_read_correlation(PG_FUNCTION_ARGS)
{
	LogFilter	filter = {.partitions = 1};
	int64		after;
	int64		max_count;

	REQUIRE_ARG(0, "id");
	REQUIRE_ARG(1, "after_position");
	filter.correlation_id = PG_GETARG_TEXT_PP(0);
	after = checked_position(PG_GETARG_INT64(1), "after_position");
	max_count = checked_max_count(PG_ARGISNULL(2), PG_GETARG_INT32(2));
	read_log(fcinfo, &filter, after, max_count);
	return (Datum) 0;
}
