/*-------------------------------------------------------------------------
 *
 * fold_copyright.c
 *	  What purchases, sales and royalties do to the projections.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/fold_internal.h"
#include "fund/money.h"

void
fold_mcp_purchased(Fold *fold)
{
	const Payload *p = fold->event->payload;
	Datum		key = Int64GetDatum(payload_int64(p, "asset_id"));
	Numeric		price = number(fold, "price_cash");
	JsonbValue *estimate = payload_find(p, "estimated_value_cash");
	Row		   *mcp;

	if (rows_find_known(fold->rows, TABLE_MCP, &key) != NULL)
		refuse(fold, ERRCODE_MCP_ALREADY_HELD, "MCP is held already",
			   psprintf("asset_id " INT64_FORMAT " is in use.", DatumGetInt64(key)));
	mcp = rows_add(fold->rows, TABLE_MCP, &key);
	row_set(mcp, MCP_FUND_ID, fold->fund->values[FUND_ID]);
	take_string(mcp, MCP_COPYRIGHT_CODE, p, "copyright_code");
	take_string(mcp, MCP_REGISTRATION_NUMBER, p, "registration_number");
	take_string(mcp, MCP_MUSIC_ID, p, "music_id");
	row_set(mcp, MCP_ACQUISITION_DATE, DateADTGetDatum(payload_date(p, "acquisition_date")));
	row_set(mcp, MCP_COST_CASH, NumericGetDatum(price));
	row_set(mcp, MCP_VALUE_CASH, NumericGetDatum(price));
	row_set_null(mcp, MCP_ESTIMATED_VALUE_CASH);
	if (estimate != NULL)
		row_set(mcp, MCP_ESTIMATED_VALUE_CASH, NumericGetDatum(estimate->val.numeric));
	row_set(mcp, MCP_IS_STALE, BoolGetDatum(false));
	row_set(mcp, MCP_PURCHASED_AT, TimestampTzGetDatum(fold->event->effective_at));
	row_set_null(mcp, MCP_SOLD_PRICE_CASH);
	row_set(mcp, MCP_REVERSED, BoolGetDatum(false));
	row_set(mcp, MCP_LAST_POSITION, Int64GetDatum(fold->event->position));

	fund_subtract(fold, FUND_CAPITAL_CASH, price);
	fund_add(fold, FUND_ASSET_VALUE, price);
	fund_add(fold, FUND_ACCUMULATED_PURCHASE_VALUE, price);

	/* the price of a fund never valued ages from its first purchase */
	if (fold->fund->nulls[FUND_PRICE_DATE] &&
		(fold->fund->nulls[FUND_PRICE_SINCE] ||
		 fold->event->effective_at < row_time(fold->fund, FUND_PRICE_SINCE)))
		row_set(fold->fund, FUND_PRICE_SINCE, TimestampTzGetDatum(fold->event->effective_at));
}

/* The copyright that the event is about, held now or (ever) once. */
static Row *
mcp_of(Fold *fold, bool ever)
{
	int64		asset_id = payload_int64(fold->event->payload, "asset_id");
	Row		   *mcp = rows_find_int64(fold->rows, TABLE_MCP, asset_id);

	if (mcp == NULL || row_int64(mcp, MCP_FUND_ID) != row_int64(fold->fund, FUND_ID) ||
		DatumGetBool(mcp->values[MCP_REVERSED]) || (!ever && !mcp->nulls[MCP_SOLD_AT]))
		refuse(fold, ERRCODE_MCP_NOT_HELD, "MCP not held",
			   psprintf("Fund " INT64_FORMAT " does not hold asset " INT64_FORMAT ".",
						row_int64(fold->fund, FUND_ID), asset_id));
	row_set(mcp, MCP_LAST_POSITION, Int64GetDatum(fold->event->position));
	return mcp;
}

/*
 * A copyright leaves the books or comes back (sign 1) at its value.  The parts
 * of it that stand under taken_back, with moments after the event's own, do so
 * at their moments.
 */
void
move_value(Fold *fold, const Payload *payload, Numeric value, int sign)
{
	JsonbValue *parts = payload_find(payload, "taken_back");
	int			n = parts == NULL ? 0 : JB_ROOT_COUNT(JsonbValueToJsonb(parts));
	int			i;

	for (i = 0; i < n; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(&JsonbValueToJsonb(parts)->root, i);
		Jsonb	   *part = JsonbValueToJsonb(element);
		TimestampTz moment;
		Numeric		amount;

		if (!JB_ROOT_IS_OBJECT(part) || !json_find_moment(part, "effective_at", &moment) ||
			json_find(part, "amount") == NULL || json_find(part, "amount")->type != jbvNumeric)
			refuse_payload(fold, "A part of taken_back has no effective_at or no amount.");
		if (moment > row_time(fold->fund, FUND_LAST_EFFECTIVE_AT))
			refuse_payload(fold, "A part of taken_back is later than all that happened.");
		if (moment <= fold->event->effective_at)
			continue;
		amount = json_numeric(part, "amount");
		fund_add_at(fold, moment, FUND_ASSET_VALUE, sign > 0 ? amount : num_negate(amount));
		value = num_sub(value, amount);
	}
	fund_add(fold, FUND_ASSET_VALUE, sign > 0 ? value : num_negate(value));
}

void
fold_mcp_sold(Fold *fold)
{
	Row		   *mcp = mcp_of(fold, false);
	Numeric		price = number(fold, "price_cash");
	Numeric		gain = num_sub(price, row_numeric(mcp, MCP_COST_CASH));

	require_equal(fold, "carrying_value", row_numeric(mcp, MCP_VALUE_CASH));
	require_equal(fold, "cost_cash", row_numeric(mcp, MCP_COST_CASH));
	require_equal(fold, "realised_gain", gain);
	fund_add(fold, FUND_CAPITAL_CASH, price);
	move_value(fold, fold->event->payload, row_numeric(mcp, MCP_VALUE_CASH), -1);
	fund_add(fold, FUND_ACCUMULATED_SOLD_VALUE, price);
	fund_add(fold, FUND_REALISED_GAIN, gain);
	row_set(mcp, MCP_SOLD_AT, TimestampTzGetDatum(fold->event->effective_at));
	row_set(mcp, MCP_HELD_UNTIL, TimestampTzGetDatum(fold->event->effective_at));
	row_set(mcp, MCP_SOLD_PRICE_CASH, NumericGetDatum(price));
}

void
fold_royalty_received(Fold *fold)
{
	Numeric		amount = number(fold, "amount");

	row_add(mcp_of(fold, true), MCP_ROYALTY_INCOME, amount);
	fund_add(fold, FUND_CAPITAL_CASH, amount);
	fund_add(fold, FUND_ROYALTY_INCOME, amount);
}
