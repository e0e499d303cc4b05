/*-------------------------------------------------------------------------
 *
 * fund_lock.c
 *	  The locks that guard a fund, see fund_lock.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/fund_lock.h"
#include "locks.h"

void
lock_new_fund(void)
{
	(void) lock_acquire(LOCK_NEW_FUND, 0, LOCK_EXCLUSIVE);
}

/* Who holds the lock of all streams is alone already, and spares the many. */
void
lock_fund(int64 fund_id)
{
	if (!lock_held(LOCK_ALL_STREAMS, 0, LOCK_EXCLUSIVE))
		(void) lock_acquire(LOCK_FUND, fund_id, LOCK_EXCLUSIVE);
}
