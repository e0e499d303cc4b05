/*-------------------------------------------------------------------------
 *
 * fund_state.c
 *	  A fund's figures now or as of a past moment, see fund_state.h.
 *
 *	  The fund's row has the figures of now; those of a past moment are asked of
 *	  its timeline.  Prices are struck in one order, by position and by
 *	  effective_at: so the price in force is that of the last strike that is
 *	  neither effective nor recorded too late.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/calendar.h"
#include "fund/fund_state.h"
#include "fund/money.h"
#include "fund/timeline.h"
#include "plan.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"

static Numeric
numeric_column(int column)
{
	bool		isnull;
	Datum		value = plan_value(column, NUMERICOID, &isnull);

	return isnull ? num_int(0) : DatumGetNumeric(value);
}

bool
fund_price_at(FundPrice *price, int64 fund_id, TimestampTz as_of, int64 known_position)
{
	static KeptPlan last = PLAN(
		"select base_price, price_date, price_since, last_position from fundes.fund_entry"
		" where fund_id = $1 and base_price is not null and last_position = least("
		"   (select last_position from fundes.fund_entry"
		"     where fund_id = $1 and base_price is not null and effective_at <= $2"
		"     order by effective_at desc, last_position desc limit 1),"
		"   (select last_position from fundes.fund_entry"
		"     where fund_id = $1 and base_price is not null and last_position <= $3"
		"     order by last_position desc limit 1))"
		"   and effective_at <= $2 and last_position <= $3",
		INT8OID, TIMESTAMPTZOID, INT8OID);
	Datum		values[3];
	bool		found;
	bool		isnull;

	values[0] = Int64GetDatum(fund_id);
	values[1] = TimestampTzGetDatum(as_of);
	values[2] = Int64GetDatum(known_position);
	found = plan_read(&last, values, NULL) > 0;
	if (found)
	{
		price->base_price = numeric_column(1);
		price->date = DatumGetDateADT(plan_value(2, DATEOID, &price->no_date));
		price->since = DatumGetTimestampTz(plan_value(3, TIMESTAMPTZOID, &price->no_since));
		price->position = DatumGetInt64(plan_value(4, INT8OID, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

bool
price_age_start(int64 fund_id, TimestampTz as_of, int64 without_asset, TimestampTz *since)
{
	static KeptPlan select = PLAN(
		"select coalesce("
		"  (select max(effective_at) from fundes.fund_entry"
		"    where fund_id = $1 and effective_at <= $2 and base_price is not null"
		"      and subscriptions > 0 and price_since = effective_at),"
		"  (select min(purchased_at) from fundes.mcp"
		"    where fund_id = $1 and purchased_at <= $2 and asset_id <> $3"
		"      and (not reversed or held_until is not null)))",
		INT8OID, TIMESTAMPTZOID, INT8OID);
	Datum		values[3];
	bool		isnull;

	values[0] = Int64GetDatum(fund_id);
	values[1] = TimestampTzGetDatum(as_of);
	values[2] = Int64GetDatum(without_asset);
	(void) plan_fresh(&select, values, NULL);
	*since = DatumGetTimestampTz(plan_value(1, TIMESTAMPTZOID, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return !isnull;
}

static void
set_price(FundState *state, const FundPrice *price)
{
	state->base_price = price->base_price;
	state->has_price_time = !price->no_date || !price->no_since;
	if (!price->no_date)
		state->price_time = day_end(price->date, row_text(state->fund, FUND_TIME_ZONE));
	else if (!price->no_since)
		state->price_time = price->since;
}

/* What is committed now counts: the fund's lock may have been waited for. */
static void
find_past(FundState *state, FundPrice *price)
{
	Numeric		figures[MAX_FIGURES];
	bool		found;

	PushActiveSnapshot(GetLatestSnapshot());
	timeline_figures(FUND_TIMELINE, &state->fund->values[FUND_ID], state->at,
					 ALL_POSITIONS, figures);
	found = fund_price_at(price, row_int64(state->fund, FUND_ID), state->at, ALL_POSITIONS);
	PopActiveSnapshot();
	if (!found)
		invalid_argument("effective_at is before the fund was created",
						 psprintf("Fund " INT64_FORMAT " was created at %s.",
								  row_int64(state->fund, FUND_ID),
								  timestamptz_to_str(row_time(state->fund, FUND_CREATED_AT))),
						 "Give an effective_at after that.");
	if (price->no_date)
		price->no_since = !price_age_start(row_int64(state->fund, FUND_ID), state->at, 0, &price->since);
	state->capital_cash = figures[FUND_CAPITAL_CASH - FIRST_FUND_FIGURE];
	state->asset_value = figures[FUND_ASSET_VALUE - FIRST_FUND_FIGURE];
	state->liabilities = figures[FUND_LIABILITIES - FIRST_FUND_FIGURE];
	state->total_supply = figures[FUND_TOTAL_SUPPLY - FIRST_FUND_FIGURE];
}

