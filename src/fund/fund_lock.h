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

/*
 * Others may pay in meanwhile, but nobody decides otherwise.  False, and no
 * lock, where this transaction is alone with the fund already.
 */
extern bool lock_fund_shared(int64 fund_id);

/*
 * Whoever appends has locked the fund, shared or alone; a COPY or an INSERT of
 * the owner's has not, also where the transaction has appended elsewhere.
 */
extern void lock_fund_to_fold(int64 fund_id);

/* Undoes it, before anything was decided. */
extern void unlock_fund_shared(int64 fund_id);

/*
 * Whether it falls to this transaction to bring the fund's row up to date: to
 * one at a time, until its end.
 */
extern bool lock_fund_to_settle(int64 fund_id);

/* Whether this transaction is alone with the fund. */
extern bool fund_is_alone(int64 fund_id);

/* Whether it holds the shared lock and is not alone. */
extern bool fund_is_shared(int64 fund_id);

#endif							/* FUNDES_FUND_LOCK_H */
