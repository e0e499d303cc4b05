/*-------------------------------------------------------------------------
 *
 * closing.c
 *	  Commands that end something: close_period, reopen_period.
 *
 *	  A closed period of a fund stays as it was reported: no command is dated
 *	  into it, and no day of it is valued anew.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "fund/calendar.h"
#include "fund/command.h"
#include "fund/streams.h"

/*
 * Periods
 */

static void
put_optional_string(JsonObject *object, const char *key, const char *value)
{
	if (value != NULL)
		json_put_string(object, key, value);
	else
		json_put_null(object, key);
}

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
	put_optional_string(&cmd.arguments, "reason", reason);

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