void
fund_state_at(FundState *state, Row *fund, TimestampTz at)
{
	FundPrice	price;

	state->fund = fund;
	state->at = at;
	state->is_past = at < row_time(fund, FUND_LAST_EFFECTIVE_AT);
	if (state->is_past)
		find_past(state, &price);
	else
	{
		state->capital_cash = row_numeric(fund, FUND_CAPITAL_CASH);
		state->asset_value = row_numeric(fund, FUND_ASSET_VALUE);
		state->liabilities = row_numeric(fund, FUND_LIABILITIES);
		state->total_supply = row_numeric(fund, FUND_TOTAL_SUPPLY);
		price.base_price = row_numeric(fund, FUND_BASE_PRICE);
		price.no_date = fund->nulls[FUND_PRICE_DATE];
		price.date = row_date(fund, FUND_PRICE_DATE);
		price.no_since = fund->nulls[FUND_PRICE_SINCE];
		price.since = row_time(fund, FUND_PRICE_SINCE);
	}
	set_price(state, &price);
	state->nav = num_sub(num_add(state->capital_cash, state->asset_value),
						 state->liabilities);
}

/*
 * Pricing
 */

pg_noreturn static void
refuse_price(const FundState *state, char *detail)
{
	int64		fund_id = row_int64(state->fund, FUND_ID);

	ereport(ERROR,
			(errcode(ERRCODE_PRICE_STALE),
			 errmsg("Price is stale or has drifted"),
			 errdetail("%s", detail),
			 errhint("Run fundes.update_mcp_asset_value(" INT64_FORMAT ") first.", fund_id)));
}

/* No valuation would strike another price than 0. */
static bool
is_too_small(const FundState *state)
{
	return num_sign(state->base_price) == 0 && num_sign(state->nav) > 0 &&
		num_sign(num_div_floor(state->nav, state->total_supply, PRICE_SCALE)) == 0;
}

pg_noreturn static void
refuse_small_price(const FundState *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_PRICE_STALE),
			 errmsg("Price is stale or has drifted"),
			 errdetail("The NAV is %s for %s units, which is a price of 0 in four decimals.",
					   num_text(state->nav), num_text(state->total_supply)),
			 errhint("To let all units go for nothing, switch the limit off: fundes.set_price_limits(" INT64_FORMAT ", NULL, ...).",
					 row_int64(state->fund, FUND_ID))));
}

/*
 * The drift |NAV / supply - price| / price against the limit, multiplied out
 * so that nothing is rounded.
 */
