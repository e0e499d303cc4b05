/*-------------------------------------------------------------------------
 *
 * subscription.c
 *	  Subscriptions, see subscription.h: their rows, claims, and the functions
 *	  that create, acknowledge and drop.
 *
 *	  A claim is a lock that is held to the end of the transaction, so that it
 *	  comes back whatever way a consumer ends, and that survives PREPARE
 *	  TRANSACTION.  All that writes a partition's row holds its claim, and reads
 *	  the row anew once it has it: so rows are never waited for, and a consumer
 *	  that writes in the same transaction in which it acknowledges has each
 *	  event once.  A poll takes claims without waiting.
 *
 *	  Changing the number of partitions takes the claims of all of them.  The
 *	  new ones start where the slowest of the old was; the old rows stay and
 *	  tell what the others had acknowledged beyond, which is then skipped.  So
 *	  nothing is missed, and nothing acknowledged comes again.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "locks.h"
#include "miscadmin.h"
#include "owner.h"
#include "plan.h"
#include "store/log.h"
#include "store/log_scan.h"
#include "store/read.h"
#include "store/subscription.h"
#include "store/watermark.h"
#include "utils/builtins.h"

/*
 * Rows
 */

void
find_subscription(text *name, Subscription *found)
{
	static KeptPlan select = PLAN("select subscription_id, generation, partitions, categories, types"
							  "  from fundes.subscription where name = $1",
							  TEXTOID);
	Datum		value = PointerGetDatum(name);
	bool		isnull;

	if (plan_fresh(&select, &value, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("subscription \"%s\" does not exist", text_to_cstring(name)),
				 errdetail("There is no subscription of that name in fundes.subscription_status."),
				 errhint("Make it with fundes.create_subscription().")));
	found->id = DatumGetInt32(plan_value(1, INT4OID, &isnull));
	found->generation = DatumGetInt32(plan_value(2, INT4OID, &isnull));
	found->partitions = DatumGetInt32(plan_value(3, INT4OID, &isnull));
	value = plan_value(4, TEXTARRAYOID, &isnull);
	found->categories = isnull ? NULL : DatumGetArrayTypeP(value);
	value = plan_value(5, TEXTARRAYOID, &isnull);
	found->types = isnull ? NULL : DatumGetArrayTypeP(value);
	SPI_freetuptable(SPI_tuptable);
}

