/*-------------------------------------------------------------------------
 *
 * value_history.h
 *	  What a copyright's value was made of, and when.
 *
 *	  A copyright comes into the books at cost; each struck valuation adds what
 *	  the value rose by, at its own moment.  A copyright that leaves the books
 *	  as of an earlier moment leaves with the value of that moment; what
 *	  valuations added later is taken back where they added it.  So the fund's
 *	  assets are right at every moment between.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_VALUE_HISTORY_H
#define FUNDES_VALUE_HISTORY_H

#include "fund/projection.h"
#include "utils/jsonb.h"

/*
 * For the payload's key taken_back: what valuations effective after a moment
 * added, [{"effective_at": moment, "amount": cash}, ...]; NULL where there were
 * none.  To be called under the fund's lock.
 */
extern Jsonb *values_added_after(const Row *mcp, TimestampTz at);

#endif							/* FUNDES_VALUE_HISTORY_H */
