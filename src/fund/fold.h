/*-------------------------------------------------------------------------
 *
 * fold.h
 *	  What each event does to the projections.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_FOLD_H
#define FUNDES_FOLD_H

#include "fund/pending.h"
#include "fund/projection.h"
#include "json.h"

/* Ids in fundes.event_type, see sql/fund/events.sql. */
typedef enum FundEventType
{
	FUND_CREATED = 1,
	PRICE_LIMITS_SET,
	INVESTOR_CREATED,
	INVESTMENT_CREATED,
	INVESTMENT_WITHDRAWN,
	MCP_PURCHASED,
	MCP_SOLD,
	FUND_VALUED,
	ROYALTY_RECEIVED,
	FEE_ACCRUED,
	FEE_PAID,
	DISTRIBUTION_DECLARED,
	DISTRIBUTION_PAID,
	INDEX_PUBLISHED,
	TRADING_HALTED,
	TRADING_RESUMED,
	EVENT_REVERSED,
	PERIOD_CLOSED,
	PERIOD_REOPENED,
	RESIDUAL_SWEPT,
	FUND_CLOSED
} FundEventType;

/* How a trigger of others appends events of funds. */
#define FOLLOWER_HINT \
	"A trigger on fundes.event comes after the fold where it is AFTER INSERT, " \
	"for each statement, with a name that sorts after \"project\"."

typedef struct FoldEvent
{
	int64		position;
	int64		stream_id;
	int64		version;
	int32		type_id;
	TimestampTz effective_at;
	TimestampTz recorded_at;
	const Payload *payload;
} FoldEvent;

/* A run of events: each is folded in a memory context that is emptied after. */
typedef struct FoldRun
{
	RowSet	   *rows;
	MemoryContext event_context;

	/*
	 * In scratch tables: what is pending in the projections is left so, unless
	 * the log has more of it than pay-ins; then the run is of no use.
	 */
	PendingFund *pending;
	int			npending;
	bool		pending_wrong;

	/* Where there are parts: of the events of funds only those of one. */
	uint32		parts;
	uint32		part;
} FoldRun;

extern void fold_begin(FoldRun *run, RowSet *rows);

/*
 * Folds one event, whose payload is given as it was read.  To be called in the
 * order of positions, for events whose type is built in.
 */
extern void fold_next(FoldRun *run, FoldEvent *event, Datum payload);

/* Writes all rows. */
extern void fold_end(FoldRun *run);

/* Writes none. */
extern void fold_discard(FoldRun *run);

/*
 * Whether a valuation of a day that ended as_of may strike the price at a
 * moment.
 */
extern bool valuation_may_strike(const Row *fund, DateADT date, TimestampTz as_of,
								 TimestampTz at);

#endif							/* FUNDES_FOLD_H */
