/*-------------------------------------------------------------------------
 *
 * poll.c
 *	  fundes.poll(): the next events of a subscription, and waiting for them.
 *
 *	  Nothing is sent to a waiting consumer: NOTIFY would put all commits one
 *	  behind the other.  It sleeps in short slices and looks at the last value
 *	  of the positions' sequence; only where that has moved does it look into
 *	  the lock table, and only where the watermark has moved, at the log.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "owner.h"
#include "plan.h"
#include "storage/latch.h"
#include "store/log_output.h"
#include "store/log_scan.h"
#include "store/read.h"
#include "store/subscription.h"
#include "store/watermark.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/wait_event.h"

/* The most events that one poll looks at. */
#define MAX_LOOKS 100000

/*
 * How long a waiting poll sleeps between two looks; and where events do come,
 * but none of them matches.
 */
#define SLICE_MS 20
#define BUSY_SLICE_MS 35

typedef struct Poll
{
	Subscription subscription;
	Partition	partition;
	LogFilter	filter;
	int64		max_count;
	TimestampTz deadline;
	ReturnSetInfo *rsinfo;
} Poll;

/* What had been acknowledged when the number of partitions was changed. */
typedef struct FormerGeneration
{
	int32		generation;
	int32		partitions;
	int64		positions[MAX_PARTITIONS];
	struct FormerGeneration *next;
} FormerGeneration;

/*
 * Former generations
 */

static bool
was_acknowledged(void *arg, int64 position, int64 stream_id)
{
	FormerGeneration *former;

	for (former = arg; former != NULL; former = former->next)
		if (position <= former->positions[stream_partition(stream_id, former->partitions)])
			return true;
	return false;
}

static FormerGeneration *
read_former_generations(const Subscription *subscription)
{
	static KeptPlan select = PLAN("select generation, partition, position"
							  "  from fundes.subscription_partition"
							  " where subscription_id = $1 and generation < $2"
							  " order by generation, partition",
							  INT4OID, INT4OID);
	FormerGeneration *list = NULL;
	Datum		values[2];
	uint64		n;
	uint64		i;

	values[0] = Int32GetDatum(subscription->id);
	values[1] = Int32GetDatum(subscription->generation);
	n = plan_fresh(&select, values, NULL);
	for (i = 0; i < n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		int32		generation = DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull));

		if (list == NULL || list->generation != generation)
		{
			FormerGeneration *former = palloc(sizeof(FormerGeneration));

			former->generation = generation;
			former->partitions = 0;
			former->next = list;
			list = former;
		}
		list->positions[list->partitions++] =
			DatumGetInt64(SPI_getbinval(row, desc, 3, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return list;
}

/*
 * Reading
 */

/* Returns how many events were given. */
static int64
give_events(Poll *poll, int64 settled, int64 *looked_to)
{
	LogScan    *scan = log_scan_begin(&poll->filter, poll->partition.position, settled);
	LogOutput	output;
	int64		given = 0;
	int64		position;

	log_output_begin(&output, poll->rsinfo);
	while (given < poll->max_count &&
		   (position = log_scan_next(scan, MAX_LOOKS - log_scan_looks(scan))) > 0)
	{
		/* what lies before the first one is filtered out */
		if (given++ == 0)
			poll->partition.position = position - 1;
		poll->partition.delivered = position;
		log_output(&output, log_scan_event(scan));
	}
	log_output_end(&output);
	*looked_to = log_scan_looked_to(scan);
	if (given == 0)
		poll->partition.position = Max(poll->partition.position, *looked_to);
	log_scan_end(scan);
	return given;
}

/*
 * Sleeps until the watermark is beyond what is known to be settled, and
 * returns it, or what it was where the time is over.
 */
static int64
sleep_until_settled_beyond(int64 known, TimestampTz deadline, long slice)
{
	Oid			sequence = fundes_relation("event_position");
	int64		settled;

	for (;;)
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (left <= 0)
			return known;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(left, slice), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (last_position_handed_out(sequence) > known &&
			(settled = watermark()) > known)
			return settled;
	}
}