void
read_partition(const Subscription *subscription, int32 number, Partition *found)
{
	static KeptPlan select = PLAN("select position, acknowledged, delivered, claimed_by, claimed_since, lease_until"
							  "  from fundes.subscription_partition"
							  " where subscription_id = $1 and generation = $2 and partition = $3",
							  INT4OID, INT4OID, INT4OID);
	Datum		values[3];
	Datum		value;
	bool		isnull;

	values[0] = Int32GetDatum(subscription->id);
	values[1] = Int32GetDatum(subscription->generation);
	values[2] = Int32GetDatum(number);
	if (plan_fresh(&select, values, NULL) != 1)
		elog(ERROR, "partition %d of subscription %d does not exist",
			 number, subscription->id);
	memset(found, 0, sizeof(*found));
	found->number = number;
	found->position = DatumGetInt64(plan_value(1, INT8OID, &isnull));
	found->acknowledged = DatumGetInt64(plan_value(2, INT8OID, &isnull));
	found->delivered = DatumGetInt64(plan_value(3, INT8OID, &isnull));
	value = plan_value(6, TIMESTAMPTZOID, &isnull);
	if (!isnull)
	{
		found->lease_until = DatumGetTimestampTz(value);
		found->claimed_by = DatumGetInt32(plan_value(4, INT4OID, &isnull));
		found->claimed_since = DatumGetTimestampTz(plan_value(5, TIMESTAMPTZOID, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
}

void
write_partition(const Subscription *subscription, const Partition *partition)
{
	static KeptPlan update = PLAN("update fundes.subscription_partition"
							  "   set position = $4, acknowledged = $5, delivered = $6,"
							  "       claimed_by = $7, claimed_since = $8, lease_until = $9"
							  " where subscription_id = $1 and generation = $2 and partition = $3",
							  INT4OID, INT4OID, INT4OID, INT8OID, INT8OID, INT8OID,
							  INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	Datum		values[9];
	char		nulls[9];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int32GetDatum(subscription->id);
	values[1] = Int32GetDatum(subscription->generation);
	values[2] = Int32GetDatum(partition->number);
	values[3] = Int64GetDatum(partition->position);
	values[4] = Int64GetDatum(partition->acknowledged);
	values[5] = Int64GetDatum(partition->delivered);
	values[6] = Int32GetDatum(partition->claimed_by);
	values[7] = TimestampTzGetDatum(partition->claimed_since);
	values[8] = TimestampTzGetDatum(partition->lease_until);
	if (partition->lease_until == 0)
		nulls[6] = nulls[7] = nulls[8] = 'n';
	if (plan_write(&update, values, nulls) != 1)
		elog(ERROR, "partition %d of subscription %d does not exist",
			 partition->number, subscription->id);
}

/*
 * Claims
 */

static uint64
claim_key(const Subscription *subscription, int32 partition)
{
	return (uint64) subscription->id << 32 | (uint32) partition;
}

/* Whether the number of partitions was changed, or the name given anew. */
static bool
has_changed(text *name, const Subscription *known)
{
	Subscription now;

	find_subscription(name, &now);
	return now.id != known->id || now.generation != known->generation;
}

/* Takes all claims of a subscription, or none. */
static bool
try_all_claims(const Subscription *subscription)
{
	int32		i;

	for (i = 0; i < subscription->partitions; i++)
	{
		if (lock_try(LOCK_SUBSCRIPTION, claim_key(subscription, i), LOCK_EXCLUSIVE))
			continue;
		while (--i >= 0)
			lock_release(LOCK_SUBSCRIPTION, claim_key(subscription, i), LOCK_EXCLUSIVE);
		return false;
	}
	return true;
}

static void
release_all_claims(const Subscription *subscription)
{
	int32		i;

	for (i = 0; i < subscription->partitions; i++)
		lock_release(LOCK_SUBSCRIPTION, claim_key(subscription, i), LOCK_EXCLUSIVE);
}

static bool
is_leased(const Partition *partition)
{
	return partition->lease_until > GetCurrentTimestamp();
}

static bool
any_leased(const Subscription *subscription)
{
	int32		i;

	for (i = 0; i < subscription->partitions; i++)
	{
		Partition	partition;

		read_partition(subscription, i, &partition);
		if (is_leased(&partition))
			return true;
	}
	return false;
}

/*
 * Begins a generation.  A former generation of which no partition was further
 * than the slowest is now has nothing to tell any more.
 */
static void
begin_generation(const Subscription *subscription, int32 partitions)
{
	static KeptPlan insert = PLAN("insert into fundes.subscription_partition"
							  "  (subscription_id, generation, partition, position, acknowledged, delivered)"
							  " select $1, $2 + 1, n, m.low, m.low, m.low"
							  "   from pg_catalog.generate_series(0, $3 - 1) n,"
							  "        (select pg_catalog.min(position) as low"
							  "           from fundes.subscription_partition"
							  "          where subscription_id = $1 and generation = $2) m",
							  INT4OID, INT4OID, INT4OID);
	static KeptPlan prune = PLAN("delete from fundes.subscription_partition"
							 " where subscription_id = $1 and generation in"
							 "   (select p.generation from fundes.subscription_partition p"
							 "     where p.subscription_id = $1 and p.generation <= $2 and $3 > 0"
							 "     group by p.generation"
							 "    having pg_catalog.max(p.position) <="
							 "           (select pg_catalog.min(c.position) from fundes.subscription_partition c"
							 "             where c.subscription_id = $1 and c.generation = $2 + 1))",
							 INT4OID, INT4OID, INT4OID);
	static KeptPlan update = PLAN("update fundes.subscription set generation = $2 + 1, partitions = $3"
							  " where subscription_id = $1",
							  INT4OID, INT4OID, INT4OID);
	Datum		values[3];

	values[0] = Int32GetDatum(subscription->id);
	values[1] = Int32GetDatum(subscription->generation);
	values[2] = Int32GetDatum(partitions);
	(void) plan_write(&insert, values, NULL);
	(void) plan_write(&prune, values, NULL);
	(void) plan_write(&update, values, NULL);
}

/*
 * Others see the old number until the transaction ends; the claims of the old
 * partitions, which it keeps, keep them away.
 */
static bool
change_partitions(text *name, const Subscription *subscription, int32 partitions)
{
	if (!try_all_claims(subscription))
		return false;
	if (has_changed(name, subscription))
	{
		release_all_claims(subscription);
		return true;
	}
	if (any_leased(subscription))
	{
		release_all_claims(subscription);
		return false;
	}
	begin_generation(subscription, partitions);
	return true;
}

bool
claim_partition(text *name, int32 number, int32 partitions,
				Subscription *subscription, Partition *partition)
{
	uint64		key;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		find_subscription(name, subscription);
		if (subscription->partitions != partitions)
		{
			if (!change_partitions(name, subscription, partitions))
				return false;
			continue;
		}
		key = claim_key(subscription, number);
		if (!lock_try(LOCK_SUBSCRIPTION, key, LOCK_EXCLUSIVE))
			return false;
		if (!has_changed(name, subscription))
			break;
		lock_release(LOCK_SUBSCRIPTION, key, LOCK_EXCLUSIVE);
	}
	read_partition(subscription, number, partition);
	if (is_leased(partition))
	{
		lock_release(LOCK_SUBSCRIPTION, key, LOCK_EXCLUSIVE);
		return false;
	}
	partition->lease_until = 0;
	return true;
}

/*
 * Creating and dropping
 */

static void
check_start(int64 start_after)
{
	int64		settled;

	if (checked_position(start_after, "start_after") == 0)
		return;
	require_renewable_snapshot();
	settled = watermark();
	if (start_after > settled)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("start_after is past the watermark"),
				 errdetail("It is " INT64_FORMAT ", the watermark is " INT64_FORMAT ".",
						   start_after, settled),
				 errhint("To begin with what comes from now on, give fundes.watermark().")));
}

FUNDES_FUNCTION(fundes_create_subscription);

Datum
fundes_create_subscription(PG_FUNCTION_ARGS)
{
	static KeptPlan insert = PLAN("with s as (insert into fundes.subscription (name, categories, types)"
							  "           values ($1, $2, $3) on conflict (name) do nothing"
							  "           returning subscription_id, generation)"
							  " insert into fundes.subscription_partition"
							  "   (subscription_id, generation, partition, position, acknowledged, delivered)"
							  " select s.subscription_id, s.generation, 0, $4, $4, $4 from s",
							  TEXTOID, TEXTARRAYOID, TEXTARRAYOID, INT8OID);
	char	   *name;
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};
	Owner		owner;
	int			i;

	REQUIRE_ARG(0, "name");
	REQUIRE_ARG(3, "start_after");
	name = checked_name(PG_GETARG_TEXT_PP(0), "subscription");
	for (i = 1; i <= 2; i++)
	{
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
		if (!PG_ARGISNULL(i))
			check_filter(PG_GETARG_ARRAYTYPE_P(i), i == 1 ? "categories" : "types");
		values[i] = PG_GETARG_DATUM(i);
	}
	values[0] = PG_GETARG_DATUM(0);
	values[3] = PG_GETARG_DATUM(3);

	owner_begin(&owner);
	check_start(PG_GETARG_INT64(3));
	if (plan_write(&insert, values, nulls) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("subscription \"%s\" already exists", name),
				 errdetail("Its progress is in fundes.subscription_status."),
				 errhint("Choose another name, or drop it first with fundes.drop_subscription().")));
	owner_end(&owner);
	PG_RETURN_VOID();
}

