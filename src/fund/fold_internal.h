/*-------------------------------------------------------------------------
 *
 * fold_internal.h
 *	  What the files of the fold share: fold.c and fold_*.c, one a group of
 *	  events.
 *
 *	  Figures of a fund change by fund_add() and fund_subtract(), those of a
 *	  holding by holding_add(), and by nothing else: they also keep what each
 *	  event added.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_FOLD_INTERNAL_H
#define FUNDES_FOLD_INTERNAL_H

#include "fund/fold.h"
#include "json.h"

/* One event on its way through the fold. */
typedef struct Fold
{
	FoldRun    *run;
	RowSet	   *rows;
	const FoldEvent *event;
	Row		   *fund;			/* NULL for events of an investor or the market */
	List	   *entries;		/* of the fund: one for each moment */
	bool		pending;		/* they do not go into the fund's row yet */
	Row		   *holding;		/* NULL where the event is about none */
	List	   *holding_entries;
	uint64		moved;			/* figures of the fund, by COLUMN_BIT */
	bool		moves_books;	/* cash, assets, liabilities or units changed */
} Fold;

static inline Numeric
number(const Fold *fold, const char *key)
{
	return payload_numeric(fold->event->payload, key);
}

/* A string of the payload becomes a value of a row. */
static inline void
take_string(Row *row, int column, const Payload *payload, const char *key)
{
	int			length;
	const char *characters = payload_characters(payload, key, &length);

	row_set_characters(row, column, characters, length);
}

/* Raised where an appended event cannot be true. */
pg_noreturn extern void refuse(const Fold *fold, int code, const char *message,
							   const char *detail);
pg_noreturn extern void refuse_payload(const Fold *fold, const char *detail);

/* Raises UF023 where a figure of the payload is not that of the books. */
extern void require_equal(const Fold *fold, const char *key, Numeric expected);

/* fold.c: figures */
extern void fund_add(Fold *fold, int column, Numeric amount);
extern void fund_add_at(Fold *fold, TimestampTz moment, int column, Numeric amount);
extern void fund_subtract(Fold *fold, int column, Numeric amount);
extern void holding_add(Fold *fold, int column, Numeric amount);
extern void move_cost(Fold *fold, const Payload *payload, int sign);
extern void note_price(Fold *fold);

/* fold.c: rows that a payload names */
extern Row *fee_account(Fold *fold, const Payload *payload);

/* The holding that holding_add() changes; a new one only for a pay-in. */
extern void find_holding(Fold *fold, const char *investor_id, bool create);

/* fold_copyright.c */
extern void fold_mcp_purchased(Fold *fold);
extern void fold_mcp_sold(Fold *fold);
extern void fold_royalty_received(Fold *fold);
extern void move_value(Fold *fold, const Payload *payload, Numeric value, int sign);

/* fold_valuation.c */
extern void fold_fund_valued(Fold *fold);
extern void flag_valuations(Fold *fold);

/* fold_closing.c */
extern void check_open(const Fold *fold);
extern void check_time(const Fold *fold);
extern void fold_period_closed(Fold *fold);
extern void fold_period_reopened(Fold *fold);
extern void fold_fund_closed(Fold *fold);

/* fold_distribution.c */
extern void fold_distribution_declared(Fold *fold);
extern void fold_distribution_paid(Fold *fold);
extern void fold_residual_swept(Fold *fold);
extern Row *distribution_of(Fold *fold, const Payload *payload, const char *status);
extern void flag_distributions(Fold *fold);
extern void book_payment(Fold *fold, const Row *distribution, bool pay);
extern Numeric live_price(const Row *fund);

/* fold_reversal.c */
extern void fold_event_reversed(Fold *fold);

/* fold_market.c */
extern void fold_index_published(Fold *fold);
extern void fold_trading(Fold *fold, bool halted);

#endif							/* FUNDES_FOLD_INTERNAL_H */