/* Gives events, waiting for them as long as may be; returns how many. */
static int64
await_events(Poll *poll)
{
	int64		settled = watermark();
	long		slice = SLICE_MS;

	for (;;)
	{
		int64		known = settled;
		int64		looked_to;
		int64		given = give_events(poll, known, &looked_to);

		if (given > 0 || looked_to < known)
			return given;
		settled = sleep_until_settled_beyond(known, poll->deadline, slice);
		if (settled == known)
			return 0;
		slice = BUSY_SLICE_MS;
	}
}

static void
poll_partition(Poll *poll, Interval *lease)
{
	Partition	before = poll->partition;
	int64		given;

	poll->filter.categories = poll->subscription.categories;
	poll->filter.types = poll->subscription.types;
	poll->filter.partition = poll->partition.number;
	poll->filter.partitions = poll->subscription.partitions;
	if (poll->subscription.generation > 1)
	{
		poll->filter.skip = was_acknowledged;
		poll->filter.skip_arg = read_former_generations(&poll->subscription);
	}

	given = await_events(poll);
	if (given > 0 && lease != NULL)
	{
		TimestampTz now = GetCurrentTimestamp();

		poll->partition.claimed_by = MyProcPid;
		poll->partition.claimed_since = now;
		poll->partition.lease_until =
			DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
													TimestampTzGetDatum(now),
													IntervalPGetDatum(lease)));
	}
	if (given > 0 || poll->partition.position != before.position)
		write_partition(&poll->subscription, &poll->partition);
}

/*
 * Arguments
 */

/* When a time that begins now is over; now itself where it is none. */
static TimestampTz
end_of_interval(TimestampTz now, Interval *interval, const char *name)
{
	TimestampTz end;

	end = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												  TimestampTzGetDatum(now),
												  IntervalPGetDatum(interval)));
	if (end < now || TIMESTAMP_NOT_FINITE(end))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite and not negative", name),
				 errdetail("It is %s.",
						   DatumGetCString(DirectFunctionCall1(interval_out,
															   IntervalPGetDatum(interval)))),
				 errhint("'0' is none.")));
	return end;
}

static void
check_partition(int32 partition, int32 partitions)
{
	if (partitions < 1 || partitions > MAX_PARTITIONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partitions must be between 1 and %d", MAX_PARTITIONS),
				 errdetail("It is %d.", partitions),
				 errhint("1 is all streams in one.")));
	if (partition < 0 || partition >= partitions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partition must be between 0 and %d", partitions - 1),
				 errdetail("It is %d of %d.", partition, partitions),
				 errhint("Partitions are numbered from 0.")));
}

FUNDES_FUNCTION(fundes_poll);

Datum
fundes_poll(PG_FUNCTION_ARGS)
{
	Poll		poll = {0};
	TimestampTz lease_end;
	TimestampTz now;
	Interval   *lease;
	Owner		owner;

	REQUIRE_ARG(0, "name");
	REQUIRE_ARG(2, "wait");
	REQUIRE_ARG(3, "lease");
	REQUIRE_ARG(4, "partition");
	REQUIRE_ARG(5, "partitions");
	poll.max_count = checked_max_count(PG_ARGISNULL(1), PG_GETARG_INT32(1));
	lease = PG_GETARG_INTERVAL_P(3);
	now = GetCurrentTimestamp();
	poll.deadline = end_of_interval(now, PG_GETARG_INTERVAL_P(2), "wait");
	lease_end = end_of_interval(now, lease, "lease");
	check_partition(PG_GETARG_INT32(4), PG_GETARG_INT32(5));
	PreventCommandIfReadOnly("fundes.poll()");
	require_renewable_snapshot();

	InitMaterializedSRF(fcinfo, 0);
	poll.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	owner_begin(&owner);
	if (claim_partition(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(4), PG_GETARG_INT32(5),
						&poll.subscription, &poll.partition) &&
		poll.max_count > 0)
		poll_partition(&poll, lease_end > now ? lease : NULL);
	owner_end(&owner);
	return (Datum) 0;
}
