/*-------------------------------------------------------------------------
 *
 * timeline.h
 *	  The figures of a fund or a holding as of any moment.
 *
 *	  Two times belong to an entry: when it is true (effective_at), and when it
 *	  was recorded, which is its position.  A question is about what was true
 *	  at a moment, as it was known up to a position.
 *
 *	  Most entries come in the order of effective_at.  So it is enough to keep,
 *	  beside the entries,
 *
 *		balances	what the figures came to after every BLOCK_ENTRIES entries,
 *					and the greatest effective_at by then
 *		late		entries that are more than a block behind: effective before
 *					the balance before the last
 *
 *	  For a question, the last balance b that is neither effective nor recorded
 *	  too late has all entries before it.  Of the two blocks after it the
 *	  entries are added one by one.  What comes after those is effective later
 *	  than the question's moment, unless it is late.
 *
 *	  Late entries are numbered 0, 1, 2, ... in the order of positions.  Beside
 *	  them (LATE_ENTRY) their running totals are kept (LATE_TOTAL), and blocks:
 *	  sorted by effective_at, with running sums, so that one look finds the sum
 *	  of a block up to a moment.  The first n entries are made up of a block for
 *	  each digit of n that is not 0, in base 4, and of less than four single ones:
 *	  block b of level l has the entries that the digit at l counts, those from
 *	  (b - b % 4) * 4^l to b * 4^l - 1.  Of late entries a question takes the sums
 *	  of all that were known, less all up to the balance, which are before its
 *	  moment.  So it costs O(log n), whatever came late.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_TIMELINE_H
#define FUNDES_TIMELINE_H

#include "fund/projection.h"

#define MAX_FIGURES 12
#define ALL_POSITIONS PG_INT64_MAX

typedef enum TimelineId
{
	FUND_TIMELINE,
	HOLDING_TIMELINE
} TimelineId;

#define NTIMELINES (HOLDING_TIMELINE + 1)

/*
 * For the fold: counts the entries that an event added to its owner, the row of
 * the fund or the holding, whose figures have them already.
 */
extern void timeline_advance(TimelineId id, Row *owner, List *entries,
							 int64 position);

/*
 * What the figures came to, in the order of the owner's columns, by the active
 * snapshot.  The keys are those of the owner.
 */
extern void timeline_figures(TimelineId id, const Datum *keys, TimestampTz as_of,
							 int64 known_position, Numeric *figures);

/* The last position that a fund's entries had reached at a moment. */
extern int64 timeline_known_position(int64 fund_id, TimestampTz known_at);

/*
 * Statements for the least that a figure comes to at a moment or at any later
 * one: of a fund ($1) or a holding ($1, $2), the moment and what it is now.
 * NULL where nothing happened later.  Entries effective after the moment all
 * have positions after the last balance that is not.
 */
#define TIMELINE_LEAST(of, keys, at, now, figure) \
	"select min(" now " - later - greatest(change, 0)) from (" \
	"  select " figure " as change, coalesce(sum(" figure ") over" \
	"    (order by effective_at desc, last_position desc" \
	"     rows between unbounded preceding and 1 preceding), 0) as later" \
	"    from fundes." of "_entry" \
	"   where " keys " and effective_at > " at " and last_position > coalesce((" \
	"     select last_position from fundes." of "_balance" \
	"      where " keys " and effective_at <= " at \
	"      order by effective_at desc, last_position desc limit 1), 0)) entries"

#define FUND_LEAST(figure) \
	TIMELINE_LEAST("fund", "fund_id = $1", "$2", "$3", figure)
#define HOLDING_LEAST(figure) \
	TIMELINE_LEAST("holding", "fund_id = $1 and investor_id = $2", "$3", "$4", figure)

#endif							/* FUNDES_TIMELINE_H */