FUNDES_FUNCTION(fundes_drop_subscription);

Datum
fundes_drop_subscription(PG_FUNCTION_ARGS)
{
	static KeptPlan delete = PLAN("with gone as (delete from fundes.subscription_partition"
								  "                where subscription_id = $1)"
								  " delete from fundes.subscription where subscription_id = $1",
								  INT4OID);
	text	   *name;
	Subscription subscription;
	Datum		id;
	Owner		owner;
	int32		i;

	REQUIRE_ARG(0, "name");
	name = PG_GETARG_TEXT_PP(0);
	owner_begin(&owner);
	for (;;)
	{
		find_subscription(name, &subscription);
		for (i = 0; i < subscription.partitions; i++)
			(void) lock_acquire(LOCK_SUBSCRIPTION, claim_key(&subscription, i),
								LOCK_EXCLUSIVE);
		if (!has_changed(name, &subscription))
			break;
		release_all_claims(&subscription);
	}
	id = Int32GetDatum(subscription.id);
	(void) plan_write(&delete, &id, NULL);
	owner_end(&owner);
	PG_RETURN_VOID();
}

/*
 * Acknowledging
 */

pg_noreturn static void
refuse_acknowledgement(int64 position, const char *message, const char *detail,
					   const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_ACKNOWLEDGEMENT),
			 errmsg(message, position),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

