/*-------------------------------------------------------------------------
 *
 * fund_state.c
 *	  A fund's figures now or as of a past moment, see fund_state.h.
 *
 *	  The fund's row has the figures of now.  Those of a past moment are the
 *	  current ones less what the entries after it added; a price is that of the
 *	  last entry before it that struck one.  Each reads only what came later, or
 *	  one entry, along the primary key of fund_entry.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/calendar.h"
#include "fund/fund_state.h"
#include "fund/money.h"
#include "plan.h"
#include "utils/fmgrprotos.h"

static Numeric
numeric_column(int column)
{
	bool		isnull;
	Datum		value = plan_value(column, NUMERICOID, &isnull);

	return isnull ? num_int(0) : DatumGetNumeric(value);
}

static void
subtract_later(FundState *state, const Datum *fund_and_time)
{
	static KeptPlan later = PLAN("select sum(capital_cash), sum(asset_value),"
								 "       sum(liabilities), sum(total_supply)"
								 "  from fundes.fund_entry"
								 " where fund_id = $1 and effective_at > $2",
								 INT8OID, TIMESTAMPTZOID);

	(void) plan_fresh(&later, fund_and_time, NULL);
	state->capital_cash = num_sub(state->capital_cash, numeric_column(1));
	state->asset_value = num_sub(state->asset_value, numeric_column(2));
	state->liabilities = num_sub(state->liabilities, numeric_column(3));
	state->total_supply = num_sub(state->total_supply, numeric_column(4));
	SPI_freetuptable(SPI_tuptable);
}

static void
set_price_time(FundState *state, bool no_date, DateADT date,
			   bool no_since, TimestampTz since)
{
	char	   *zone = row_text(state->fund, FUND_TIME_ZONE);

	state->has_price_time = !no_date || !no_since;
	if (!no_date)
		state->price_time = day_end(date, zone);
	else if (!no_since)
		state->price_time = since;
}

static void
find_price(FundState *state, const Datum *fund_and_time)
{
	static KeptPlan last = PLAN("select base_price, price_date, price_since"
								"  from fundes.fund_entry"
								" where fund_id = $1 and effective_at <= $2"
								"   and base_price is not null"
								" order by effective_at desc, last_position desc limit 1",
								INT8OID, TIMESTAMPTZOID);
	bool		no_date;
	bool		no_since;
	Datum		date;
	Datum		since;

	if (plan_fresh(&last, fund_and_time, NULL) == 0)
		invalid_argument("effective_at is before the fund was created",
						 psprintf("Fund " INT64_FORMAT " was created at %s.",
								  row_int64(state->fund, FUND_ID),
								  timestamptz_to_str(row_time(state->fund, FUND_CREATED_AT))),
						 "Give an effective_at after that.");
	state->base_price = numeric_column(1);
	date = plan_value(2, DATEOID, &no_date);
	since = plan_value(3, TIMESTAMPTZOID, &no_since);
	set_price_time(state, no_date, DatumGetDateADT(date),
				   no_since, DatumGetTimestampTz(since));
	SPI_freetuptable(SPI_tuptable);
}

void
fund_state_at(FundState *state, Row *fund, TimestampTz at)
{
	state->fund = fund;
	state->at = at;
	state->is_past = at < row_time(fund, FUND_LAST_EFFECTIVE_AT);
	state->capital_cash = row_numeric(fund, FUND_CAPITAL_CASH);
	state->asset_value = row_numeric(fund, FUND_ASSET_VALUE);
	state->liabilities = row_numeric(fund, FUND_LIABILITIES);
	state->total_supply = row_numeric(fund, FUND_TOTAL_SUPPLY);
	if (state->is_past)
	{
		Datum		fund_and_time[2];

		fund_and_time[0] = fund->values[FUND_ID];
		fund_and_time[1] = TimestampTzGetDatum(at);
		subtract_later(state, fund_and_time);
		find_price(state, fund_and_time);
	}
	else
	{
		state->base_price = row_numeric(fund, FUND_BASE_PRICE);
		set_price_time(state,
					   fund->nulls[FUND_PRICE_DATE], row_date(fund, FUND_PRICE_DATE),
					   fund->nulls[FUND_PRICE_SINCE], row_time(fund, FUND_PRICE_SINCE));
	}
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
 * The timeline
 */

/*
 * The least that the cash not owed (liabilities: that what is owed) comes to
 * at the moment or after any later entry.
 */
static Numeric
least_from_now_on(const FundState *state, bool liabilities)
{
#define LEAST(figure) \
	"select min($3 - later) from (" \
	"  select coalesce(sum(" figure ") over (order by effective_at desc, last_position desc" \
	"    rows between unbounded preceding and 1 preceding), 0) as later" \
	"  from fundes.fund_entry where fund_id = $1 and effective_at > $2) entries"
	static KeptPlan spendable = PLAN(LEAST("coalesce(capital_cash, 0) - coalesce(liabilities, 0)"),
									 INT8OID, TIMESTAMPTZOID, NUMERICOID);
	static KeptPlan owed = PLAN(LEAST("liabilities"),
								INT8OID, TIMESTAMPTZOID, NUMERICOID);
	Numeric		then = liabilities ? state->liabilities :
		num_sub(state->capital_cash, state->liabilities);
	Datum		values[3];
	Numeric		later;

	if (!state->is_past)
		return then;
	values[0] = state->fund->values[FUND_ID];
	values[1] = TimestampTzGetDatum(state->at);
	values[2] = liabilities ? state->fund->values[FUND_LIABILITIES] :
		NumericGetDatum(num_sub(row_numeric(state->fund, FUND_CAPITAL_CASH),
								row_numeric(state->fund, FUND_LIABILITIES)));
	(void) plan_fresh(liabilities ? &owed : &spendable, values, NULL);
	later = numeric_column(1);
	SPI_freetuptable(SPI_tuptable);
	return num_cmp(later, then) < 0 ? later : then;
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
