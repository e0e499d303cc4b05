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
#include "store/append.h"

void
lock_new_fund(void)
{
	(void) lock_acquire(LOCK_NEW_FUND, 0, LOCK_EXCLUSIVE);
}

bool
fund_is_alone(int64 fund_id)
{
	return append_locked_all() || lock_held(LOCK_FUND, fund_id, LOCK_EXCLUSIVE);
}

/* Who holds the lock of all streams is alone already, and spares the many. */
void
lock_fund(int64 fund_id)
{
	if (!append_locked_all())
		(void) lock_acquire(LOCK_FUND, fund_id, LOCK_EXCLUSIVE);
}

bool
lock_fund_shared(int64 fund_id)
{
	if (fund_is_alone(fund_id))
		return false;
	(void) lock_acquire(LOCK_FUND, fund_id, LOCK_SHARED);
	return true;
}

bool
lock_fund_to_settle(int64 fund_id)
{
	return lock_try(LOCK_SETTLING, fund_id, LOCK_EXCLUSIVE);
}

void
unlock_fund_shared(int64 fund_id)
{
	lock_release(LOCK_FUND, fund_id, LOCK_SHARED);
}

bool
fund_is_shared(int64 fund_id)
{
	return lock_held(LOCK_FUND, fund_id, LOCK_SHARED) && !fund_is_alone(fund_id);
}

void
lock_fund_to_fold(int64 fund_id)
{
	if (!lock_held(LOCK_FUND, fund_id, LOCK_SHARED))
		lock_fund(fund_id);
}
