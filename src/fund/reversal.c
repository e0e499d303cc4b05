/*-------------------------------------------------------------------------
 *
 * reversal.c
 *	  The command reverse_event.
 *
 *	  Nothing in the log is changed: an event of its own negates another one
 *	  from some moment on, no earlier than that one's.  The books must stay
 *	  legal at every later moment, and what later events build on must stay.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/command.h"
#include "fund/copyright.h"
#include "fund/fee.h"
#include "fund/fund_state.h"
#include "fund/investment.h"
#include "fund/money.h"
#include "fund/streams.h"
#include "plan.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* A reversal on its way: the event that is reversed, and the books then. */
typedef struct Reversal
{
	Command    *cmd;
	Row		   *fund;
	StoredEvent event;
	FundState	state;			/* at the reversal's effective_at */
} Reversal;

/*
 * What each type demands
 */

pg_noreturn static void
breaks(const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_REVERSAL_BREAKS),
			 errmsg("Reversal would break the books"),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

/* So much of a figure is there, then and at every later moment. */
static void
require_left(const Reversal *r, const char *figure, Numeric least, Numeric amount)
{
	if (num_cmp(least, amount) < 0)
		breaks(psprintf("The reversal takes back %s of %s; %sthere are only %s.",
						num_text(amount), figure,
						r->state.is_past ? "at some point from then on " : "",
						num_text(least)),
			   "Reverse the events that have used it first.");
}

static void
require_cash_left(const Reversal *r, Numeric amount)
{
	require_left(r, "capital_cash less liabilities", least_cash(&r->state), amount);
}

static void
require_liabilities_left(const Reversal *r, Numeric amount)
{
	require_left(r, "liabilities", least_liabilities(&r->state), amount);
}

static void
check_investment_created(Reversal *r)
{
	const Jsonb *p = r->event.payload;
	Numeric		units = json_numeric(p, "units");
	Numeric		taken = json_numeric(p, "cash_taken");
	Datum		keys[2];
	Row		   *holding;
	Numeric		left;

	keys[0] = r->fund->values[FUND_ID];
	keys[1] = CStringGetTextDatum(json_string(p, "investor_id"));
	holding = rows_find(r->cmd->rows, TABLE_INVESTMENT, keys);
	if (holding == NULL)
		elog(ERROR, "holding of an event is not there");
	require_left(r, "the units of the holding", least_units(&r->state, holding), units);
	require_left(r, "the cost_basis of the holding", least_cost_basis(&r->state, holding), taken);
	left = cost_without_units(&r->state, holding, units, taken);
	if (num_sign(left) != 0)
		breaks(psprintf("The holding would have no units and a cost_basis of %s.", num_text(left)),
			   "Reverse the withdrawals since first, and make them anew: they have relieved an average of this cost.");
	require_cash_left(r, taken);
}

/* What was never held, a price does not age from: states what it ages from now. */
static void
put_price_age(Reversal *r, const Row *mcp)
{
	TimestampTz since;

	if (r->state.at == row_time(mcp, MCP_PURCHASED_AT) &&
		r->fund->nulls[FUND_PRICE_DATE] && !r->fund->nulls[FUND_PRICE_SINCE] &&
		row_time(r->fund, FUND_PRICE_SINCE) == r->state.at &&
		price_age_start(row_int64(r->fund, FUND_ID), DT_NOEND, row_int64(mcp, MCP_ASSET_ID), &since))
		json_put_moment(&r->cmd->figures, "price_since", since);
}

static void
check_mcp_purchased(Reversal *r)
{
	Row		   *mcp = rows_find_int64(r->cmd->rows, TABLE_MCP,
									  json_int64(r->event.payload, "asset_id"));

	if (!mcp->nulls[MCP_SOLD_AT])
		breaks(psprintf("Asset " INT64_FORMAT " was sold at %s.", row_int64(mcp, MCP_ASSET_ID),
						timestamptz_to_str(row_time(mcp, MCP_SOLD_AT))),
			   "Reverse the sale first.");
	if (num_sign(row_numeric(mcp, MCP_ROYALTY_INCOME)) != 0)
		breaks(psprintf("Asset " INT64_FORMAT " has royalties of %s.", row_int64(mcp, MCP_ASSET_ID),
						num_text(row_numeric(mcp, MCP_ROYALTY_INCOME))),
			   "Reverse the royalties first.");
	if (r->state.is_past)
	{
		if (came_back_after(mcp, r->state.at))
			breaks(psprintf("Asset " INT64_FORMAT " was sold, and came back later.",
							row_int64(mcp, MCP_ASSET_ID)),
				   "Give an effective_at after the reversal of its sale.");
		put_taken_back(r->cmd, mcp);
	}
	put_price_age(r, mcp);
}

