/*-------------------------------------------------------------------------
 *
 * investment.c
 *	  Commands about units: create_investment, withdraw_investment.
 *
 *	  Units are issued and cancelled at base_price.  Units issued and cash paid
 *	  out are rounded down, cash taken is rounded up: what is below the smallest
 *	  coin stays in the fund.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/htup_details.h"
#include "args.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "fund/command.h"
#include "fund/fund_state.h"
#include "fund/investment.h"
#include "fund/market.h"
#include "fund/money.h"
#include "fund/streams.h"
#include "fund/timeline.h"
#include "plan.h"
#include "utils/snapmgr.h"

/* A row of the function's composite type, made from keys of the payload. */
static Datum
receipt(Command *cmd, const char *const *keys, int nkeys)
{
	TupleDesc	desc;
	Datum		values[5];
	bool		nulls[5] = {0};
	int			i;

	if (get_call_result_type(cmd->fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "result is not composite");
	for (i = 0; i < nkeys; i++)
		values[i] = NumericGetDatum(json_numeric(cmd->payload, keys[i]));
	values[nkeys] = command_event_id(cmd);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

pg_noreturn static void
too_small(const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMOUNT_TOO_SMALL),
			 errmsg("Amount is too small"),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

/*
 * The price at which units are issued.  A fund without units starts at its
 * initial price, unless it has a residue that would fall to the newcomer.
 */
static Numeric
issue_price(Command *cmd, const FundState *state)
{
	if (num_sign(state->total_supply) > 0)
	{
		require_fair_price(state);
		require_emptiness(state->fund, state->at, ADDS_UNITS);
		return state->base_price;
	}
	if (num_sign(state->nav) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESIDUAL_ASSETS),
				 errmsg("Fund has residual assets without units"),
				 errdetail("Fund " INT64_FORMAT " has no units outstanding and a NAV of %s.",
						   row_int64(state->fund, FUND_ID), num_text(state->nav)),
				 errhint("Take the residue out with fundes.sweep_residual() before anybody pays in.")));
	require_no_later_price(state);
	require_emptiness(state->fund, state->at, ADDS_UNITS);
	/* in the past the fold could not tell */
	if (state->is_past)
		json_put_bool(&cmd->figures, "struck", true);
	return row_numeric(state->fund, FUND_INITIAL_PRICE);
}

static void
issue_units(Command *cmd, const FundState *state, Numeric price, Numeric amount)
{
	int			unit_scale = row_int32(state->fund, FUND_UNIT_SCALE);
	int			cash_scale = row_int32(state->fund, FUND_CASH_SCALE);
	Numeric		units;
	Numeric		taken;

	if (num_sign(price) == 0)
		too_small("base_price is 0.",
				  "No units can be issued while the fund is worth nothing.");
	units = num_div_floor(amount, price, unit_scale);
	if (num_sign(units) == 0)
		too_small(psprintf("investment_amount %s is less than the smallest number of units costs at %s a unit.",
						   num_text(amount), num_text(price)),
				  "Pay in more.");
	taken = num_ceil(num_mul(units, price), cash_scale);
	(void) checked_range(num_add(row_numeric(state->fund, FUND_TOTAL_SUPPLY), units), QUANTITY_UNITS);
	(void) checked_range(num_add(row_numeric(state->fund, FUND_SUBSCRIPTIONS), taken), QUANTITY_CASH);
	(void) checked_range(num_add(row_numeric(state->fund, FUND_CAPITAL_CASH), taken), QUANTITY_CASH);

	json_put_numeric(&cmd->figures, "unit_price", price);
	json_put_numeric(&cmd->figures, "units", units);
	json_put_numeric(&cmd->figures, "cash_taken", taken);
	json_put_numeric(&cmd->figures, "refund_cash", num_sub(amount, taken));
}

FUNDES_FUNCTION(fundes_create_investment);

Datum
fundes_create_investment(PG_FUNCTION_ARGS)
{
	static const char *const keys[] = {"units", "unit_price", "cash_taken", "refund_cash"};
	Command		cmd;
	int64		fund_id;
	Numeric		amount;
	char	   *investor_id;
	char	   *stream;
	Row		   *fund;

	REQUIRE_ARG(0, "investor_id");
	fund_id = arg_int64(fcinfo, 1, "fund_id");
	amount = checked_amount(arg_numeric(fcinfo, 2, "investment_amount"),
							QUANTITY_CASH, false, "investment_amount");
	investor_id = text_to_cstring(PG_GETARG_TEXT_PP(0));

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund_to_pay_in(&cmd, fund_id, amount, PG_ARGISNULL(3));
	if (fund != NULL)
		amount = at_scale(amount, row_int32(fund, FUND_CASH_SCALE), "investment_amount");
	command_options(&cmd, 3);
	json_put_string(&cmd.arguments, "investor_id", investor_id);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_numeric(&cmd.arguments, "investment_amount", amount);

	/* beside others the stream's lock guards the id and the holding */
	stream = holding_stream(fund_id, investor_id);
	append_lock(stream);
	if (!command_replayed(&cmd, "InvestmentCreated"))
	{
		FundState	state;
		Numeric		price;

		require_payer(&cmd, fund_id, investor_id);
		require_open(require_fund(fund, fund_id));
		command_check_time(&cmd, fund);
		require_trading(&cmd, fund);
		fund_state_at(&state, fund, cmd.effective_at);
		price = issue_price(&cmd, &state);
		command_expect(&cmd, stream);
		issue_units(&cmd, &state, price, amount);

		/* the amount was checked, the price is a column, the rest lies between */
		cmd.payload_fits = true;
		command_append(&cmd, stream, "InvestmentCreated");
	}
	command_end(&cmd);
	return receipt(&cmd, keys, lengthof(keys));
}