/* With several partitions, the event at the position tells which. */
static int32
acknowledged_partition(const Subscription *subscription, int64 position)
{
	StoredEvent event;

	if (subscription->partitions == 1)
		return 0;
	if (!log_find_position(position, &event))
		refuse_acknowledgement(position, "position " INT64_FORMAT " was not delivered",
							   "No event has it.",
							   "With several partitions, acknowledge the position of an event that poll gave.");
	return stream_partition(event.stream_id, subscription->partitions);
}

static void
check_acknowledgement(const Partition *partition, int64 position)
{
	if (position < partition->acknowledged)
		refuse_acknowledgement(position, "position " INT64_FORMAT " is before what was acknowledged",
							   psprintf("Acknowledged is " INT64_FORMAT ".", partition->acknowledged),
							   "A subscription does not go back; to read again, create another one.");
	if (position > partition->delivered)
		refuse_acknowledgement(position, "position " INT64_FORMAT " was not delivered",
							   psprintf("Delivered is " INT64_FORMAT ".", partition->delivered),
							   "Somebody else may have polled since, or the transaction that polled was rolled back: poll again.");
}

/* Waits for the claim of the partition that the position belongs to. */
static int32
await_claim(text *name, int64 position, bool any_number, int32 partitions,
			Subscription *subscription)
{
	int32		number;
	uint64		key;

	for (;;)
	{
		find_subscription(name, subscription);
		if (!any_number && partitions != subscription->partitions)
			refuse_acknowledgement(position, "position " INT64_FORMAT " was delivered to another number of partitions",
								   psprintf("There are %d now, not %d.", subscription->partitions, partitions),
								   "Poll again with the new number: what was not acknowledged comes again.");
		number = acknowledged_partition(subscription, position);
		key = claim_key(subscription, number);
		(void) lock_acquire(LOCK_SUBSCRIPTION, key, LOCK_EXCLUSIVE);
		if (!has_changed(name, subscription))
			return number;
		lock_release(LOCK_SUBSCRIPTION, key, LOCK_EXCLUSIVE);
	}
}

FUNDES_FUNCTION(fundes_acknowledge);

Datum
fundes_acknowledge(PG_FUNCTION_ARGS)
{
	Subscription subscription;
	Partition	partition;
	int64		position;
	int32		number;
	Owner		owner;

	REQUIRE_ARG(0, "name");
	REQUIRE_ARG(1, "position");
	position = checked_position(PG_GETARG_INT64(1), "position");
	PreventCommandIfReadOnly("fundes.acknowledge()");

	owner_begin(&owner);
	number = await_claim(PG_GETARG_TEXT_PP(0), position, PG_ARGISNULL(2),
						 PG_GETARG_INT32(2), &subscription);
	read_partition(&subscription, number, &partition);
	check_acknowledgement(&partition, position);
	if (position > partition.acknowledged)
	{
		partition.acknowledged = position;
		partition.position = Max(partition.position, position);
		if (position == partition.delivered)
			partition.lease_until = 0;
		write_partition(&subscription, &partition);
	}
	owner_end(&owner);
	PG_RETURN_VOID();
}
