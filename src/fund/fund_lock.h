/*-------------------------------------------------------------------------
 *
 * fund_lock.h
 *	  The locks that guard a fund.
 *
 *	  Whoever decides about a fund, or folds an event into its row, holds its
 *	  lock to the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_FUND_LOCK_H
#define FUNDES_FUND_LOCK_H

/* Who creates a fund takes this lock before it looks for the next id. */
extern void lock_new_fund(void);

/* Nobody else decides about the fund meanwhile. */
extern void lock_fund(int64 fund_id);

#endif							/* FUNDES_FUND_LOCK_H */