/*
 * Withdrawals
 */

static Row *
require_holding(Command *cmd, Row *fund, const char *investor_id)
{
	Datum		keys[2];
	Row		   *holding;

	keys[0] = fund->values[FUND_ID];
	keys[1] = CStringGetTextDatum(investor_id);
	holding = rows_find(cmd->rows, TABLE_INVESTMENT, keys);
	if (holding == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVESTMENT_NOT_FOUND),
				 errmsg("Investment not found"),
				 errdetail("Investor \"%s\" never had units of fund " INT64_FORMAT ".",
						   investor_id, row_int64(fund, FUND_ID)),
				 errhint("View fundes.investment_current_value lists the holdings.")));
	return holding;
}

static Numeric
least_of_holding(KeptPlan *select, const FundState *state, Row *holding, int column)
{
	Numeric		now = row_numeric(holding, column);
	Datum		values[4];
	Datum		least;
	bool		isnull;

	if (!state->is_past)
		return now;
	values[0] = holding->values[INVESTMENT_FUND_ID];
	values[1] = holding->values[INVESTMENT_INVESTOR_ID];
	values[2] = TimestampTzGetDatum(state->at);
	values[3] = NumericGetDatum(now);
	(void) plan_fresh(select, values, NULL);
	least = plan_value(1, NUMERICOID, &isnull);
	SPI_freetuptable(SPI_tuptable);
	return isnull || num_cmp(now, DatumGetNumeric(least)) < 0 ? now : DatumGetNumeric(least);
}

Numeric
least_units(const FundState *state, Row *holding)
{
	static KeptPlan select = PLAN(HOLDING_LEAST("coalesce(units, 0)"),
								  INT8OID, TEXTOID, TIMESTAMPTZOID, NUMERICOID);

	return least_of_holding(&select, state, holding, INVESTMENT_UNITS);
}

Numeric
least_cost_basis(const FundState *state, Row *holding)
{
	static KeptPlan select = PLAN(HOLDING_LEAST("coalesce(cost_basis, 0)"),
								  INT8OID, TEXTOID, TIMESTAMPTZOID, NUMERICOID);

	return least_of_holding(&select, state, holding, INVESTMENT_COST_BASIS);
}

