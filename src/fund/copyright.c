/*-------------------------------------------------------------------------
 *
 * copyright.c
 *	  Commands about music copyrights (MCP): purchase_mcp, sell_mcp,
 *	  record_royalty.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "fund/calendar.h"
#include "fund/copyright.h"
#include "fund/fund_state.h"
#include "fund/market.h"
#include "fund/money.h"
#include "fund/streams.h"
#include "fund/value_history.h"
#include "miscadmin.h"
#include "plan.h"
#include "probe.h"

/*
 * Purchases
 */

typedef struct Copyright
{
	char	   *code;
	char	   *registration_number;
	char	   *music_id;
} Copyright;

pg_noreturn static void
already_held(int64 fund_id, const char *when, const Copyright *c)
{
	ereport(ERROR,
			(errcode(ERRCODE_MCP_ALREADY_HELD),
			 errmsg("MCP is held already"),
			 errdetail("Fund " INT64_FORMAT " %s (%s, %s, %s).", fund_id, when,
					   c->code, c->registration_number, c->music_id),
			 errhint("A copyright is held by one fund; it must be sold before it is bought again.")));
}

/* Finds a row of a copyright by an index of fundes.mcp that begins with its key. */
static bool
find_copyright(Probe *probe, const char *index, const Copyright *c,
			   ScanDirection direction)
{
	probe->nkeys = 0;
	probe_key(probe, TEXTOID, CStringGetTextDatum(c->code));
	probe_key(probe, TEXTOID, CStringGetTextDatum(c->registration_number));
	probe_key(probe, TEXTOID, CStringGetTextDatum(c->music_id));
	return probe_begin(probe, fundes_relation("mcp"), index, direction);
}

/*
 * Nobody holds it, nor held it after the moment: until a sale, or until the
 * purchase was reversed from some later moment on.  Somebody who buys it at the
 * same time meets us in the unique index of what is held, as the projector
 * adds the row.
 */
static void
require_not_held(const Copyright *c, TimestampTz at)
{
	Probe		probe;

	if (find_copyright(&probe, "mcp_held_once", c, ForwardScanDirection))
		already_held(DatumGetInt64(probe_value(&probe, MCP_FUND_ID + 1)), "holds", c);
	probe_end(&probe);
	if (find_copyright(&probe, "mcp_once_held", c, BackwardScanDirection) &&
		DatumGetTimestampTz(probe_value(&probe, MCP_HELD_UNTIL + 1)) > at)
		already_held(DatumGetInt64(probe_value(&probe, MCP_FUND_ID + 1)),
					 "held after effective_at", c);
	probe_end(&probe);
}

/* An id that no copyright has; imported events may have taken any. */
static int64
next_asset_id(Command *cmd)
{
	Oid			sequence = fundes_relation("asset_id");
	int64		id;

	do
	{
		CHECK_FOR_INTERRUPTS();
		id = nextval_internal(sequence, false);
	} while (rows_find_int64(cmd->rows, TABLE_MCP, id) != NULL);
	return id;
}

/* Deeds may be of the day after; a later one is a slip. */
static void
check_acquisition_date(const Command *cmd, const Row *fund, DateADT acquired)
{
	if (acquired > day_of(cmd->effective_at, row_text(fund, FUND_TIME_ZONE)) + 1)
		invalid_argument("acquisition_date is after the purchase",
						 psprintf("It is %s, effective_at %s.", date_text(acquired),
								  timestamptz_to_str(cmd->effective_at)),
						 "Give the day of effective_at, the day after it, or an earlier one.");
}

FUNDES_FUNCTION(fundes_purchase_mcp);

