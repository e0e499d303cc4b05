/*-------------------------------------------------------------------------
 *
 * distribution.c
 *	  Commands about distributions: declare_distribution, pay_distribution.
 *
 *	  What is distributed goes to those who held units at the end of the record
 *	  date, or when it was declared if that day had not ended:
 *
 *		per_unit	= amount / units of record, floor at 4 decimals
 *		entitlement = units * per_unit, floor at a coin
 *
 *	  Those with an entitlement of nothing are not listed.  What the floors
 *	  leave stays in the fund, which owes the sum of the entitlements from then
 *	  on; the price is struck anew without it.
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
#include "fund/timeline.h"
#include "miscadmin.h"
#include "plan.h"
#include "utils/snapmgr.h"

/* Who held units, and how many. */
typedef struct Record
{
	int			n;
	char	  **investors;
	Numeric    *units;
	Numeric		total;
} Record;

/*
 * The holders at a moment.  Present units are in the holdings; those of a past
 * moment are asked of each holding's timeline.
 */
static void
find_holders(Record *record, const Row *fund, TimestampTz moment)
{
	static KeptPlan select = PLAN("select investor_id, units from fundes.investment"
								  " where fund_id = $1 order by investor_id",
								  INT8OID);
	bool		past = moment < row_time(fund, FUND_LAST_EFFECTIVE_AT);
	SPITupleTable *holdings;
	uint64		n;
	uint64		i;

	n = plan_fresh(&select, &fund->values[FUND_ID], NULL);
	holdings = SPI_tuptable;
	record->n = 0;
	record->total = num_int(0);
	record->investors = palloc(sizeof(char *) * Max(n, 1));
	record->units = palloc(sizeof(Numeric) * Max(n, 1));
	PushActiveSnapshot(GetLatestSnapshot());
	for (i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		keys[2];
		Numeric		figures[MAX_FIGURES];

		CHECK_FOR_INTERRUPTS();
		keys[0] = fund->values[FUND_ID];
		keys[1] = SPI_getbinval(holdings->vals[i], holdings->tupdesc, 1, &isnull);
		if (past)
			timeline_figures(HOLDING_TIMELINE, keys, moment, ALL_POSITIONS, figures);
		else
			figures[0] = DatumGetNumericCopy(SPI_getbinval(holdings->vals[i],
														   holdings->tupdesc, 2, &isnull));
		if (num_sign(figures[0]) == 0)
			continue;
		record->investors[record->n] = TextDatumGetCString(keys[1]);
		record->units[record->n++] = figures[0];
		record->total = num_add(record->total, figures[0]);
	}
	PopActiveSnapshot();
	SPI_freetuptable(holdings);
}

/* Sets per_unit and the entitlements; returns their sum. */
static Numeric
put_entitlements(Command *cmd, const Record *record, Numeric amount, int cash_scale)
{
	Numeric		per_unit = num_div_floor(amount, record->total, PRICE_SCALE);
	Numeric		total = num_int(0);
	JsonObject	entitlements;
	int			i;

	(void) checked_range(per_unit, QUANTITY_PRICE);
	json_begin(&entitlements);
	for (i = 0; i < record->n; i++)
	{
		Numeric		cash = num_floor(num_mul(record->units[i], per_unit), cash_scale);

		if (num_sign(cash) == 0)
			continue;
		json_put_numeric(&entitlements, record->investors[i], cash);
		total = num_add(total, cash);
	}
	json_put_numeric(&cmd->figures, "per_unit", per_unit);
	json_put_json(&cmd->figures, "entitlements", json_end(&entitlements));
	json_put_numeric(&cmd->figures, "total", total);
	return total;
}

/* The price without what is distributed; without units the one in force. */
static Numeric
ex_price(const FundState *state, Numeric total)
{
	Numeric		rest = num_sub(state->nav, total);

	if (num_sign(state->total_supply) == 0)
		return state->base_price;
	if (num_sign(rest) < 0)
		return num_int(0);
	return num_div_floor(rest, state->total_supply, PRICE_SCALE);
}

static void
declare(Command *cmd, const FundState *state, Numeric amount, TimestampTz record_at)
{
	Record		record;
	Numeric		total = NULL;

	find_holders(&record, state->fund, record_at);
	if (num_sign(record.total) > 0)
		total = put_entitlements(cmd, &record, amount, row_int32(state->fund, FUND_CASH_SCALE));
	if (total == NULL || num_sign(total) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_AMOUNT_TOO_SMALL),
				 errmsg("Amount is too small"),
				 errdetail("At %s there were %s units of fund " INT64_FORMAT ": of %s nobody would get a coin.",
						   timestamptz_to_str(record_at), num_text(record.total),
						   row_int64(state->fund, FUND_ID), num_text(amount)),
				 errhint("Distribute more, to a day on which there were units.")));
	require_cash(state, amount);
	require_no_later_price(state);
	json_put_int64(&cmd->figures, "distribution_id",
				   row_int64(state->fund, FUND_LAST_DISTRIBUTION_ID) + 1);
	json_put_numeric(&cmd->figures, "base_price", ex_price(state, total));
}