/* Nobody else holds the copyright, nor held it after the reversal. */
static void
check_mcp_sold(Reversal *r)
{
	static KeptPlan select = PLAN(
		"select o.fund_id from fundes.mcp m join fundes.mcp o"
		"    on (o.copyright_code, o.registration_number, o.music_id)"
		"       = (m.copyright_code, m.registration_number, m.music_id)"
		" where m.asset_id = $1 and o.asset_id <> $1"
		"   and (o.held_until > $2 or (o.sold_at is null and not o.reversed)) limit 1",
		INT8OID, TIMESTAMPTZOID);
	Datum		values[2];

	values[0] = Int64GetDatum(json_int64(r->event.payload, "asset_id"));
	values[1] = TimestampTzGetDatum(r->state.at);
	if (plan_fresh(&select, values, NULL) > 0)
	{
		bool		isnull;

		breaks(psprintf("Fund " INT64_FORMAT " has bought the copyright since.",
						DatumGetInt64(plan_value(1, INT8OID, &isnull))),
			   "A copyright is held by one fund; it must be sold before the sale can be reversed.");
	}
	SPI_freetuptable(SPI_tuptable);
	require_cash_left(r, json_numeric(r->event.payload, "price_cash"));
	if (r->state.is_past)
		put_taken_back(r->cmd, rows_find_int64(r->cmd->rows, TABLE_MCP,
											   json_int64(r->event.payload, "asset_id")));
}

static void
check_royalty_received(Reversal *r)
{
	require_cash_left(r, json_numeric(r->event.payload, "amount"));
}

static void
check_fee_accrued(Reversal *r)
{
	char	   *kind = json_string(r->event.payload, "kind");
	Numeric		amount = json_numeric(r->event.payload, "amount");

	require_left(r, psprintf("what is owed of kind \"%s\"", kind),
				 fee_owed(r->cmd, &r->state, kind), amount);
	require_liabilities_left(r, amount);
}

/* The price with what is not distributed is struck, unless one is struck later. */
static void
check_distribution_declared(Reversal *r)
{
	const FundState *state = &r->state;
	Numeric		total = json_numeric(r->event.payload, "total");
	Datum		keys[2];
	Row		   *distribution;

	keys[0] = r->fund->values[FUND_ID];
	keys[1] = Int64GetDatum(json_int64(r->event.payload, "distribution_id"));
	distribution = rows_find(r->cmd->rows, TABLE_DISTRIBUTION, keys);
	if (strcmp(row_text(distribution, DISTRIBUTION_STATUS), "declared") != 0)
		breaks(psprintf("Distribution " INT64_FORMAT " is %s.", DatumGetInt64(keys[1]),
						row_text(distribution, DISTRIBUTION_STATUS)),
			   "Reverse the payment first.");
	if (state->at < row_time(distribution, DISTRIBUTION_OPEN_SINCE))
		breaks(psprintf("Distribution " INT64_FORMAT " was paid; that payment is reversed from %s on.",
						DatumGetInt64(keys[1]),
						timestamptz_to_str(row_time(distribution, DISTRIBUTION_OPEN_SINCE))),
			   "Give that effective_at or a later one.");
	require_liabilities_left(r, total);
	if (num_sign(state->total_supply) > 0 && state->at >= row_time(r->fund, FUND_STRUCK_AT))
		json_put_numeric(&r->cmd->figures, "base_price",
						 num_div_floor(num_add(state->nav, total), state->total_supply,
									   PRICE_SCALE));
}

/*
 * What is not listed cannot be reversed.  What takes cash back needs no other
 * care for a fund that was empty later: there was no cash to take.
 */
static const struct
{
	FundEventType type_id;
	void		(*check) (Reversal *r);
	Addition	adds;
}			reversible[] = {
	{INVESTMENT_CREATED, check_investment_created, ADDS_NOTHING},
	{INVESTMENT_WITHDRAWN, NULL, ADDS_UNITS},
	{MCP_PURCHASED, check_mcp_purchased, ADDS_VALUE},
	{MCP_SOLD, check_mcp_sold, ADDS_VALUE},
	{ROYALTY_RECEIVED, check_royalty_received, ADDS_NOTHING},
	{FEE_ACCRUED, check_fee_accrued, ADDS_VALUE},
	{FEE_PAID, NULL, ADDS_NOTHING},
	{DISTRIBUTION_DECLARED, check_distribution_declared, ADDS_VALUE},
	{DISTRIBUTION_PAID, NULL, ADDS_NOTHING},
	{RESIDUAL_SWEPT, NULL, ADDS_VALUE}
};

