/*-------------------------------------------------------------------------
 *
 * fold.h
 *	  What each event does to the projections.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_FOLD_H
#define FUNDES_FOLD_H

#include "fund/projection.h"
#include "utils/jsonb.h"

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
	FEE_PAID
} FundEventType;

typedef struct FoldEvent
{
	int64		position;
	int64		version;
	int32		type_id;
	TimestampTz effective_at;
	Jsonb	   *payload;
} FoldEvent;

/*
 * Folds one event into rows.  To be called in the order of positions; an
 * event whose type is not built in does nothing.
 */
extern void fold_event(RowSet *rows, const FoldEvent *event);

#endif							/* FUNDES_FOLD_H */
