/*-------------------------------------------------------------------------
 *
 * pending.h
 *	  Pay-ins into a fund that do not wait for each other.
 *
 *	  A pay-in only adds: units, cash, subscriptions.  Two pay-ins at the same
 *	  price may so be made in either order, and need not exclude each other, as
 *	  long as neither can come to a limit of the fund.  They hold the fund's
 *	  lock together; each leaves its entry in fund_entry and does not touch the
 *	  fund's row, which would be one at a time, each for as long as its commit
 *	  takes.
 *
 *	  Entries after the fund's last_position are pending: to read the fund is to
 *	  add them (view fundes.fund_now).  Whoever holds the fund's lock alone has
 *	  them all before him, as no pay-in is in progress, and adds them to the row
 *	  in the order of their positions.  Now and then a pay-in does so for those
 *	  up to the watermark, while others go on: so the row is updated once for
 *	  hundreds of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_PENDING_H
#define FUNDES_PENDING_H

#include "fund/projection.h"

/*
 * Whether a pay-in of so much may be made beside others: whatever the others
 * bring, it is as far from all limits as when it is alone.  By the fund's row
 * as it stands.
 */
extern bool pay_in_commutes(const Row *fund, Numeric amount);

/*
 * Adds the pending entries to the figures of a fund's row, once; returns
 * whether there were any.  With keep they become part of the row, with their
 * balances; without it is only for reading.
 */
extern bool pending_add(Row *fund, bool keep);

/*
 * If it is time, brings a fund's row up to date up to the watermark: there no
 * pay-in is in progress that could still leave an entry.  For a pay-in under the
 * shared lock, with the position of its event.
 */
extern void pending_settle(const Row *fund, int64 position);

/* A fund that has pending entries by the projections: those after a position. */
typedef struct PendingFund
{
	int64		fund_id;
	int64		after;
	bool		wrong;			/* by the log there is more than pay-ins */
} PendingFund;

/* All of them, in ascending order, by the active snapshot. */
extern PendingFund *pending_funds(int *count);
extern PendingFund *pending_find(PendingFund *funds, int count, int64 fund_id);

#endif							/* FUNDES_PENDING_H */
