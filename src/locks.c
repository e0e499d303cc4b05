/*-------------------------------------------------------------------------
 *
 * locks.c
 *	  Heavyweight locks of fundes, see locks.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/twophase.h"
#include "common/hashfn.h"
#include "locks.h"
#include "miscadmin.h"
#include "owner.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/resowner.h"

/* Of this transaction. */
static int	taken = 0;

/*
 * That the store's lock and an append's mark are there once does not make many.
 * Those that the end of a savepoint releases stay counted.
 */
static void
count(LockClass class, int change)
{
	if (class != LOCK_ALL_STREAMS && class != LOCK_POSITION)
		taken += change;
}

static inline void
set_tag(LOCKTAG *tag, LockClass class, uint64 key)
{
	if (class == LOCK_ALL_STREAMS)
		SET_LOCKTAG_RELATION(*tag, MyDatabaseId, fundes_relation("event_log"));
	else
		SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId,
							 (uint32) (key >> 32), (uint32) key, class);
}

/*
 * The lock is the transaction's, or the savepoint's, and not that of a cursor that
 * is being read: where a cursor fails, the server releases what is its own, though
 * what it has written before the savepoint stays.
 */
static LockAcquireResult
acquire(LockClass class, uint64 key, LOCKMODE mode, bool no_wait)
{
	ResourceOwner caller = CurrentResourceOwner;
	LockAcquireResult result;
	LOCKTAG		tag;

	set_tag(&tag, class, key);
	CurrentResourceOwner = CurTransactionResourceOwner;
	result = LockAcquire(&tag, mode, false, no_wait);
	CurrentResourceOwner = caller;
	if (result == LOCKACQUIRE_OK)
		count(class, 1);
	return result;
}

/* Waits as lock_timeout allows. */
bool
lock_acquire(LockClass class, uint64 key, LOCKMODE mode)
{
	return acquire(class, key, mode, false) == LOCKACQUIRE_OK;
}

bool
lock_try(LockClass class, uint64 key, LOCKMODE mode)
{
	return acquire(class, key, mode, true) != LOCKACQUIRE_NOT_AVAIL;
}

/* Undoes one lock_acquire() or lock_try() before the transaction's end. */
void
lock_release(LockClass class, uint64 key, LOCKMODE mode)
{
	ResourceOwner caller = CurrentResourceOwner;
	LOCKTAG		tag;

	set_tag(&tag, class, key);
	CurrentResourceOwner = CurTransactionResourceOwner;
	(void) LockRelease(&tag, mode, false);
	CurrentResourceOwner = caller;
	if (!lock_held_by_me(&tag, mode))
		count(class, -1);
}

int
locks_taken(void)
{
	return taken;
}

void
locks_forget(void)
{
	taken = 0;
}

bool
lock_held(LockClass class, uint64 key, LOCKMODE mode)
{
	LOCKTAG		tag;

	set_tag(&tag, class, key);
	return lock_held_by_me(&tag, mode);
}

/* Whether a process holds a lock of the class, not merely waits for it. */
static bool
is_held(const PROCLOCK *held, LockClass class, uint64 *key)
{
	const LOCKTAG *tag = &held->tag.myLock->tag;

	*key = (uint64) tag->locktag_field2 << 32 | tag->locktag_field3;
	return tag->locktag_type == LOCKTAG_ADVISORY &&
		tag->locktag_field1 == MyDatabaseId &&
		tag->locktag_field4 == class &&
		held->holdMask != 0;
}

/*
 * Looks at what processes hold, prepared transactions and ourselves among them,
 * in one partition of the lock table after the other.  What is held all the time
 * is found: a lock stays in its partition, and PREPARE hands it over with the
 * partition locked.  pg_locks would copy the whole table, and walk all the room
 * there is for it, with all partitions locked.
 *
 * PREPARE makes the prepared transaction's process anew, its lists included,
 * under TwoPhaseStateLock only, which comes before the partitions' locks.
 */
bool
lock_smallest_key(LockClass class, uint64 *key)
{
	int			processes = ProcGlobal->allProcCount + max_prepared_xacts;
	bool		found = false;
	int			partition;
	int			i;

	if (max_prepared_xacts > 0)
		LWLockAcquire(TwoPhaseStateLock, LW_SHARED);
	for (partition = 0; partition < NUM_LOCK_PARTITIONS; partition++)
	{
		LWLock	   *lock = LockHashPartitionLockByIndex(partition);

		LWLockAcquire(lock, LW_SHARED);
		for (i = 0; i < processes; i++)
		{
			PGPROC	   *process = &ProcGlobal->allProcs[i];
			PROCLOCK   *held = NULL;
			uint64		value;

			/* most places are free; who holds a lock has set this before */
			if (process->databaseId != MyDatabaseId)
				continue;
			while ((held = next_proclock(&process->myProcLocks[partition], held)) != NULL)
				if (is_held(held, class, &value))
				{
					*key = found ? Min(*key, value) : value;
					found = true;
				}
		}
		LWLockRelease(lock);
	}
	if (max_prepared_xacts > 0)
		LWLockRelease(TwoPhaseStateLock);
	return found;
}

/* Two names with the same key merely share a lock. */
uint64
lock_key(const char *name, int len)
{
	return hash_bytes_extended((const unsigned char *) name, len, 0);
}
