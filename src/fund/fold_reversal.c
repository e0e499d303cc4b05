/*-------------------------------------------------------------------------
 *
 * fold_reversal.c
 *	  What a reversal does to the projections: it takes from each figure what
 *	  the reversed event added to it, from its own effective_at on.
 *
 *	  The payload carries that of the reversed event, so the log need not be
 *	  asked.  A copyright comes and goes with its present value.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/fold_internal.h"
#include "fund/money.h"

static void
reverse_investment_created(Fold *fold, const Payload *reversed)
{
	Numeric		units = payload_numeric(reversed, "units");
	Numeric		taken = payload_numeric(reversed, "cash_taken");

	find_holding(fold, payload_string(reversed, "investor_id"), false);
	fund_subtract(fold, FUND_CAPITAL_CASH, taken);
	fund_subtract(fold, FUND_TOTAL_SUPPLY, units);
	fund_subtract(fold, FUND_SUBSCRIPTIONS, taken);
	holding_add(fold, INVESTMENT_UNITS, num_negate(units));
	holding_add(fold, INVESTMENT_INVESTMENT_AMOUNT, num_negate(taken));
	holding_add(fold, INVESTMENT_COST_BASIS, num_negate(taken));
	if (num_sign(row_numeric(fold->holding, INVESTMENT_UNITS)) == 0 &&
		num_sign(row_numeric(fold->holding, INVESTMENT_COST_BASIS)) > 0)
		refuse(fold, ERRCODE_REVERSAL_BREAKS, "Reversal would break the books",
			   psprintf("The holding would have no units and a cost_basis of %s.",
						num_text(row_numeric(fold->holding, INVESTMENT_COST_BASIS))));
}

static void
reverse_investment_withdrawn(Fold *fold, const Payload *reversed)
{
	Numeric		units = payload_numeric(reversed, "stock_quantity");
	Numeric		paid = payload_numeric(reversed, "withdrawn_amount");

	find_holding(fold, payload_string(reversed, "investor_id"), false);
	fund_add(fold, FUND_CAPITAL_CASH, paid);
	fund_add(fold, FUND_TOTAL_SUPPLY, units);
	fund_subtract(fold, FUND_REDEMPTIONS, paid);
	holding_add(fold, INVESTMENT_UNITS, units);
	holding_add(fold, INVESTMENT_WITHDRAWN_AMOUNT, num_negate(paid));
	move_cost(fold, reversed, -1);
}

/* The fund's copyright of a reversed event, sold or not. */
static Row *
reversed_mcp(Fold *fold, const Payload *reversed, bool sold)
{
	Row		   *mcp = rows_find_int64(fold->rows, TABLE_MCP, payload_int64(reversed, "asset_id"));

	if (mcp == NULL || row_int64(mcp, MCP_FUND_ID) != row_int64(fold->fund, FUND_ID) ||
		DatumGetBool(mcp->values[MCP_REVERSED]) || mcp->nulls[MCP_SOLD_AT] == sold)
		refuse(fold, ERRCODE_REVERSAL_BREAKS, "Reversal would break the books",
			   psprintf("Asset " INT64_FORMAT " is %s.", payload_int64(reversed, "asset_id"),
						sold ? "not sold" : "not held"));
	row_set(mcp, MCP_LAST_POSITION, Int64GetDatum(fold->event->position));
	return mcp;
}

/*
 * The price of a fund never valued does not age from what it never held, but
 * from the moment that the payload states, if any.
 */
static void
restart_price_age(Fold *fold)
{
	Row		   *fund = fold->fund;
	TimestampTz since;

	if (!fund->nulls[FUND_PRICE_DATE] || fund->nulls[FUND_PRICE_SINCE] ||
		row_time(fund, FUND_PRICE_SINCE) != fold->event->effective_at)
		return;
	if (!payload_find_moment(fold->event->payload, "price_since", &since))
	{
		row_set_null(fund, FUND_PRICE_SINCE);
		return;
	}
	if (since < fold->event->effective_at || since > row_time(fund, FUND_LAST_EFFECTIVE_AT))
		refuse_payload(fold, "price_since is before the purchase, or later than all that happened.");
	row_set(fund, FUND_PRICE_SINCE, TimestampTzGetDatum(since));
}