Datum
fundes_purchase_mcp(PG_FUNCTION_ARGS)
{
	Command		cmd;
	int64		fund_id;
	Copyright	copyright;
	Numeric		price;
	Numeric		estimate = NULL;
	DateADT		acquired = 0;
	Row		   *fund;

	fund_id = arg_int64(fcinfo, 0, "fund_id");
	REQUIRE_ARG(1, "copyright_code");
	REQUIRE_ARG(2, "registration_number");
	REQUIRE_ARG(3, "music_id");
	price = checked_amount(arg_numeric(fcinfo, 4, "price_cash"),
						   QUANTITY_CASH, false, "price_cash");
	if (!PG_ARGISNULL(5))
		estimate = checked_amount(PG_GETARG_NUMERIC(5), QUANTITY_CASH, true,
								  "estimated_value_cash");

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	if (fund != NULL)
	{
		price = at_scale(price, row_int32(fund, FUND_CASH_SCALE), "price_cash");
		if (estimate != NULL)
			estimate = at_scale(estimate, row_int32(fund, FUND_CASH_SCALE), "estimated_value_cash");
	}
	copyright.code = arg_key(fcinfo, 1, "copyright_code");
	copyright.registration_number = arg_key(fcinfo, 2, "registration_number");
	copyright.music_id = arg_key(fcinfo, 3, "music_id");
	if (!PG_ARGISNULL(6))
		acquired = arg_date(fcinfo, 6, "acquisition_date");
	command_options(&cmd, 7);
	if (PG_ARGISNULL(6) && fund != NULL)
		acquired = day_of(command_moment(&cmd), row_text(fund, FUND_TIME_ZONE));
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_string(&cmd.arguments, "copyright_code", copyright.code);
	json_put_string(&cmd.arguments, "registration_number", copyright.registration_number);
	json_put_string(&cmd.arguments, "music_id", copyright.music_id);
	json_put_numeric(&cmd.arguments, "price_cash", price);
	if (estimate != NULL)
		json_put_numeric(&cmd.arguments, "estimated_value_cash", estimate);
	else
		json_put_null(&cmd.arguments, "estimated_value_cash");
	json_put_date(&cmd.arguments, "acquisition_date", acquired);

	if (!command_replayed(&cmd, "McpPurchased"))
	{
		FundState	state;

		require_open(require_fund(fund, fund_id));
		command_check_time(&cmd, fund);
		check_acquisition_date(&cmd, fund, acquired);
		require_trading(&cmd, fund);
		fund_state_at(&state, fund, cmd.effective_at);
		command_expect(&cmd, fund_stream(fund_id));
		require_cash(&state, price);
		require_not_held(&copyright, cmd.effective_at);
		(void) checked_range(num_add(row_numeric(fund, FUND_ACCUMULATED_PURCHASE_VALUE), price),
							 QUANTITY_CASH);

		json_put_int64(&cmd.figures, "asset_id", next_asset_id(&cmd));
		command_append(&cmd, fund_stream(fund_id), "McpPurchased");
	}
	command_end(&cmd);
	PG_RETURN_INT64(json_int64(cmd.payload, "asset_id"));
}

/*
 * Sales
 */

static void
require_bought_before(const Row *mcp, TimestampTz at)
{
	if (row_time(mcp, MCP_PURCHASED_AT) > at)
		ereport(ERROR,
				(errcode(ERRCODE_MCP_NOT_HELD),
				 errmsg("MCP not held"),
				 errdetail("Asset " INT64_FORMAT " was bought later, at %s.",
						   row_int64(mcp, MCP_ASSET_ID),
						   timestamptz_to_str(row_time(mcp, MCP_PURCHASED_AT))),
				 errhint("Give an effective_at after the purchase.")));
}

void
put_taken_back(Command *cmd, const Row *mcp)
{
	Jsonb	   *taken_back = values_added_after(mcp, cmd->effective_at);

	if (taken_back != NULL)
		json_put_json(&cmd->figures, "taken_back", taken_back);
}

bool
came_back_after(const Row *mcp, TimestampTz at)
{
	static KeptPlan select = PLAN(
		"select 1 from fundes.reversal r"
		"  join fundes.event s on s.position = r.reversed_position"
		"  join fundes.event e on e.position = r.last_position"
		" where r.fund_id = $1 and s.type_id = $4 and (s.payload->>'asset_id')::bigint = $2"
		"   and e.effective_at > greatest($3, s.effective_at) limit 1",
		INT8OID, INT8OID, TIMESTAMPTZOID, INT4OID);
	Datum		values[4];
	bool		found;

	values[0] = mcp->values[MCP_FUND_ID];
	values[1] = mcp->values[MCP_ASSET_ID];
	values[2] = TimestampTzGetDatum(at);
	values[3] = Int32GetDatum(MCP_SOLD);
	found = plan_fresh(&select, values, NULL) > 0;
	SPI_freetuptable(SPI_tuptable);
	return found;
}

static void
require_not_back_after(const Row *mcp, TimestampTz at)
{
	if (came_back_after(mcp, at))
		ereport(ERROR,
				(errcode(ERRCODE_MCP_NOT_HELD),
				 errmsg("MCP not held"),
				 errdetail("Asset " INT64_FORMAT " was sold, and came back after %s.",
						   row_int64(mcp, MCP_ASSET_ID), timestamptz_to_str(at)),
				 errhint("Give an effective_at after the reversal of its sale.")));
}

FUNDES_FUNCTION(fundes_sell_mcp);

