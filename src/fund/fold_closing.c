/*-------------------------------------------------------------------------
 *
 * fold_closing.c
 *	  What the events that end something do to the projections: periods closed
 *	  and reopened, funds closed.  Also the fence that what is closed stays as
 *	  it is.
 *
 *	  The moments at which days end are in the payloads; the zone's rules, which
 *	  may change, are asked only where an import left them out.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/calendar.h"
#include "fund/fold_internal.h"
#include "fund/money.h"

/* Of a closed fund nothing is recorded but what still comes in and goes out. */
void
check_open(const Fold *fold)
{
	switch ((FundEventType) fold->event->type_id)
	{
		case PRICE_LIMITS_SET:
		case INVESTMENT_CREATED:
		case INVESTMENT_WITHDRAWN:
		case MCP_PURCHASED:
		case MCP_SOLD:
		case FUND_VALUED:
		case FEE_ACCRUED:
		case DISTRIBUTION_DECLARED:
		case EVENT_REVERSED:
		case FUND_CLOSED:
			if (!row_text_is(fold->fund, FUND_STATUS, "open"))
				refuse(fold, ERRCODE_FUND_CLOSED, "Fund is closed",
					   psprintf("It is fund " INT64_FORMAT ".", row_int64(fold->fund, FUND_ID)));
			break;
		default:
			break;
	}
}

/* Nothing is recorded for a moment of a closed period. */
void
check_time(const Fold *fold)
{
	const Row  *fund = fold->fund;

	if (!fund->nulls[FUND_CLOSED_UNTIL] &&
		fold->event->effective_at < row_time(fund, FUND_CLOSED_UNTIL))
		refuse(fold, ERRCODE_PERIOD_CLOSED, "Period is closed",
			   psprintf("Fund " INT64_FORMAT " is closed through %s.",
						row_int64(fund, FUND_ID),
						date_text(row_date(fund, FUND_CLOSED_THROUGH))));
}

/* The moment at which the period of the payload ends. */
static TimestampTz
period_end(const Fold *fold, DateADT through)
{
	TimestampTz until;

	if (!payload_find_moment(fold->event->payload, "until", &until))
		until = day_end(through, row_text(fold->fund, FUND_TIME_ZONE));
	return until;
}

/* A row of what was closed when, as the fund has it now. */
static void
note_closing(Fold *fold, bool ends_fund)
{
	const Row  *fund = fold->fund;
	Datum		keys[2];
	Row		   *row;

	keys[0] = fund->values[FUND_ID];
	keys[1] = Int64GetDatum(fold->event->position);
	row = rows_add(fold->rows, TABLE_CLOSING, keys);
	row_set(row, CLOSING_EFFECTIVE_AT, TimestampTzGetDatum(fold->event->effective_at));
	row_set(row, CLOSING_RECORDED_AT, TimestampTzGetDatum(fold->event->recorded_at));
	row_set(row, CLOSING_ENDS_FUND, BoolGetDatum(ends_fund));
	if (!ends_fund && !fund->nulls[FUND_CLOSED_THROUGH])
		row_set(row, CLOSING_CLOSED_THROUGH, fund->values[FUND_CLOSED_THROUGH]);
}

void
fold_period_closed(Fold *fold)
{
	Row		   *fund = fold->fund;
	DateADT		through = payload_date(fold->event->payload, "through_date");
	TimestampTz until = period_end(fold, through);

	if (!fund->nulls[FUND_CLOSED_THROUGH] && through <= row_date(fund, FUND_CLOSED_THROUGH))
		refuse_payload(fold, psprintf("The fund is closed through %s already.",
									  date_text(row_date(fund, FUND_CLOSED_THROUGH))));
	if (until > fold->event->effective_at)
		refuse_payload(fold, "The period had not ended when it was closed.");
	row_set(fund, FUND_CLOSED_THROUGH, DateADTGetDatum(through));
	row_set(fund, FUND_CLOSED_UNTIL, TimestampTzGetDatum(until));
	note_closing(fold, false);
}

void
fold_period_reopened(Fold *fold)
{
	Row		   *fund = fold->fund;
	DateADT		through;

	if (fund->nulls[FUND_CLOSED_THROUGH])
		refuse_payload(fold, "No period of the fund is closed.");
	if (payload_find(fold->event->payload, "through_date") == NULL)
	{
		row_set_null(fund, FUND_CLOSED_THROUGH);
		row_set_null(fund, FUND_CLOSED_UNTIL);
		note_closing(fold, false);
		return;
	}
	through = payload_date(fold->event->payload, "through_date");
	if (through >= row_date(fund, FUND_CLOSED_THROUGH))
		refuse_payload(fold, psprintf("The fund is closed through %s only.",
									  date_text(row_date(fund, FUND_CLOSED_THROUGH))));
	row_set(fund, FUND_CLOSED_THROUGH, DateADTGetDatum(through));
	row_set(fund, FUND_CLOSED_UNTIL, TimestampTzGetDatum(period_end(fold, through)));
	note_closing(fold, false);
}

void
fold_fund_closed(Fold *fold)
{
	static const int figures[] =
	{FUND_CAPITAL_CASH, FUND_ASSET_VALUE, FUND_LIABILITIES, FUND_TOTAL_SUPPLY};
	int			i;

	for (i = 0; i < lengthof(figures); i++)
		if (num_sign(row_numeric(fold->fund, figures[i])) != 0)
			refuse(fold, ERRCODE_RESIDUAL_ASSETS, "Fund has residual assets",
				   psprintf("%s is %s.", tables[TABLE_FUND].columns[figures[i]].name,
							num_text(row_numeric(fold->fund, figures[i]))));
	if (payload_find(fold->event->payload, "amount") != NULL)
		require_equal(fold, "amount", num_int(0));
	row_set_text(fold->fund, FUND_STATUS, "closed");
	note_closing(fold, true);
}