static void
check_emptiness(const Reversal *r, Addition adds)
{
	char	   *found = find_emptiness(r->fund, r->state.at, adds);

	if (found != NULL)
		breaks(found, "Reverse that first, or give that effective_at or a later one.");
}

static int
find_reversible(int32 type_id)
{
	int			i;

	for (i = 0; i < lengthof(reversible); i++)
		if (reversible[i].type_id == type_id)
			return i;
	return -1;
}

static const char *
what_to_do_instead(int32 type_id)
{
	switch (type_id)
	{
		case EVENT_REVERSED:
			return "Record what was reversed anew.";
		case FUND_VALUED:
			return "Mend the prices and run fundes.update_mcp_asset_value() or fundes.restate_nav().";
		case PERIOD_CLOSED:
			return "Use fundes.reopen_period().";
		case PERIOD_REOPENED:
			return "Use fundes.close_period().";
		case TRADING_HALTED:
			return "Use fundes.resume_trading().";
		case TRADING_RESUMED:
			return "Use fundes.halt_trading().";
		case INDEX_PUBLISHED:
			return "Publish the right level for the day with fundes.publish_index().";
		case PRICE_LIMITS_SET:
			return "Set the limits anew with fundes.set_price_limits().";
		default:
			return "Deals, royalties, fees, distributions and sweeps can be reversed.";
	}
}

/*
 * The command
 */

static void
require_reversible(const pg_uuid_t *id, bool found, const StoredEvent *event)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));

	if (!found)
		invalid_argument("event does not exist",
						 psprintf("No event of the log has the id %s.", text),
						 "View fundes.event_log shows the ids.");
	if (find_reversible(event->type_id) < 0)
		invalid_argument("event cannot be reversed",
						 psprintf("Event %s is %s.", text, text_to_cstring(log_type_name(event->type_id))),
						 what_to_do_instead(event->type_id));
}

static void
require_after(const Command *cmd, const StoredEvent *event)
{
	if (cmd->effective_at < event->effective_at)
		invalid_argument("effective_at is before that of the event to be reversed",
						 psprintf("That is %s.", timestamptz_to_str(event->effective_at)),
						 "Give that moment or a later one.");
}

static void
require_not_reversed(Command *cmd, const StoredEvent *event)
{
	Row		   *reversal = rows_find_int64(cmd->rows, TABLE_REVERSAL, event->position);

	if (reversal != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ALREADY_REVERSED),
				 errmsg("Event is reversed already"),
				 errdetail("The event at position " INT64_FORMAT " of the log reverses it.",
						   row_int64(reversal, REVERSAL_LAST_POSITION)),
				 errhint("An event is reversed once.")));
}

static void
reverse(Reversal *r)
{
	Command    *cmd = r->cmd;
	char	   *stream = fund_stream(row_int64(r->fund, FUND_ID));
	int			i = find_reversible(r->event.type_id);

	require_open(r->fund);
	command_check_time(cmd, r->fund);
	require_after(cmd, &r->event);
	fund_state_at(&r->state, r->fund, cmd->effective_at);
	command_expect(cmd, stream);
	require_not_reversed(cmd, &r->event);
	if (reversible[i].check != NULL)
		reversible[i].check(r);
	check_emptiness(r, reversible[i].adds);
	json_put_int64(&cmd->figures, "reversed_position", r->event.position);
	json_put_string(&cmd->figures, "reversed_type", text_to_cstring(log_type_name(r->event.type_id)));
	json_put_json(&cmd->figures, "reversed", r->event.payload);
	command_append(cmd, stream, "EventReversed");
}

FUNDES_FUNCTION(fundes_reverse_event);

Datum
fundes_reverse_event(PG_FUNCTION_ARGS)
{
	Command		cmd;
	Reversal	r = {.cmd = &cmd};
	pg_uuid_t  *id;
	char	   *reason;
	bool		found;

	REQUIRE_ARG(0, "reversed_event_id");
	id = PG_GETARG_UUID_P(0);
	reason = arg_optional_text(fcinfo, 1, "reason");

	command_begin(&cmd, fcinfo);
	found = log_find_event(id, &r.event);
	if (found && find_reversible(r.event.type_id) >= 0)
	{
		int64		fund_id = json_int64(r.event.payload, "fund_id");

		r.fund = command_lock_fund(&cmd, fund_id);
		json_put_int64(&cmd.arguments, "fund_id", fund_id);
	}
	command_options(&cmd, 2);
	json_put_string(&cmd.arguments, "reversed_event_id",
					DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id))));
	json_put_optional_string(&cmd.arguments, "reason", reason);

	if (!command_replayed(&cmd, "EventReversed"))
	{
		require_reversible(id, found, &r.event);
		reverse(&r);
	}
	command_end(&cmd);
	PG_RETURN_DATUM(command_event_id(&cmd));
}
