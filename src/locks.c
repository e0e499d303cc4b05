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
lock_held(LockClass class, uint64 key, LOCKMODE mode)
{
	LOCKTAG		tag;

	set_tag(&tag, class, key);
	return lock_held_by_me(&tag, mode);
}

/* Two names with the same key merely share a lock. */
uint64
lock_key(const char *name, int len)
{
	return hash_bytes_extended((const unsigned char *) name, len, 0);
}