/*
 * As if it had not been bought: its present value leaves, its cost comes back as
 * cash.  It was held until then, or never where that is the moment of the
 * purchase.
 */
static void
reverse_mcp_purchased(Fold *fold, const Payload *reversed)
{
	Row		   *mcp = reversed_mcp(fold, reversed, false);
	Numeric		price = payload_numeric(reversed, "price_cash");

	if (num_sign(row_numeric(mcp, MCP_ROYALTY_INCOME)) != 0)
		refuse(fold, ERRCODE_REVERSAL_BREAKS, "Reversal would break the books",
			   psprintf("Asset " INT64_FORMAT " has royalties.", row_int64(mcp, MCP_ASSET_ID)));
	fund_add(fold, FUND_CAPITAL_CASH, price);
	move_value(fold, fold->event->payload, row_numeric(mcp, MCP_VALUE_CASH), -1);
	fund_subtract(fold, FUND_ACCUMULATED_PURCHASE_VALUE, price);
	row_set(mcp, MCP_REVERSED, BoolGetDatum(true));
	if (fold->event->effective_at > row_time(mcp, MCP_PURCHASED_AT))
		row_set(mcp, MCP_HELD_UNTIL, TimestampTzGetDatum(fold->event->effective_at));
	else
		restart_price_age(fold);
}

/* It is held again, at the value that it would have. */
static void
reverse_mcp_sold(Fold *fold, const Payload *reversed)
{
	Row		   *mcp = reversed_mcp(fold, reversed, true);
	Numeric		price = payload_numeric(reversed, "price_cash");

	fund_subtract(fold, FUND_CAPITAL_CASH, price);
	move_value(fold, fold->event->payload, row_numeric(mcp, MCP_VALUE_CASH), 1);
	fund_subtract(fold, FUND_ACCUMULATED_SOLD_VALUE, price);
	fund_subtract(fold, FUND_REALISED_GAIN, payload_numeric(reversed, "realised_gain"));
	row_set(mcp, MCP_GONE_AT, mcp->values[MCP_SOLD_AT]);
	row_set(mcp, MCP_BACK_AT, TimestampTzGetDatum(fold->event->effective_at));
	row_set_null(mcp, MCP_SOLD_AT);
	row_set_null(mcp, MCP_HELD_UNTIL);
	row_set_null(mcp, MCP_SOLD_PRICE_CASH);
}

static void
reverse_royalty_received(Fold *fold, const Payload *reversed)
{
	Numeric		amount = num_negate(payload_numeric(reversed, "amount"));
	Row		   *mcp = rows_find_int64(fold->rows, TABLE_MCP, payload_int64(reversed, "asset_id"));

	if (mcp == NULL)
		refuse_payload(fold, "The copyright of the royalty is not known.");
	row_add(mcp, MCP_ROYALTY_INCOME, amount);
	row_set(mcp, MCP_LAST_POSITION, Int64GetDatum(fold->event->position));
	fund_add(fold, FUND_CAPITAL_CASH, amount);
	fund_add(fold, FUND_ROYALTY_INCOME, amount);
}

static void
reverse_fee_accrued(Fold *fold, const Payload *reversed)
{
	Numeric		amount = num_negate(payload_numeric(reversed, "amount"));
	Row		   *account = fee_account(fold, reversed);

	fund_add(fold, FUND_LIABILITIES, amount);
	fund_add(fold, FUND_FEE_EXPENSE, amount);
	row_add(account, ACCOUNT_ACCRUED, amount);
	if (num_cmp(row_numeric(account, ACCOUNT_PAID), row_numeric(account, ACCOUNT_ACCRUED)) > 0)
		refuse(fold, ERRCODE_REVERSAL_BREAKS, "Reversal would break the books",
			   "More of that kind is paid than would be accrued.");
}

static void
reverse_fee_paid(Fold *fold, const Payload *reversed)
{
	Numeric		amount = payload_numeric(reversed, "amount");

	fund_add(fold, FUND_LIABILITIES, amount);
	fund_add(fold, FUND_CAPITAL_CASH, amount);
	row_add(fee_account(fold, reversed), ACCOUNT_PAID, num_negate(amount));
}

