/*-------------------------------------------------------------------------
 *
 * closing.c
 *	  Commands that end something: close_period, reopen_period,
 *	  sweep_residual, close_fund.
 *
 *	  A closed period of a fund stays as it was reported: no command is dated
 *	  into it, and no day of it is valued anew.  A fund is closed when there is
 *	  nothing left of it.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/calendar.h"
#include "fund/command.h"
#include "fund/fund_state.h"
#include "fund/money.h"
#include "fund/streams.h"
#include "plan.h"

/*
 * Periods
 */

static void
check_closing(const Command *cmd, const Row *fund, DateADT through)
{
	if (row_time(fund, FUND_CREATED_AT) >= day_end(through, row_text(fund, FUND_TIME_ZONE)))
		invalid_argument("through_date is before the fund was created",
						 psprintf("Fund " INT64_FORMAT " was created at %s.",
								  row_int64(fund, FUND_ID),
								  timestamptz_to_str(row_time(fund, FUND_CREATED_AT))),
						 "Give that day or a later one.");
	if (!fund->nulls[FUND_CLOSED_THROUGH] && through <= row_date(fund, FUND_CLOSED_THROUGH))
		invalid_argument("period is closed already",
						 psprintf("Fund " INT64_FORMAT " is closed through %s.",
								  row_int64(fund, FUND_ID),
								  date_text(row_date(fund, FUND_CLOSED_THROUGH))),
						 "Give a later through_date; fundes.reopen_period() opens what is closed.");
}

static void
require_ended(const Command *cmd, const Row *fund, DateADT through, TimestampTz until)
{
	if (until > cmd->effective_at)
		ereport(ERROR,
				(errcode(ERRCODE_EFFECTIVE_IN_FUTURE),
				 errmsg("the period to be closed has not ended"),
				 errdetail("%s ends at %s in zone %s.", date_text(through),
						   timestamptz_to_str(until), row_text(fund, FUND_TIME_ZONE)),
				 errhint("Close it when its last day is over.")));
}

static void
check_reopening(const Row *fund, bool all, DateADT through)
{
	if (fund->nulls[FUND_CLOSED_THROUGH])
		invalid_argument("no period is closed",
						 psprintf("Fund " INT64_FORMAT " is open from its beginning.",
								  row_int64(fund, FUND_ID)),
						 "View fundes.fund_sheet shows closed_through.");
	if (!all && through >= row_date(fund, FUND_CLOSED_THROUGH))
		invalid_argument("through_date is not before the end of the closed period",
						 psprintf("Fund " INT64_FORMAT " is closed through %s.",
								  row_int64(fund, FUND_ID),
								  date_text(row_date(fund, FUND_CLOSED_THROUGH))),
						 "Give the last day that is to stay closed, or NULL to open all.");
}

/* Both commands, which differ in their event and in what they demand. */
static Datum
period_command(FunctionCallInfo fcinfo, bool reopen)
{
	const char *type = reopen ? "PeriodReopened" : "PeriodClosed";
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	bool		all = reopen && PG_ARGISNULL(1);
	DateADT		through = 0;
	char	   *reason;
	Row		   *fund;

	if (!all)
		through = arg_date(fcinfo, 1, "through_date");
	reason = arg_optional_text(fcinfo, 2, "reason");

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	command_options(&cmd, 3);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	if (all)
		json_put_null(&cmd.arguments, "through_date");
	else
		json_put_date(&cmd.arguments, "through_date", through);
	json_put_optional_string(&cmd.arguments, "reason", reason);

	if (!command_replayed(&cmd, type))
	{
		TimestampTz until;

		(void) require_fund(fund, fund_id);
		command_check_time(&cmd, fund);
		until = all ? 0 : day_end(through, row_text(fund, FUND_TIME_ZONE));
		if (!reopen)
			require_ended(&cmd, fund, through, until);
		command_expect(&cmd, fund_stream(fund_id));
		if (reopen)
			check_reopening(fund, all, through);
		else
			check_closing(&cmd, fund, through);
		if (!all)
			json_put_moment(&cmd.figures, "until", until);
		command_append(&cmd, fund_stream(fund_id), type);
	}
	command_end(&cmd);
	PG_RETURN_DATUM(command_event_id(&cmd));
}

FUNDES_FUNCTION(fundes_close_period);

Datum
fundes_close_period(PG_FUNCTION_ARGS)
{
	return period_command(fcinfo, false);
}

FUNDES_FUNCTION(fundes_reopen_period);

Datum
fundes_reopen_period(PG_FUNCTION_ARGS)
{
	return period_command(fcinfo, true);
}

/*
 * Funds
 */

static void
require_no_units(const FundState *state)
{
	Numeric		units = row_numeric(state->fund, FUND_TOTAL_SUPPLY);

	if (num_sign(units) == 0)
		units = state->total_supply;
	if (num_sign(units) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESIDUAL_ASSETS),
				 errmsg("Fund has units outstanding"),
				 errdetail("Of fund " INT64_FORMAT " %s units are outstanding.",
						   row_int64(state->fund, FUND_ID), num_text(units)),
				 errhint("What the fund has belongs to their holders; they withdraw it.")));
}

