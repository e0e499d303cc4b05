/*-------------------------------------------------------------------------
 *
 * locks.h
 *	  Heavyweight locks of fundes.
 *
 *	  They are advisory locks whose fourth field no SQL function can produce,
 *	  so nobody's pg_advisory_lock() can block or fake them.  All are held to
 *	  the end of the transaction, or until the savepoint in which they were
 *	  taken is rolled back.
 *
 *	  That of all streams, which every append takes, is instead the lock of the
 *	  relation event_log: a relation's lock is granted without the lock
 *	  manager's shared table as long as nobody wants it alone.  It is a view, so
 *	  that whoever reads the log, or maintains or dumps its table, has no use for
 *	  the modes; to take them by LOCK TABLE needs rights that nobody has.
 *
 *	  The order in which our own code takes locks:
 *		1. LOCK_ALL_STREAMS
 *		2. LOCK_NEW_FUND
 *		3. LOCK_FUND, in ascending fund_id
 *		4. LOCK_STREAM, in ascending key
 *		5. LOCK_TYPE, in ascending key
 *		6. LOCK_POSITION and LOCK_SETTLING, which nobody waits for
 *		7. rows of the projections
 *
 *	  LOCK_SUBSCRIPTION comes before all of them: a consumer claims, then does
 *	  what it likes.  A poll never waits for it; acknowledging waits for one, and
 *	  dropping for all of a subscription, in ascending order of partitions.
 *
 *	  Views show the locks of two classes; they know the numbers (as the signed
 *	  16 bits that pg_locks.objsubid has), see sql/store/read.sql and
 *	  sql/store/subscribe.sql.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_LOCKS_H
#define FUNDES_LOCKS_H

#include "storage/lock.h"

typedef enum LockClass
{
	/* an append in progress; the key is below all positions it may get */
	LOCK_POSITION = 0xFDE0,
	/*
	 * a stream; the key is a hash of its name, as it may not exist yet.  Whoever
	 * appends to one of a fund holds LOCK_FUND, and this only if it is shared
	 */
	LOCK_STREAM,
	/* shared by all appends, exclusive for one over very many streams */
	LOCK_ALL_STREAMS,
	/* a new event type; the key is a hash of its name */
	LOCK_TYPE,
	/* the next fund_id */
	LOCK_NEW_FUND,
	/* a fund; the key is its id, or 0 for the whole market */
	LOCK_FUND,
	/* bringing a fund's row up to date; the key is the fund's id */
	LOCK_SETTLING,
	/* a claim; the key is the subscription's id and the partition */
	LOCK_SUBSCRIPTION = 0xFDEF
} LockClass;

/*
 * Of a relation's lock, the strongest mode that is granted past the shared table,
 * and the weakest that excludes it and itself.  Elsewhere two like any others.
 */
#define LOCK_SHARED		RowExclusiveLock
#define LOCK_EXCLUSIVE	ShareRowExclusiveLock

/* Whether the lock was not held before. */
extern bool lock_acquire(LockClass class, uint64 key, LOCKMODE mode);
/* As lock_acquire, but false where somebody else is in the way. */
extern bool lock_try(LockClass class, uint64 key, LOCKMODE mode);
extern void lock_release(LockClass class, uint64 key, LOCKMODE mode);
extern bool lock_held(LockClass class, uint64 key, LOCKMODE mode);

/* How many the transaction has taken that take room of the lock table. */
extern int	locks_taken(void);

/* The transaction has ended. */
extern void locks_forget(void);

/* The smallest key of a class that anybody in this database holds. */
extern bool lock_smallest_key(LockClass class, uint64 *key);
extern uint64 lock_key(const char *name, int len);

#endif							/* FUNDES_LOCKS_H */
