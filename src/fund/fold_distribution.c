/*-------------------------------------------------------------------------
 *
 * fold_distribution.c
 *	  What distributions and sweeps do to the projections.
 *
 *	  Declared, a distribution is a liability, and units are dealt without the
 *	  claim to it from then on: the ex price is struck.  Paid, it is neither owed
 *	  nor in the fund any more.  At no moment it is paid twice, or not declared
 *	  and paid: once a payment is reversed, the next is no earlier than that.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/fold_internal.h"
#include "fund/money.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* Calls back with each investor of an object of entitlements, and the cash. */
static void
each_entitlement(Fold *fold, Jsonb *entitlements,
				 void (*visit) (Fold *fold, const char *investor_id, Numeric cash, void *arg),
				 void *arg)
{
	JsonbIterator *it = JsonbIteratorInit(&entitlements->root);
	JsonbIteratorToken token;
	JsonbValue	v;
	char	   *investor_id = NULL;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
			investor_id = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
		{
			if (v.type != jbvNumeric || num_sign(v.val.numeric) <= 0)
				refuse_payload(fold, psprintf("The entitlement of \"%s\" is not a number above 0.",
											  investor_id));
			visit(fold, investor_id, v.val.numeric, arg);
		}
	}
}

static void
add_entitlement(Fold *fold, const char *investor_id, Numeric cash, void *arg)
{
	Numeric    *sum = arg;
	Datum		keys[2];

	keys[0] = fold->fund->values[FUND_ID];
	keys[1] = CStringGetTextDatum(investor_id);
	if (rows_find(fold->rows, TABLE_INVESTMENT, keys) == NULL)
		refuse(fold, ERRCODE_INVESTMENT_NOT_FOUND, "Investment not found",
			   psprintf("Investor \"%s\" has no investment in fund " INT64_FORMAT ".",
						investor_id, row_int64(fold->fund, FUND_ID)));
	(void) at_scale(cash, row_int32(fold->fund, FUND_CASH_SCALE), "an entitlement");
	*sum = num_add(*sum, cash);
}

/* NAV / total_supply, floor at 4 decimals; without units the price that is. */
Numeric
live_price(const Row *fund)
{
	Numeric		nav = num_sub(num_add(row_numeric(fund, FUND_CAPITAL_CASH),
									  row_numeric(fund, FUND_ASSET_VALUE)),
							  row_numeric(fund, FUND_LIABILITIES));

	if (num_sign(row_numeric(fund, FUND_TOTAL_SUPPLY)) == 0)
		return row_numeric(fund, FUND_BASE_PRICE);
	if (num_sign(nav) < 0)
		return num_int(0);
	return num_div_floor(nav, row_numeric(fund, FUND_TOTAL_SUPPLY), PRICE_SCALE);
}

void
fold_distribution_declared(Fold *fold)
{
	const Payload *p = fold->event->payload;
	Row		   *fund = fold->fund;
	int64		id = payload_int64(p, "distribution_id");
	JsonbValue *price = payload_find(p, "base_price");
	Jsonb	   *entitlements = payload_json(p, "entitlements");
	Numeric		total = number(fold, "total");
	Numeric		sum = num_int(0);
	Datum		keys[2];
	Row		   *row;

	if (id != row_int64(fund, FUND_LAST_DISTRIBUTION_ID) + 1)
		refuse_payload(fold, psprintf("The next distribution of the fund is " INT64_FORMAT ".",
									  row_int64(fund, FUND_LAST_DISTRIBUTION_ID) + 1));
	each_entitlement(fold, entitlements, add_entitlement, &sum);
	require_equal(fold, "total", sum);
	if (num_cmp(total, number(fold, "amount")) > 0)
		refuse_payload(fold, "total is more than amount.");

	keys[0] = fund->values[FUND_ID];
	keys[1] = Int64GetDatum(id);
	row = rows_add(fold->rows, TABLE_DISTRIBUTION, keys);
	row_set(row, DISTRIBUTION_RECORD_DATE, DateADTGetDatum(payload_date(p, "record_date")));
	row_set(row, DISTRIBUTION_DECLARED_AT, TimestampTzGetDatum(fold->event->effective_at));
	row_set(row, DISTRIBUTION_AMOUNT, NumericGetDatum(number(fold, "amount")));
	row_set(row, DISTRIBUTION_PER_UNIT, NumericGetDatum(number(fold, "per_unit")));
	row_set(row, DISTRIBUTION_TOTAL, NumericGetDatum(total));
	row_set(row, DISTRIBUTION_ENTITLEMENTS, JsonbPGetDatum(entitlements));
	row_set_text(row, DISTRIBUTION_STATUS, "declared");
	row_set(row, DISTRIBUTION_LAST_POSITION, Int64GetDatum(fold->event->position));
	row_set(row, DISTRIBUTION_OPEN_SINCE, TimestampTzGetDatum(fold->event->effective_at));
	row_set(row, DISTRIBUTION_BOOKS_CHANGED, BoolGetDatum(false));

	fund_add(fold, FUND_LIABILITIES, total);
	fund_add(fold, FUND_DISTRIBUTED, total);
	row_set(fund, FUND_LAST_DISTRIBUTION_ID, Int64GetDatum(id));
	row_set(fund, FUND_EX_AT, TimestampTzGetDatum(fold->event->effective_at));
	row_set(fund, FUND_BASE_PRICE, NumericGetDatum(price != NULL ? price->val.numeric :
												   live_price(fund)));
	note_price(fold);
}