/* All that may be spent, where no amount was given. */
static Numeric
residue(const FundState *state)
{
	Numeric		amount = least_cash(state);

	if (num_sign(amount) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_AMOUNT_TOO_SMALL),
				 errmsg("Amount is too small"),
				 errdetail("Fund " INT64_FORMAT " has nothing that may be spent.",
						   row_int64(state->fund, FUND_ID)),
				 errhint("There is nothing to sweep.")));
	return amount;
}

FUNDES_FUNCTION(fundes_sweep_residual);

Datum
fundes_sweep_residual(PG_FUNCTION_ARGS)
{
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	Numeric		amount = NULL;
	char	   *recipient;
	Row		   *fund;

	REQUIRE_ARG(1, "recipient");
	if (!PG_ARGISNULL(2))
		amount = checked_amount(PG_GETARG_NUMERIC(2), QUANTITY_CASH, false, "amount");

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	if (fund != NULL && amount != NULL)
		amount = at_scale(amount, row_int32(fund, FUND_CASH_SCALE), "amount");
	recipient = arg_text(fcinfo, 1, "recipient");
	command_options(&cmd, 3);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_string(&cmd.arguments, "to", recipient);
	if (amount != NULL)
		json_put_numeric(&cmd.arguments, "amount", amount);

	if (!command_replayed(&cmd, "ResidualSwept"))
	{
		FundState	state;

		(void) require_fund(fund, fund_id);
		command_check_time(&cmd, fund);
		fund_state_at(&state, fund, cmd.effective_at);
		require_no_units(&state);
		command_expect(&cmd, fund_stream(fund_id));
		if (amount == NULL)
			json_put_numeric(&cmd.figures, "amount", residue(&state));
		else
			require_cash(&state, amount);
		command_append(&cmd, fund_stream(fund_id), "ResidualSwept");
	}
	command_end(&cmd);
	PG_RETURN_DATUM(command_event_id(&cmd));
}

static int64
copyrights_held(const Row *fund)
{
	static KeptPlan select = PLAN("select count(*) from fundes.mcp"
								  " where fund_id = $1 and sold_at is null and not reversed",
								  INT8OID);
	bool		isnull;
	int64		n;

	(void) plan_fresh(&select, &fund->values[FUND_ID], NULL);
	n = DatumGetInt64(plan_value(1, INT8OID, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return n;
}

static void
require_empty(const Row *fund)
{
	int64		held = copyrights_held(fund);

	if (held != 0 || num_sign(row_numeric(fund, FUND_TOTAL_SUPPLY)) != 0 ||
		num_sign(row_numeric(fund, FUND_CAPITAL_CASH)) != 0 ||
		num_sign(row_numeric(fund, FUND_LIABILITIES)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESIDUAL_ASSETS),
				 errmsg("Fund has residual assets"),
				 errdetail("Fund " INT64_FORMAT " has %s units, %s cash, %s liabilities and " INT64_FORMAT " copyrights.",
						   row_int64(fund, FUND_ID),
						   num_text(row_numeric(fund, FUND_TOTAL_SUPPLY)),
						   num_text(row_numeric(fund, FUND_CAPITAL_CASH)),
						   num_text(row_numeric(fund, FUND_LIABILITIES)), held),
				 errhint("Sell the copyrights, pay what is owed, redeem the units and sweep the rest.")));
}

/* A closing in the past would have to know that nothing came after it. */
static void
require_last(const Command *cmd, const Row *fund)
{
	if (cmd->effective_at < row_time(fund, FUND_LAST_EFFECTIVE_AT))
		invalid_argument("a fund cannot be closed before what is recorded of it",
						 psprintf("Fund " INT64_FORMAT " has an event at %s.",
								  row_int64(fund, FUND_ID),
								  timestamptz_to_str(row_time(fund, FUND_LAST_EFFECTIVE_AT))),
						 "Give that effective_at or a later one.");
}

FUNDES_FUNCTION(fundes_close_fund);

Datum
fundes_close_fund(PG_FUNCTION_ARGS)
{
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	char	   *reason = arg_optional_text(fcinfo, 1, "reason");
	Row		   *fund;

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	command_options(&cmd, 2);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_optional_string(&cmd.arguments, "reason", reason);

	if (!command_replayed(&cmd, "FundClosed"))
	{
		require_open(require_fund(fund, fund_id));
		command_check_time(&cmd, fund);
		require_empty(fund);
		command_expect(&cmd, fund_stream(fund_id));
		require_last(&cmd, fund);
		json_put_int64(&cmd.figures, "amount", 0);
		json_put_null(&cmd.figures, "to");
		command_append(&cmd, fund_stream(fund_id), "FundClosed");
	}
	command_end(&cmd);
	PG_RETURN_DATUM(command_event_id(&cmd));
}