Numeric
cost_without_units(const FundState *state, Row *holding, Numeric units, Numeric cost)
{
	/* what each later moment begins with is what the one before ended with */
	static KeptPlan select = PLAN(
		"select cost_basis - $7 from ("
		"  select effective_at, lag(effective_at) over (order by effective_at, last_position) as before,"
		"         $4 - sum(coalesce(units, 0)) over back as units,"
		"         $5 - sum(coalesce(cost_basis, 0)) over back as cost_basis"
		"    from fundes.holding_entry"
		"   where fund_id = $1 and investor_id = $2 and effective_at > $3"
		"  window back as (order by effective_at desc, last_position desc)) later"
		" where units = $6 and cost_basis <> $7 and effective_at is distinct from before"
		" order by effective_at limit 1",
		INT8OID, TEXTOID, TIMESTAMPTZOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID);
	Numeric		left = num_int(0);
	Datum		values[7];
	bool		isnull;

	if (num_cmp(row_numeric(holding, INVESTMENT_UNITS), units) == 0)
		left = num_sub(row_numeric(holding, INVESTMENT_COST_BASIS), cost);
	if (num_sign(left) != 0 || !state->is_past)
		return left;
	values[0] = holding->values[INVESTMENT_FUND_ID];
	values[1] = holding->values[INVESTMENT_INVESTOR_ID];
	values[2] = TimestampTzGetDatum(state->at);
	values[3] = holding->values[INVESTMENT_UNITS];
	values[4] = holding->values[INVESTMENT_COST_BASIS];
	values[5] = NumericGetDatum(units);
	values[6] = NumericGetDatum(cost);
	if (plan_fresh(&select, values, NULL) > 0)
		left = DatumGetNumeric(plan_value(1, NUMERICOID, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return left;
}

/* Units and cost of a holding at the moment of a withdrawal. */
static void
find_position(const FundState *state, Row *holding, Numeric *units, Numeric *basis)
{
	Numeric		figures[MAX_FIGURES];

	*units = row_numeric(holding, INVESTMENT_UNITS);
	*basis = row_numeric(holding, INVESTMENT_COST_BASIS);
	if (!state->is_past)
		return;
	PushActiveSnapshot(GetLatestSnapshot());
	timeline_figures(HOLDING_TIMELINE, holding->values, state->at, ALL_POSITIONS, figures);
	PopActiveSnapshot();
	*units = figures[INVESTMENT_UNITS - FIRST_HOLDING_FIGURE];
	*basis = figures[INVESTMENT_COST_BASIS - FIRST_HOLDING_FIGURE];
}

/*
 * The part of the cost that goes with the units.  In the past it is that of the
 * moment, but no more than what later withdrawals have left.  With the last
 * units that are left now all goes: what is not of the moment, at the holding's
 * last one.
 */
static void
relieve_cost(Command *cmd, const FundState *state, Row *holding,
			 Numeric quantity, Numeric paid, Numeric units, Numeric basis)
{
	Numeric		cost = num_cmp(quantity, units) == 0 ? basis :
		num_div_floor(num_mul(basis, quantity), units, row_int32(state->fund, FUND_CASH_SCALE));
	Numeric		least = least_cost_basis(state, holding);
	Numeric		later = num_int(0);

	if (num_cmp(least, cost) < 0)
		cost = least;
	if (num_cmp(quantity, row_numeric(holding, INVESTMENT_UNITS)) == 0)
		later = num_sub(row_numeric(holding, INVESTMENT_COST_BASIS), cost);
	cost = num_add(cost, later);
	json_put_numeric(&cmd->figures, "cost_relieved", cost);
	json_put_numeric(&cmd->figures, "realised_gain", num_sub(paid, cost));
	if (num_sign(later) > 0)
	{
		json_put_numeric(&cmd->figures, "relieved_later", later);
		json_put_moment(&cmd->figures, "relieved_at",
						row_time(holding, INVESTMENT_LAST_EFFECTIVE_AT));
	}
}

static void
cancel_units(Command *cmd, const FundState *state, Row *holding, Numeric quantity)
{
	Numeric		least = least_units(state, holding);
	Numeric		units;
	Numeric		basis;
	Numeric		paid;

	if (num_cmp(least, quantity) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_ENOUGH_STOCK),
				 errmsg("Not enough stock quantity"),
				 errdetail("The investor holds %s units of fund " INT64_FORMAT "%s, to be withdrawn are %s.",
						   num_text(least), row_int64(state->fund, FUND_ID),
						   state->is_past ? " at some point from then on" : "",
						   num_text(quantity)),
				 errhint("Withdraw at most what is held.")));
	find_position(state, holding, &units, &basis);
	paid = num_floor(num_mul(quantity, state->base_price),
					 row_int32(state->fund, FUND_CASH_SCALE));
	if (num_sign(paid) == 0 && num_cmp(quantity, units) != 0)
		too_small(psprintf("%s units at %s are worth less than the smallest coin.",
						   num_text(quantity), num_text(state->base_price)),
				  "Withdraw more units, or all of them.");
	require_cash(state, paid);
	json_put_numeric(&cmd->figures, "unit_price", state->base_price);
	json_put_numeric(&cmd->figures, "withdrawn_amount", paid);
	relieve_cost(cmd, state, holding, quantity, paid, units, basis);
}

FUNDES_FUNCTION(fundes_withdraw_investment);

Datum
fundes_withdraw_investment(PG_FUNCTION_ARGS)
{
	static const char *const keys[] = {"withdrawn_amount", "unit_price", "realised_gain"};
	Command		cmd;
	int64		fund_id;
	Numeric		quantity;
	char	   *investor_id;
	Row		   *fund;

	REQUIRE_ARG(0, "investor_id");
	fund_id = arg_int64(fcinfo, 1, "fund_id");
	quantity = checked_amount(arg_numeric(fcinfo, 2, "stock_quantity"),
							  QUANTITY_UNITS, false, "stock_quantity");
	investor_id = text_to_cstring(PG_GETARG_TEXT_PP(0));

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	if (fund != NULL)
		quantity = at_scale(quantity, row_int32(fund, FUND_UNIT_SCALE), "stock_quantity");
	command_options(&cmd, 3);
	json_put_string(&cmd.arguments, "investor_id", investor_id);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_numeric(&cmd.arguments, "stock_quantity", quantity);

	if (!command_replayed(&cmd, "InvestmentWithdrawn"))
	{
		char	   *stream = holding_stream(fund_id, investor_id);
		FundState	state;
		Row		   *holding;

		require_investor(&cmd, investor_id);
		(void) require_fund(fund, fund_id);
		holding = require_holding(&cmd, fund, investor_id);
		require_open(fund);
		command_check_time(&cmd, fund);
		require_trading(&cmd, fund);
		fund_state_at(&state, fund, cmd.effective_at);
		if (num_sign(state.total_supply) > 0)
			require_fair_price(&state);
		command_expect(&cmd, stream);
		cancel_units(&cmd, &state, holding, quantity);
		command_append(&cmd, stream, "InvestmentWithdrawn");
	}
	command_end(&cmd);
	return receipt(&cmd, keys, lengthof(keys));
}
