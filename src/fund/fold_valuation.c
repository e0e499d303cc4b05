/*-------------------------------------------------------------------------
 *
 * fold_valuation.c
 *	  What a valuation does to the projections, and which valuations need to be
 *	  restated after an event.
 *
 *	  A valuation that strikes the price gives the fund its price and the
 *	  copyrights their values.  Any other is history only: a row of
 *	  fundes.valuation.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/calendar.h"
#include "fund/fold_internal.h"
#include "fund/money.h"
#include "utils/builtins.h"

static void
add_valuation(Fold *fold, DateADT date, TimestampTz as_of, bool strikes)
{
	static const struct
	{
		const char *key;
		int			column;
	}			figures[] = {
		{"nav", VALUATION_NAV},
		{"capital_cash", VALUATION_CAPITAL_CASH},
		{"asset_value", VALUATION_ASSET_VALUE},
		{"liabilities", VALUATION_LIABILITIES},
		{"total_supply", VALUATION_TOTAL_SUPPLY},
		{"base_price", VALUATION_BASE_PRICE}
	};
	int32		revision = payload_int64(fold->event->payload, "revision");
	Datum		keys[3];
	Row		   *row;
	int			i;

	keys[0] = fold->fund->values[FUND_ID];
	keys[1] = DateADTGetDatum(date);
	keys[2] = Int32GetDatum(revision - 1);
	if (revision < 1 ||
		(revision > 1 && rows_find(fold->rows, TABLE_VALUATION, keys) == NULL))
		refuse_payload(fold, "The revision does not follow on the last one of its day.");
	keys[2] = Int32GetDatum(revision);
	if (rows_find(fold->rows, TABLE_VALUATION, keys) != NULL)
		refuse_payload(fold, "This revision of the day's valuation is there already.");
	row = rows_add(fold->rows, TABLE_VALUATION, keys);
	for (i = 0; i < lengthof(figures); i++)
		row_set(row, figures[i].column, NumericGetDatum(number(fold, figures[i].key)));
	row_set(row, VALUATION_LAST_POSITION, Int64GetDatum(fold->event->position));
	row_set(row, VALUATION_AS_OF, TimestampTzGetDatum(as_of));
	row_set(row, VALUATION_STRUCK, BoolGetDatum(strikes));
	row_set(row, VALUATION_NEEDS_RESTATEMENT, BoolGetDatum(false));
}

/* The copyright whose asset_id is a key of an object of the valuation. */
static Row *
valued_mcp(Fold *fold, const JsonbValue *key)
{
	char	   *text = pnstrdup(key->val.string.val, key->val.string.len);
	int64		asset_id = strtoll(text, NULL, 10);
	Row		   *mcp = rows_find_int64(fold->rows, TABLE_MCP, asset_id);
	char		written[MAXINT8LEN + 1];

	pg_lltoa(asset_id, written);
	if (mcp == NULL || row_int64(mcp, MCP_FUND_ID) != row_int64(fold->fund, FUND_ID) ||
		strcmp(text, written) != 0)
		refuse(fold, ERRCODE_MCP_NOT_HELD, "MCP not held",
			   psprintf("Fund " INT64_FORMAT " never held asset %s.",
						row_int64(fold->fund, FUND_ID), text));
	return mcp;
}

/*
 * Adds to the assets, but for the time in which the copyright was sold.  Returns
 * the part as of the valuation's own moment, which is added for all copyrights
 * together.
 */
static Numeric
add_rise(Fold *fold, const Row *mcp, Numeric rise)
{
	TimestampTz at = fold->event->effective_at;

	if (mcp->nulls[MCP_GONE_AT] || at >= row_time(mcp, MCP_BACK_AT))
		return rise;
	fund_add_at(fold, row_time(mcp, MCP_BACK_AT), FUND_ASSET_VALUE, rise);
	if (at >= row_time(mcp, MCP_GONE_AT))
		return num_zero();
	fund_add_at(fold, row_time(mcp, MCP_GONE_AT), FUND_ASSET_VALUE, num_negate(rise));
	return rise;
}

/*
 * Whether a copyright is, or was at the moment of the valuation, one of the fund's:
 * one whose purchase was reversed later was held until then.
 */
static bool
counts(const Fold *fold, const Row *mcp)
{
	return !DatumGetBool(mcp->values[MCP_REVERSED]) ||
		(!mcp->nulls[MCP_HELD_UNTIL] &&
		 row_time(mcp, MCP_HELD_UNTIL) > fold->event->effective_at);
}

/*
 * A copyright that was sold by then keeps the value for the case that the sale
 * is reversed.  One whose sale, or the reversal of whose purchase, was recorded
 * before this valuation, but is effective later, has the value until then; and so
 * one whose sale was reversed, until it comes back.  Returns as add_rise().
 */
static Numeric
take_value(Fold *fold, Row *mcp, Numeric value)
{
	Numeric		rise = num_sub(value, row_numeric(mcp, MCP_VALUE_CASH));

	row_set(mcp, MCP_VALUE_CASH, NumericGetDatum(value));
	if (!mcp->nulls[MCP_HELD_UNTIL])
	{
		if (row_time(mcp, MCP_HELD_UNTIL) <= fold->event->effective_at)
			return num_zero();
		fund_add_at(fold, row_time(mcp, MCP_HELD_UNTIL), FUND_ASSET_VALUE, num_negate(rise));
	}
	return add_rise(fold, mcp, rise);
}