static void
check_drift(const FundState *state)
{
	Numeric		at_price = num_mul(state->base_price, state->total_supply);
	Numeric		apart = num_sub(state->nav, at_price);
	Numeric		limit;

	if (state->fund->nulls[FUND_MAX_PRICE_DRIFT])
		return;
	limit = row_numeric(state->fund, FUND_MAX_PRICE_DRIFT);
	if (num_cmp(num_abs(apart), num_mul(limit, at_price)) > 0)
	{
		char	   *live = num_sign(state->nav) < 0 ? "negative" :
			num_text(num_div_floor(state->nav, state->total_supply, PRICE_SCALE));

		if (is_too_small(state))
			refuse_small_price(state);
		refuse_price(state,
					 psprintf("The live NAV per unit is %s, base_price is %s; the limit is %s of it.",
							  live, num_text(state->base_price), num_text(limit)));
	}
}

static void
check_age(const FundState *state)
{
	Interval   *limit;

	if (state->fund->nulls[FUND_MAX_PRICE_AGE] || !state->has_price_time)
		return;
	limit = DatumGetIntervalP(state->fund->values[FUND_MAX_PRICE_AGE]);
	if (state->at - state->price_time > interval_length(limit))
		refuse_price(state,
					 psprintf("base_price %s ages from %s and may be %s old.",
							  num_text(state->base_price),
							  timestamptz_to_str(state->price_time),
							  DatumGetCString(DirectFunctionCall1(interval_out,
																  IntervalPGetDatum(limit)))));
}

void
require_fair_price(const FundState *state)
{
	check_drift(state);
	check_age(state);
}

/* A price struck in the past would stand against those struck after it. */
void
require_no_later_price(const FundState *state)
{
	static KeptPlan select = PLAN("select min(effective_at) from fundes.fund_entry"
								  " where fund_id = $1 and effective_at > $2 and base_price is not null",
								  INT8OID, TIMESTAMPTZOID);
	Datum		values[2];
	Datum		struck_at;
	bool		isnull;

	if (!state->is_past)
		return;
	values[0] = state->fund->values[FUND_ID];
	values[1] = TimestampTzGetDatum(state->at);
	(void) plan_fresh(&select, values, NULL);
	struck_at = plan_value(1, TIMESTAMPTZOID, &isnull);
	SPI_freetuptable(SPI_tuptable);
	if (!isnull)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a price cannot be struck before one that was struck already"),
				 errdetail("Fund " INT64_FORMAT " has a price from %s on.",
						   row_int64(state->fund, FUND_ID),
						   timestamptz_to_str(DatumGetTimestampTz(struck_at))),
				 errhint("Give that effective_at or a later one.")));
}

/*
 * Funds without units
 *
 * A sweep takes what no units stand for.  A pay-in into an empty fund strikes
 * the initial price: units from before would stand against that, and value
 * from before would fall to the newcomer.  What was taken back at its own moment
 * never was.
 */