static void
check_record_date(const Command *cmd, const Row *fund, DateADT date, TimestampTz end)
{
	if (date > day_of(cmd->effective_at, row_text(fund, FUND_TIME_ZONE)))
		ereport(ERROR,
				(errcode(ERRCODE_EFFECTIVE_IN_FUTURE),
				 errmsg("record date is in the future"),
				 errdetail("record_date is %s, effective_at %s.", date_text(date),
						   timestamptz_to_str(cmd->effective_at)),
				 errhint("Declare it on that day or later.")));
	if (end <= row_time(fund, FUND_CREATED_AT))
		invalid_argument("record_date is before the fund was created",
						 psprintf("Fund " INT64_FORMAT " was created at %s.",
								  row_int64(fund, FUND_ID),
								  timestamptz_to_str(row_time(fund, FUND_CREATED_AT))),
						 "Give that day or a later one.");
}

FUNDES_FUNCTION(fundes_declare_distribution);

Datum
fundes_declare_distribution(PG_FUNCTION_ARGS)
{
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	Numeric		amount = checked_amount(arg_numeric(fcinfo, 1, "amount"),
										QUANTITY_CASH, false, "amount");
	DateADT		date = 0;
	Row		   *fund;

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	if (fund != NULL)
		amount = at_scale(amount, row_int32(fund, FUND_CASH_SCALE), "amount");
	if (!PG_ARGISNULL(2))
		date = arg_date(fcinfo, 2, "record_date");
	command_options(&cmd, 3);
	if (PG_ARGISNULL(2) && fund != NULL)
		date = day_of(command_moment(&cmd), row_text(fund, FUND_TIME_ZONE));
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_numeric(&cmd.arguments, "amount", amount);
	json_put_date(&cmd.arguments, "record_date", date);

	if (!command_replayed(&cmd, "DistributionDeclared"))
	{
		FundState	state;
		TimestampTz end;

		require_open(require_fund(fund, fund_id));
		command_check_time(&cmd, fund);
		end = day_end(date, row_text(fund, FUND_TIME_ZONE));
		check_record_date(&cmd, fund, date, end);
		fund_state_at(&state, fund, cmd.effective_at);
		command_expect(&cmd, fund_stream(fund_id));
		declare(&cmd, &state, amount, Min(end - 1, cmd.effective_at));
		command_append(&cmd, fund_stream(fund_id), "DistributionDeclared");
	}
	command_end(&cmd);
	PG_RETURN_INT64(json_int64(cmd.payload, "distribution_id"));
}

static Row *
require_distribution(Command *cmd, int64 fund_id, int64 distribution_id)
{
	Datum		keys[2];
	Row		   *row;

	keys[0] = Int64GetDatum(fund_id);
	keys[1] = Int64GetDatum(distribution_id);
	row = rows_find(cmd->rows, TABLE_DISTRIBUTION, keys);
	if (row == NULL)
		invalid_argument("distribution does not exist",
						 psprintf("Fund " INT64_FORMAT " has no distribution " INT64_FORMAT ".",
								  fund_id, distribution_id),
						 "fundes.declare_distribution() returns its id.");
	return row;
}

static void
require_unpaid(const Command *cmd, const Row *distribution)
{
	if (strcmp(row_text(distribution, DISTRIBUTION_STATUS), "declared") != 0)
		invalid_argument("distribution is not open",
						 psprintf("Distribution " INT64_FORMAT " of fund " INT64_FORMAT " is %s.",
								  row_int64(distribution, DISTRIBUTION_ID),
								  row_int64(distribution, DISTRIBUTION_FUND_ID),
								  row_text(distribution, DISTRIBUTION_STATUS)),
						 "A distribution is paid once, unless the payment is reversed.");
	if (cmd->effective_at < row_time(distribution, DISTRIBUTION_DECLARED_AT))
		invalid_argument("effective_at is before the distribution was declared",
						 psprintf("It was declared at %s.",
								  timestamptz_to_str(row_time(distribution, DISTRIBUTION_DECLARED_AT))),
						 "Give that moment or a later one.");
	if (cmd->effective_at < row_time(distribution, DISTRIBUTION_OPEN_SINCE))
		invalid_argument("effective_at is before the last payment was reversed",
						 psprintf("It is reversed from %s on.",
								  timestamptz_to_str(row_time(distribution, DISTRIBUTION_OPEN_SINCE))),
						 "Give that moment or a later one.");
}

FUNDES_FUNCTION(fundes_pay_distribution);

Datum
fundes_pay_distribution(PG_FUNCTION_ARGS)
{
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	int64		distribution_id = arg_int64(fcinfo, 1, "distribution_id");
	Row		   *fund;

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	command_options(&cmd, 2);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_int64(&cmd.arguments, "distribution_id", distribution_id);

	if (!command_replayed(&cmd, "DistributionPaid"))
	{
		FundState	state;
		Row		   *distribution;

		(void) require_fund(fund, fund_id);
		distribution = require_distribution(&cmd, fund_id, distribution_id);
		command_check_time(&cmd, fund);
		fund_state_at(&state, fund, cmd.effective_at);
		command_expect(&cmd, fund_stream(fund_id));
		require_unpaid(&cmd, distribution);
		require_liabilities(&state, row_numeric(distribution, DISTRIBUTION_TOTAL));
		json_put_numeric(&cmd.figures, "total", row_numeric(distribution, DISTRIBUTION_TOTAL));
		command_append(&cmd, fund_stream(fund_id), "DistributionPaid");
	}
	command_end(&cmd);
	PG_RETURN_DATUM(command_event_id(&cmd));
}