Datum
fundes_sell_mcp(PG_FUNCTION_ARGS)
{
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	int64		asset_id = arg_int64(fcinfo, 1, "asset_id");
	Numeric		price = checked_amount(arg_numeric(fcinfo, 2, "price_cash"),
									   QUANTITY_CASH, true, "price_cash");
	Row		   *fund;

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	if (fund != NULL)
		price = at_scale(price, row_int32(fund, FUND_CASH_SCALE), "price_cash");
	command_options(&cmd, 3);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_int64(&cmd.arguments, "asset_id", asset_id);
	json_put_numeric(&cmd.arguments, "price_cash", price);

	if (!command_replayed(&cmd, "McpSold"))
	{
		Row		   *mcp;
		Numeric		cost;
		bool		past;

		(void) require_fund(fund, fund_id);
		mcp = require_mcp(&cmd, fund_id, asset_id, false);
		require_open(fund);
		command_check_time(&cmd, fund);
		require_bought_before(mcp, cmd.effective_at);
		past = cmd.effective_at < row_time(fund, FUND_LAST_EFFECTIVE_AT);
		if (past)
			require_not_back_after(mcp, cmd.effective_at);
		require_trading(&cmd, fund);
		require_emptiness(fund, cmd.effective_at, num_sign(price) > 0 ? ADDS_VALUE : ADDS_NOTHING);
		command_expect(&cmd, fund_stream(fund_id));
		cost = row_numeric(mcp, MCP_COST_CASH);
		(void) checked_range(num_add(row_numeric(fund, FUND_CAPITAL_CASH), price), QUANTITY_CASH);

		json_put_numeric(&cmd.figures, "carrying_value", row_numeric(mcp, MCP_VALUE_CASH));
		json_put_numeric(&cmd.figures, "cost_cash", cost);
		json_put_numeric(&cmd.figures, "realised_gain", num_sub(price, cost));
		if (past)
			put_taken_back(&cmd, mcp);
		command_append(&cmd, fund_stream(fund_id), "McpSold");
	}
	command_end(&cmd);
	PG_RETURN_NUMERIC(json_numeric(cmd.payload, "realised_gain"));
}

/*
 * Royalties
 */

/* Of a closed fund: when it was closed, there was nothing left. */
static void
require_not_closed_after(const Row *fund, TimestampTz at)
{
	static KeptPlan select = PLAN(
		"select effective_at from fundes.event"
		" where stream_id = (select s.stream_id from fundes.stream s where s.name = $1)"
		"   and type_id = $2 order by version desc limit 1",
		TEXTOID, INT4OID);
	Datum		values[2];
	TimestampTz closed_at;
	bool		isnull;

	if (strcmp(row_text(fund, FUND_STATUS), "open") == 0 ||
		at >= row_time(fund, FUND_LAST_EFFECTIVE_AT))
		return;
	values[0] = CStringGetTextDatum(fund_stream(row_int64(fund, FUND_ID)));
	values[1] = Int32GetDatum(FUND_CLOSED);
	(void) plan_fresh(&select, values, NULL);
	closed_at = DatumGetTimestampTz(plan_value(1, TIMESTAMPTZOID, &isnull));
	SPI_freetuptable(SPI_tuptable);
	if (at < closed_at)
		ereport(ERROR,
				(errcode(ERRCODE_FUND_CLOSED),
				 errmsg("Fund is closed"),
				 errdetail("Fund " INT64_FORMAT " was closed at %s, when there was nothing left of it.",
						   row_int64(fund, FUND_ID), timestamptz_to_str(closed_at)),
				 errhint("Give that effective_at or a later one.")));
}

FUNDES_FUNCTION(fundes_record_royalty);

Datum
fundes_record_royalty(PG_FUNCTION_ARGS)
{
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	int64		asset_id = arg_int64(fcinfo, 1, "asset_id");
	Numeric		amount = checked_amount(arg_numeric(fcinfo, 2, "amount"),
										QUANTITY_CASH, false, "amount");
	DateADT		period = 0;
	Row		   *fund;

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	if (fund != NULL)
		amount = at_scale(amount, row_int32(fund, FUND_CASH_SCALE), "amount");
	if (!PG_ARGISNULL(3))
		period = arg_date(fcinfo, 3, "period");
	command_options(&cmd, 4);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_int64(&cmd.arguments, "asset_id", asset_id);
	json_put_numeric(&cmd.arguments, "amount", amount);
	if (PG_ARGISNULL(3))
		json_put_null(&cmd.arguments, "period");
	else
		json_put_date(&cmd.arguments, "period", period);

	if (!command_replayed(&cmd, "RoyaltyReceived"))
	{
		Row		   *mcp;

		(void) require_fund(fund, fund_id);
		mcp = require_mcp(&cmd, fund_id, asset_id, true);
		command_check_time(&cmd, fund);
		require_bought_before(mcp, cmd.effective_at);
		require_not_closed_after(fund, cmd.effective_at);
		require_emptiness(fund, cmd.effective_at, ADDS_VALUE);
		command_expect(&cmd, fund_stream(fund_id));
		(void) checked_range(num_add(row_numeric(fund, FUND_CAPITAL_CASH), amount), QUANTITY_CASH);
		command_append(&cmd, fund_stream(fund_id), "RoyaltyReceived");
	}
	command_end(&cmd);
	PG_RETURN_DATUM(command_event_id(&cmd));
}