char *
find_emptiness(const Row *fund, TimestampTz at, Addition adds)
{
	static KeptPlan select = PLAN(
		"select effective_at, swept from ("
		"  select effective_at, last_position, base_price, subscriptions > 0 as paid_in,"
		"         coalesce(distributed > 0 and liabilities is null, false) as swept,"
		"         $3 - sum(coalesce(total_supply, 0)) over"
		"           (order by effective_at desc, last_position desc) as units"
		"    from fundes.fund_entry"
		"   where fund_id = $1 and effective_at > $2 and last_position > coalesce(("
		"     select last_position from fundes.fund_balance"
		"      where fund_id = $1 and effective_at <= $2"
		"      order by effective_at desc, last_position desc limit 1), 0)) later"
		" where ((swept and $4) or (paid_in and units = 0 and (base_price is not null or not $4)))"
		"   and not exists (select from fundes.reversal r"
		"                     join fundes.fund_entry e on e.fund_id = $1 and e.last_position = r.last_position"
		"                    where r.reversed_position = later.last_position"
		"                      and e.effective_at = later.effective_at)"
		" order by effective_at, last_position limit 1",
		INT8OID, TIMESTAMPTZOID, NUMERICOID, BOOLOID);
	Datum		values[4];
	char	   *found = NULL;

	if (adds == ADDS_NOTHING || at >= row_time(fund, FUND_LAST_EFFECTIVE_AT))
		return NULL;
	values[0] = fund->values[FUND_ID];
	values[1] = TimestampTzGetDatum(at);
	values[2] = fund->values[FUND_TOTAL_SUPPLY];
	values[3] = BoolGetDatum(adds == ADDS_UNITS);
	if (plan_fresh(&select, values, NULL) > 0)
	{
		bool		isnull;
		const char *when = timestamptz_to_str(DatumGetTimestampTz(plan_value(1, TIMESTAMPTZOID, &isnull)));
		bool		swept = DatumGetBool(plan_value(2, BOOLOID, &isnull));

		found = psprintf(swept ? "Fund " INT64_FORMAT " had no units at %s, when what was left was swept." :
						 "Fund " INT64_FORMAT " was empty at %s, when units were issued anew.",
						 row_int64(fund, FUND_ID), when);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

void
require_emptiness(const Row *fund, TimestampTz at, Addition adds)
{
	char	   *found = find_emptiness(fund, at, adds);

	if (found != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_RESIDUAL_ASSETS),
				 errmsg("Fund was empty after effective_at"),
				 errdetail("%s", found),
				 errhint("Give that effective_at or a later one.")));
}

/*
 * The timeline
 */

/*
 * The least that the cash not owed (liabilities: that what is owed) comes to
 * at the moment or after any later entry.
 */
static Numeric
least_from_now_on(const FundState *state, bool liabilities)
{
	static KeptPlan spendable = PLAN(
		FUND_LEAST("coalesce(capital_cash, 0) - coalesce(liabilities, 0)"),
		INT8OID, TIMESTAMPTZOID, NUMERICOID);
	static KeptPlan owed = PLAN(FUND_LEAST("coalesce(liabilities, 0)"),
								INT8OID, TIMESTAMPTZOID, NUMERICOID);
	Row		   *fund = state->fund;
	Numeric		now = liabilities ? row_numeric(fund, FUND_LIABILITIES) :
		num_sub(row_numeric(fund, FUND_CAPITAL_CASH), row_numeric(fund, FUND_LIABILITIES));
	Datum		values[3];
	Datum		least;
	bool		isnull;

	if (!state->is_past)
		return now;
	values[0] = fund->values[FUND_ID];
	values[1] = TimestampTzGetDatum(state->at);
	values[2] = NumericGetDatum(now);
	(void) plan_fresh(liabilities ? &owed : &spendable, values, NULL);
	least = plan_value(1, NUMERICOID, &isnull);
	SPI_freetuptable(SPI_tuptable);
	return isnull || num_cmp(now, DatumGetNumeric(least)) < 0 ? now : DatumGetNumeric(least);
}

Numeric
least_cash(const FundState *state)
{
	return least_from_now_on(state, false);
}

Numeric
least_liabilities(const FundState *state)
{
	return least_from_now_on(state, true);
}

static void
require_at_least(const FundState *state, Numeric amount, bool liabilities)
{
	Numeric		least = least_from_now_on(state, liabilities);

	if (num_cmp(least, amount) >= 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_FUND),
			 errmsg("Insufficient fund"),
			 errdetail("Fund " INT64_FORMAT " %s %s%s, %s %s.",
					   row_int64(state->fund, FUND_ID),
					   liabilities ? "owes" : "may spend", num_text(least),
					   state->is_past ? " at some point from then on" : "",
					   liabilities ? "to be paid are" : "needed are", num_text(amount)),
			 liabilities ? errhint("Pay what has been accrued.") :
			 errhint("What may be spent is capital_cash less liabilities.")));
}

void
require_cash(const FundState *state, Numeric amount)
{
	require_at_least(state, amount, false);
}

void
require_liabilities(const FundState *state, Numeric amount)
{
	require_at_least(state, amount, true);
}