/* The sum of all values; takes them where the price is struck. */
static Numeric
take_values(Fold *fold, bool striking)
{
	Jsonb	   *values = payload_json(fold->event->payload, "values");
	Jsonb	   *sources = payload_json(fold->event->payload, "sources");
	JsonbIterator *it = JsonbIteratorInit(&values->root);
	JsonbIteratorToken token;
	JsonbValue	v;
	Row		   *mcp = NULL;
	Numeric		sum = num_zero();
	Numeric		rises = num_zero();

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			JsonbValue *source = findJsonbValueFromContainer(&sources->root, JB_FOBJECT, &v);

			mcp = valued_mcp(fold, &v);
			if (!striking || !counts(fold, mcp))
				continue;
			row_set(mcp, MCP_IS_STALE, BoolGetDatum(source == NULL));
			if (source != NULL && source->type == jbvString)
				row_set(mcp, MCP_LAST_PRICE_DATE,
						DateADTGetDatum(json_iso_date(pnstrdup(source->val.string.val,
															   source->val.string.len))));
			row_set(mcp, MCP_LAST_POSITION, Int64GetDatum(fold->event->position));
		}
		else if (token == WJB_VALUE)
		{
			if (v.type != jbvNumeric || num_sign(v.val.numeric) < 0)
				refuse_payload(fold, "A value is not a number from 0 on.");
			sum = num_add(sum, v.val.numeric);
			if (striking && counts(fold, mcp))
				rises = num_add(rises, take_value(fold, mcp, v.val.numeric));
		}
	}
	fund_add(fold, FUND_ASSET_VALUE, rises);
	return sum;
}

/*
 * Prices are struck in the order of time; after a distribution, or once a fund
 * without units has started anew, only by a valuation whose day saw that.
 */
bool
valuation_may_strike(const Row *fund, DateADT date, TimestampTz as_of, TimestampTz at)
{
	return (fund->nulls[FUND_LAST_VALUATION_DATE] ||
			date >= row_date(fund, FUND_LAST_VALUATION_DATE)) &&
		at >= row_time(fund, FUND_STRUCK_AT) &&
		(fund->nulls[FUND_EX_AT] || as_of > row_time(fund, FUND_EX_AT));
}

/* Whether the valuation strikes the price; otherwise it is history only. */
static bool
strikes(const Fold *fold, DateADT date, TimestampTz as_of)
{
	JsonbValue *struck = payload_find(fold->event->payload, "struck");
	bool		may = valuation_may_strike(fold->fund, date, as_of, fold->event->effective_at);

	if (struck == NULL)
		return may;
	if (struck->val.boolean && !may)
		refuse_payload(fold, "A later price is struck already, or a distribution was declared or the fund started anew since.");
	return struck->val.boolean;
}

/* c is never changed. */
void
fold_fund_valued(Fold *fold)
{
	Row		   *fund = fold->fund;
	DateADT		date = payload_date(fold->event->payload, "valuation_date");
	TimestampTz as_of;
	bool		striking;

	if (!payload_find_moment(fold->event->payload, "as_of", &as_of))
		as_of = day_end(date, row_text(fund, FUND_TIME_ZONE));
	if (!fund->nulls[FUND_CLOSED_THROUGH] && date <= row_date(fund, FUND_CLOSED_THROUGH))
		refuse(fold, ERRCODE_PERIOD_CLOSED, "Period is closed",
			   psprintf("The fund is closed through %s.",
						date_text(row_date(fund, FUND_CLOSED_THROUGH))));
	striking = strikes(fold, date, as_of);
	require_equal(fold, "asset_value", take_values(fold, striking));
	require_equal(fold, "nav", num_sub(num_add(number(fold, "capital_cash"),
											   number(fold, "asset_value")),
									   number(fold, "liabilities")));
	add_valuation(fold, date, as_of, striking);
	if (!striking)
		return;
	row_set(fund, FUND_BASE_PRICE, NumericGetDatum(number(fold, "base_price")));
	row_set(fund, FUND_PRICE_DATE, DateADTGetDatum(date));
	row_set_null(fund, FUND_PRICE_SINCE);
	row_set(fund, FUND_LAST_VALUATION_DATE, DateADTGetDatum(date));
	note_price(fold);
}

typedef struct Flagging
{
	TimestampTz since;			/* what was recorded late is true from then on */
	DateADT		day;			/* the last one seen */
} Flagging;

/* Of each day the latest revision comes first. */
static bool
flag_valuation(Row *valuation, void *arg)
{
	Flagging   *flagging = arg;
	DateADT		day = row_date(valuation, VALUATION_VALUATION_DATE);

	if (row_time(valuation, VALUATION_AS_OF) <= flagging->since)
		return false;
	if (day != flagging->day && !DatumGetBool(valuation->values[VALUATION_NEEDS_RESTATEMENT]))
		row_set(valuation, VALUATION_NEEDS_RESTATEMENT, BoolGetDatum(true));
	flagging->day = day;
	return true;
}

/* Flags the valuations that would have found other books. */
void
flag_valuations(Fold *fold)
{
	Flagging	flagging = {fold->event->effective_at, DATEVAL_NOEND};

	if (fold->moves_books && fold->event->type_id != FUND_VALUED &&
		fold->event->effective_at < row_time(fold->fund, FUND_LAST_EFFECTIVE_AT))
		rows_walk_back(fold->rows, TABLE_VALUATION, fold->fund->values[FUND_ID],
					   flag_valuation, &flagging);
}