static bool
flag_distribution(Row *distribution, void *since)
{
	if (row_time(distribution, DISTRIBUTION_DECLARED_AT) <= *(TimestampTz *) since)
		return false;
	if (!DatumGetBool(distribution->values[DISTRIBUTION_BOOKS_CHANGED]))
		row_set(distribution, DISTRIBUTION_BOOKS_CHANGED, BoolGetDatum(true));
	return true;
}

/* Flags the declarations that would have found other books, and another ex price. */
void
flag_distributions(Fold *fold)
{
	TimestampTz since = fold->event->effective_at;

	if (fold->moves_books && row_int64(fold->fund, FUND_LAST_DISTRIBUTION_ID) > 0 &&
		since < row_time(fold->fund, FUND_LAST_EFFECTIVE_AT))
		rows_walk_back(fold->rows, TABLE_DISTRIBUTION, fold->fund->values[FUND_ID],
					   flag_distribution, &since);
}

/*
 * The distribution of a payload, which must be in the state that is named; to be
 * paid or not declared any more, it must have been declared and unpaid from the
 * event's moment on.
 */
Row *
distribution_of(Fold *fold, const Payload *payload, const char *status)
{
	Datum		keys[2];
	Row		   *row;

	keys[0] = fold->fund->values[FUND_ID];
	keys[1] = Int64GetDatum(payload_int64(payload, "distribution_id"));
	row = rows_find(fold->rows, TABLE_DISTRIBUTION, keys);
	if (row == NULL || !row_text_is(row, DISTRIBUTION_STATUS, status))
		refuse_payload(fold, psprintf("The fund has no distribution " INT64_FORMAT " that is %s.",
									  DatumGetInt64(keys[1]), status));
	if (row_time(row, DISTRIBUTION_OPEN_SINCE) > fold->event->effective_at)
		refuse_payload(fold, psprintf("Distribution " INT64_FORMAT " is declared and not paid from %s on only.",
									  DatumGetInt64(keys[1]),
									  timestamptz_to_str(row_time(row, DISTRIBUTION_OPEN_SINCE))));
	row_set(row, DISTRIBUTION_LAST_POSITION, Int64GetDatum(fold->event->position));
	return row;
}

static void
credit_entitlement(Fold *fold, const char *investor_id, Numeric cash, void *arg)
{
	find_holding(fold, investor_id, false);
	holding_add(fold, INVESTMENT_DISTRIBUTIONS, *(bool *) arg ? cash : num_negate(cash));
}

/* Books a payment, or takes it back: the cash of the fund and of each holder. */
void
book_payment(Fold *fold, const Row *distribution, bool pay)
{
	Numeric		total = row_numeric(distribution, DISTRIBUTION_TOTAL);

	if (!pay)
		total = num_negate(total);
	fund_subtract(fold, FUND_LIABILITIES, total);
	fund_subtract(fold, FUND_CAPITAL_CASH, total);
	each_entitlement(fold, DatumGetJsonbP(distribution->values[DISTRIBUTION_ENTITLEMENTS]),
					 credit_entitlement, &pay);
}

void
fold_distribution_paid(Fold *fold)
{
	Row		   *row = distribution_of(fold, fold->event->payload, "declared");

	require_equal(fold, "total", row_numeric(row, DISTRIBUTION_TOTAL));
	book_payment(fold, row, true);
	row_set_text(row, DISTRIBUTION_STATUS, "paid");
	row_set(row, DISTRIBUTION_PAID_AT, TimestampTzGetDatum(fold->event->effective_at));
}

/* What nobody's units stand for goes to somebody. */
void
fold_residual_swept(Fold *fold)
{
	Numeric		amount = number(fold, "amount");

	if (num_sign(row_numeric(fold->fund, FUND_TOTAL_SUPPLY)) != 0)
		refuse(fold, ERRCODE_RESIDUAL_ASSETS, "Fund has units",
			   psprintf("%s units are outstanding.",
						num_text(row_numeric(fold->fund, FUND_TOTAL_SUPPLY))));
	fund_subtract(fold, FUND_CAPITAL_CASH, amount);
	fund_add(fold, FUND_DISTRIBUTED, amount);
}
