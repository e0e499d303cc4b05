/*-------------------------------------------------------------------------
 *
 * subscription.h
 *	  Subscriptions: readers whose positions fundes keeps.
 *
 *	  Words: a subscription is read in partitions, each of which has some of
 *	  the streams and a position of its own.  Who polls a partition claims it,
 *	  and may then acknowledge what was delivered.  A generation is the time
 *	  during which the number of partitions stays as it is.
 *
 *	  To be used between owner_begin() and owner_end().
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_SUBSCRIPTION_H
#define FUNDES_SUBSCRIPTION_H

#include "utils/array.h"
#include "utils/timestamp.h"

#define MAX_PARTITIONS 1024

typedef struct Subscription
{
	int32		id;
	ArrayType  *categories;		/* or NULL: all */
	ArrayType  *types;			/* or NULL: all */
	int32		generation;
	int32		partitions;
} Subscription;

/* How far a partition is: acknowledged <= position, acknowledged <= delivered. */
typedef struct Partition
{
	int32		number;
	int64		position;		/* all that matches up to here is acknowledged */
	int64		acknowledged;
	int64		delivered;		/* the last event of the last poll that gave one */
	int32		claimed_by;		/* set with lease_until */
	TimestampTz claimed_since;
	TimestampTz lease_until;	/* 0: no lease */
} Partition;

/* Raises 42704 where there is none. */
extern void find_subscription(text *name, Subscription *found);

/* The partition's row as it is now; its claim is held. */
extern void read_partition(const Subscription *subscription, int32 number,
						   Partition *found);
extern void write_partition(const Subscription *subscription,
							const Partition *partition);

/*
 * Claims a partition of so many, changing their number if need be.  False,
 * without waiting, where somebody else has a claim or a lease that is in the
 * way.
 */
extern bool claim_partition(text *name, int32 number, int32 partitions,
							Subscription *subscription, Partition *partition);

#endif							/* FUNDES_SUBSCRIPTION_H */