/* Where the payload has a price, that is struck: with what is not distributed. */
static void
reverse_distribution_declared(Fold *fold, const Payload *reversed)
{
	Row		   *distribution = distribution_of(fold, reversed, "declared");
	JsonbValue *price = payload_find(fold->event->payload, "base_price");
	Numeric		total = row_numeric(distribution, DISTRIBUTION_TOTAL);

	fund_subtract(fold, FUND_LIABILITIES, total);
	fund_subtract(fold, FUND_DISTRIBUTED, total);
	row_set_text(distribution, DISTRIBUTION_STATUS, "reversed");
	if (price == NULL)
		return;
	row_set(fold->fund, FUND_BASE_PRICE, NumericGetDatum(price->val.numeric));
	note_price(fold);
}

static void
reverse_distribution_paid(Fold *fold, const Payload *reversed)
{
	Row		   *distribution = distribution_of(fold, reversed, "paid");

	book_payment(fold, distribution, false);
	if (fold->event->effective_at > row_time(distribution, DISTRIBUTION_PAID_AT))
		row_set(distribution, DISTRIBUTION_OPEN_SINCE, TimestampTzGetDatum(fold->event->effective_at));
	row_set_text(distribution, DISTRIBUTION_STATUS, "declared");
	row_set_null(distribution, DISTRIBUTION_PAID_AT);
}

static void
reverse_residual_swept(Fold *fold, const Payload *reversed)
{
	Numeric		amount = payload_numeric(reversed, "amount");

	fund_add(fold, FUND_CAPITAL_CASH, amount);
	fund_subtract(fold, FUND_DISTRIBUTED, amount);
}

static const struct
{
	const char *type;
	void		(*reverse) (Fold *fold, const Payload *reversed);
}			reversals[] = {
	{"InvestmentCreated", reverse_investment_created},
	{"InvestmentWithdrawn", reverse_investment_withdrawn},
	{"McpPurchased", reverse_mcp_purchased},
	{"McpSold", reverse_mcp_sold},
	{"RoyaltyReceived", reverse_royalty_received},
	{"FeeAccrued", reverse_fee_accrued},
	{"FeePaid", reverse_fee_paid},
	{"DistributionDeclared", reverse_distribution_declared},
	{"DistributionPaid", reverse_distribution_paid},
	{"ResidualSwept", reverse_residual_swept}
};

static void
note_reversal(Fold *fold)
{
	Datum		key = Int64GetDatum(payload_int64(fold->event->payload, "reversed_position"));
	Row		   *row;

	if (rows_find(fold->rows, TABLE_REVERSAL, &key) != NULL)
		refuse(fold, ERRCODE_ALREADY_REVERSED, "Event is reversed already",
			   psprintf("It is the event at position " INT64_FORMAT ".", DatumGetInt64(key)));
	row = rows_add(fold->rows, TABLE_REVERSAL, &key);
	row_set(row, REVERSAL_FUND_ID, fold->fund->values[FUND_ID]);
	row_set(row, REVERSAL_LAST_POSITION, Int64GetDatum(fold->event->position));
}

/* Of a holding the domains would tell as well, but not what is wrong. */
static void
check_holding(const Fold *fold)
{
	int			i;

	if (fold->holding == NULL)
		return;
	for (i = INVESTMENT_UNITS; i <= INVESTMENT_COST_BASIS; i++)
		if (num_sign(row_numeric(fold->holding, i)) < 0)
			refuse(fold, ERRCODE_REVERSAL_BREAKS, "Reversal would break the books",
				   psprintf("%s of the holding would be %s.",
							tables[TABLE_INVESTMENT].columns[i].name,
							num_text(row_numeric(fold->holding, i))));
}

void
fold_event_reversed(Fold *fold)
{
	const Payload *p = fold->event->payload;
	char	   *type = payload_string(p, "reversed_type");
	Payload		reversed;
	int			i;

	for (i = 0; i < lengthof(reversals); i++)
		if (strcmp(reversals[i].type, type) == 0)
			break;
	if (i == lengthof(reversals))
		refuse_payload(fold, psprintf("An event of type %s is not reversed.", type));
	payload_open(&reversed, payload_json(p, "reversed"));
	if (payload_int64(&reversed, "fund_id") != row_int64(fold->fund, FUND_ID))
		refuse_payload(fold, "The reversed event is of another fund.");
	note_reversal(fold);
	reversals[i].reverse(fold, &reversed);
	check_holding(fold);
}
