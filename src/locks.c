/*-------------------------------------------------------------------------
 *
 * locks.c
 *	  Heavyweight locks of fundes' own class, see locks.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "common/hashfn.h"
#include "locks.h"
#include "miscadmin.h"

static inline void
set_tag(LOCKTAG *tag, LockClass class, uint64 key)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId,
						 (uint32) (key >> 32), (uint32) key, class);
}

/* Waits as lock_timeout allows. */
bool
lock_acquire(LockClass class, uint64 key, LOCKMODE mode)
{
	LOCKTAG		tag;

	set_tag(&tag, class, key);
	return LockAcquire(&tag, mode, false, false) == LOCKACQUIRE_OK;
}

bool
lock_try(LockClass class, uint64 key, LOCKMODE mode)
{
	LOCKTAG		tag;

	set_tag(&tag, class, key);
	return LockAcquire(&tag, mode, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

/* Undoes one lock_acquire() or lock_try() before the transaction's end. */
void
lock_release(LockClass class, uint64 key, LOCKMODE mode)
{
	LOCKTAG		tag;

	set_tag(&tag, class, key);
	(void) LockRelease(&tag, mode, false);
}

bool
lock_held(LockClass class, uint64 key, LOCKMODE mode)
{
	LOCKTAG		tag;

	set_tag(&tag, class, key);
	return lock_held_by_me(&tag, mode);
}

/*
 * Looks at what is held, by prepared transactions and by ourselves, too, in
 * the whole lock table at one moment.  What is merely waited for is not held.
 */
bool
lock_smallest_key(LockClass class, uint64 *key)
{
	LockData   *table = GetLockStatusData();
	bool		found = false;
	int			i;

	for (i = 0; i < table->nelements; i++)
	{
		const LockInstanceData *lock = &table->locks[i];
		const LOCKTAG *tag = &lock->locktag;
		uint64		value = (uint64) tag->locktag_field2 << 32 | tag->locktag_field3;

		if (tag->locktag_type != LOCKTAG_ADVISORY ||
			tag->locktag_field1 != MyDatabaseId ||
			tag->locktag_field4 != class ||
			lock->holdMask == 0)
			continue;
		if (!found || value < *key)
			*key = value;
		found = true;
	}
	pfree(table->locks);
	pfree(table);
	return found;
}

/* Two names with the same key merely share a lock. */
uint64
lock_key(const char *name, int len)
{
	return hash_bytes_extended((const unsigned char *) name, len, 0);
}
