/*-------------------------------------------------------------------------
 *
 * fold_market.c
 *	  What the events of the market do to the projections: indexes published,
 *	  dealing halted and resumed, of one fund or of all.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/fold_internal.h"
#include "fund/market.h"
#include "utils/builtins.h"

/* A level published again for a day replaces the one before. */
void
fold_index_published(Fold *fold)
{
	const Payload *p = fold->event->payload;
	Datum		keys[2];
	Row		   *row;

	keys[0] = CStringGetTextDatum(payload_string(p, "index_name"));
	keys[1] = DateADTGetDatum(payload_date(p, "index_date"));
	row = rows_find(fold->rows, TABLE_MARKET_INDEX, keys);
	if (row == NULL)
		row = rows_add(fold->rows, TABLE_MARKET_INDEX, keys);
	row_set(row, INDEX_LEVEL, NumericGetDatum(number(fold, "level")));
	row_set(row, INDEX_LAST_POSITION, Int64GetDatum(fold->event->position));
}

static void
set_optional_text(Row *row, int column, const Payload *payload, const char *key)
{
	if (payload_find(payload, key) == NULL)
		row_set_null(row, column);
	else
		take_string(row, column, payload, key);
}

void
fold_trading(Fold *fold, bool halted)
{
	const FoldEvent *event = fold->event;
	TimestampTz until;
	Datum		keys[3];
	Row		   *row;

	keys[0] = Int64GetDatum(fold->fund != NULL ? row_int64(fold->fund, FUND_ID) : WHOLE_MARKET);
	keys[1] = TimestampTzGetDatum(event->effective_at);
	keys[2] = Int64GetDatum(event->position);
	row = rows_add(fold->rows, TABLE_TRADING_HALT, keys);
	row_set(row, HALT_HALTED, BoolGetDatum(halted));
	if (halted && payload_find_moment(event->payload, "until", &until))
	{
		if (until < event->effective_at)
			refuse_payload(fold, "The halt would end before it begins.");
		row_set(row, HALT_UNTIL, TimestampTzGetDatum(until));
	}
	set_optional_text(row, HALT_REASON, event->payload, "reason");
	set_optional_text(row, HALT_INDEX_NAME, event->payload, "index_name");
	if (fold->fund != NULL)
		row_set(fold->fund, FUND_HALTED, BoolGetDatum(true));
}
