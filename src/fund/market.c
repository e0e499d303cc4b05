/*-------------------------------------------------------------------------
 *
 * market.c
 *	  Commands about the market: publish_index, halt_trading, resume_trading.
 *
 *	  An index that is published too far below the last day's level halts
 *	  dealing in all funds for a while.  Who publishes, or halts the whole
 *	  market, holds the lock of fund WHOLE_MARKET; deals do not wait for it: a
 *	  halt holds for what begins after it is committed.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/table.h"
#include "access/xact.h"
#include "args.h"
#include "catalog/pg_type.h"
#include "fund/calendar.h"
#include "fund/fund_lock.h"
#include "fund/market.h"
#include "fund/money.h"
#include "fund/streams.h"
#include "miscadmin.h"
#include "plan.h"
#include "probe.h"
#include "storage/bufmgr.h"
#include "utils/fmgrprotos.h"

#define CHANGE_SCALE 6

/*
 * Halts
 */

typedef struct Halt
{
	bool		has_end;
	TimestampTz until;			/* where it has an end */
	char	   *reason;			/* or NULL */
} Halt;

/*
 * In most markets nothing was ever halted: then there is no index to look into,
 * but in SERIALIZABLE, which must know that it was looked for.
 */
static bool
nothing_was_halted(void)
{
	Relation	halts;
	bool		empty;

	if (IsolationIsSerializable())
		return false;
	halts = table_open(fundes_relation("trading_halt"), AccessShareLock);
	empty = RelationGetNumberOfBlocks(halts) == 0;
	table_close(halts, AccessShareLock);
	return empty;
}

/* The last event about halts up to a moment is a halt that has not run out. */
static bool
in_force(int64 fund_id, TimestampTz at, Halt *halt)
{
	Probe		probe;
	bool		found;
	bool		halted = false;

	if (nothing_was_halted())
		return false;
	probe.nkeys = 0;
	probe_key(&probe, INT8OID, Int64GetDatum(fund_id));
	found = probe_begin(&probe, fundes_relation("trading_halt"), "trading_halt_pkey",
						BackwardScanDirection);
	while (found && DatumGetTimestampTz(probe_value(&probe, HALT_EFFECTIVE_AT + 1)) > at)
	{
		CHECK_FOR_INTERRUPTS();
		found = probe_next(&probe, BackwardScanDirection);
	}
	if (found && DatumGetBool(probe_value(&probe, HALT_HALTED + 1)))
	{
		Datum		reason = probe_value(&probe, HALT_REASON + 1);

		halt->has_end = !probe.slot->tts_isnull[HALT_UNTIL];
		halt->until = DatumGetTimestampTz(probe_value(&probe, HALT_UNTIL + 1));
		halt->reason = reason == (Datum) 0 ? NULL : TextDatumGetCString(reason);
		halted = !halt->has_end || at < halt->until;
	}
	probe_end(&probe);
	return halted;
}

pg_noreturn static void
trading_halted(int64 fund_id, const Halt *halt)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRADING_HALTED),
			 errmsg("Trading is halted"),
			 errdetail("Dealing in %s is halted %s%s%s.",
					   fund_id == WHOLE_MARKET ? "all funds" :
					   psprintf("fund " INT64_FORMAT, fund_id),
					   halt->has_end ? psprintf("until %s", timestamptz_to_str(halt->until)) :
					   "until it is resumed",
					   halt->reason != NULL ? ": " : "",
					   halt->reason != NULL ? halt->reason : ""),
			 errhint("Deal when the halt is over; fundes.resume_trading() ends it before.")));
}

void
require_trading(const Command *cmd, const Row *fund)
{
	Halt		halt;

	if (in_force(WHOLE_MARKET, cmd->effective_at, &halt))
		trading_halted(WHOLE_MARKET, &halt);
	if (DatumGetBool(fund->values[FUND_HALTED]) &&
		in_force(row_int64(fund, FUND_ID), cmd->effective_at, &halt))
		trading_halted(row_int64(fund, FUND_ID), &halt);
}

/* As command_check_time: left out, effective_at follows on the last event. */
static void
check_market_time(Command *cmd)
{
	Probe		probe;

	probe.nkeys = 0;
	probe_key(&probe, INT8OID, Int64GetDatum(WHOLE_MARKET));
	if (probe_begin(&probe, fundes_relation("trading_halt"), "trading_halt_pkey",
					BackwardScanDirection) &&
		!cmd->effective_given)
		cmd->effective_at = Max(cmd->effective_at,
								DatumGetTimestampTz(probe_value(&probe, HALT_EFFECTIVE_AT + 1)));
	probe_end(&probe);
	command_check_time(cmd, NULL);
}

/* Both commands, of one fund or of the market. */
static Datum
trading_command(FunctionCallInfo fcinfo, bool halt)
{
	const char *type = halt ? "TradingHalted" : "TradingResumed";
	bool		market = PG_ARGISNULL(0);
	int64		fund_id = market ? WHOLE_MARKET : PG_GETARG_INT64(0);
	char	   *reason = arg_optional_text(fcinfo, 1, "reason");
	char	   *stream = market ? index_stream(MARKET_NAME) : fund_stream(fund_id);
	Command		cmd;
	Row		   *fund = NULL;

	command_begin(&cmd, fcinfo);
	if (market)
		lock_fund(WHOLE_MARKET);
	else
		fund = command_lock_fund(&cmd, fund_id);
	command_options(&cmd, 2);
	if (market)
		json_put_string(&cmd.arguments, "index_name", MARKET_NAME);
	else
		json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_optional_string(&cmd.arguments, "reason", reason);

	if (!command_replayed(&cmd, type))
	{
		Halt		present;

		if (market)
			check_market_time(&cmd);
		else
			command_check_time(&cmd, require_fund(fund, fund_id));
		command_expect(&cmd, stream);
		if (!halt && !in_force(fund_id, cmd.effective_at, &present))
			invalid_argument("trading is not halted",
							 psprintf("No halt of %s is in force at %s.",
									  market ? "the whole market" : psprintf("fund " INT64_FORMAT, fund_id),
									  timestamptz_to_str(cmd.effective_at)),
							 "fund_id NULL ends halts of the whole market, a fund's id those of the fund.");
		command_append(&cmd, stream, type);
	}
	command_end(&cmd);
	PG_RETURN_DATUM(command_event_id(&cmd));
}

FUNDES_FUNCTION(fundes_halt_trading);

Datum
fundes_halt_trading(PG_FUNCTION_ARGS)
{
	return trading_command(fcinfo, true);
}

FUNDES_FUNCTION(fundes_resume_trading);

Datum
fundes_resume_trading(PG_FUNCTION_ARGS)
{
	return trading_command(fcinfo, false);
}

/*
 * Indexes
 */

/* A level announced, and what it is compared with. */
typedef struct Announcement
{
	char	   *name;
	DateADT		date;
	Numeric		level;
	Numeric		known;			/* the day's level until now, or NULL */
	Numeric		previous;		/* that of the last day before, or NULL */
	DateADT		previous_date;
	bool		newest;			/* no later day is published */
} Announcement;

static Numeric
level_column(int column)
{
	bool		isnull;
	Datum		value = plan_value(column, NUMERICOID, &isnull);

	return isnull ? NULL : DatumGetNumeric(value);
}

static void
compare(Announcement *p)
{
	static KeptPlan select = PLAN(
		"select (select level from fundes.market_index where index_name = $1 and index_date = $2),"
		"       before.level, before.index_date,"
		"       not exists (select from fundes.market_index where index_name = $1 and index_date > $2)"
		"  from (values (1)) one left join lateral"
		"       (select level, index_date from fundes.market_index"
		"         where index_name = $1 and index_date < $2"
		"         order by index_date desc limit 1) before on true",
		TEXTOID, DATEOID);
	Datum		values[2];
	bool		isnull;

	values[0] = CStringGetTextDatum(p->name);
	values[1] = DateADTGetDatum(p->date);
	(void) plan_fresh(&select, values, NULL);
	p->known = level_column(1);
	p->previous = level_column(2);
	p->previous_date = DatumGetDateADT(plan_value(3, DATEOID, &isnull));
	p->newest = DatumGetBool(plan_value(4, BOOLOID, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

/* Whether it is so far below the day before that it halts dealing. */
static bool
breaks_circuit(const Announcement *p)
{
	Numeric		rest;

	if (!p->newest || p->previous == NULL)
		return false;
	rest = num_sub(num_int(1), num_parse(fundes_halt_threshold));
	return num_cmp(p->level, num_mul(p->previous, rest)) <= 0;
}

/* Appends the halt: no shorter than the one that may be in force. */
static void
halt_market(Command *cmd, const Announcement *p, const Halt *present)
{
	Interval   *duration =
		DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(fundes_halt_duration),
											  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	TimestampTz until = cmd->effective_at + interval_length(duration);
	Numeric		ratio = num_div_half_up(p->level, p->previous, CHANGE_SCALE);
	JsonObject	payload;

	json_begin(&payload);
	json_put_string(&payload, "index_name", p->name);
	json_put_string(&payload, "reason",
					psprintf("%s on %s after %s on %s", num_text(p->level), date_text(p->date),
							 num_text(p->previous), date_text(p->previous_date)));
	json_put_numeric(&payload, "index_level", p->level);
	json_put_numeric(&payload, "change", num_sub(ratio, num_int(1)));
	if (present != NULL && !present->has_end)
		json_put_null(&payload, "until");
	else
		json_put_moment(&payload, "until",
						present != NULL ? Max(until, present->until) : until);
	command_append_also(cmd, index_stream(p->name), "TradingHalted", json_end(&payload));
}

/* A day begins first where clocks are 14 hours ahead of Greenwich. */
static void
require_begun(const Command *cmd, DateADT date)
{
	TimestampTz begins = date * USECS_PER_DAY - 14 * USECS_PER_HOUR;

	if (begins > cmd->effective_at)
		ereport(ERROR,
				(errcode(ERRCODE_EFFECTIVE_IN_FUTURE),
				 errmsg("index date is in the future"),
				 errdetail("index_date is %s, effective_at %s.", date_text(date),
						   timestamptz_to_str(cmd->effective_at)),
				 errhint("Publish the level of a day when the day has begun.")));
}

FUNDES_FUNCTION(fundes_publish_index);

Datum
fundes_publish_index(PG_FUNCTION_ARGS)
{
	Command		cmd;
	Announcement p;
	bool		halted;

	REQUIRE_ARG(0, "index_name");
	REQUIRE_ARG(1, "index_date");
	p.level = checked_amount(arg_numeric(fcinfo, 2, "level"), QUANTITY_PRICE, false, "level");
	p.level = at_scale(p.level, PRICE_SCALE, "level");
	p.name = arg_key(fcinfo, 0, "index_name");
	p.date = arg_date(fcinfo, 1, "index_date");
	if (strcmp(p.name, MARKET_NAME) == 0)
		invalid_argument("index_name must not be \"" MARKET_NAME "\"",
						 "That stands for the whole market.", "Give the index another name.");

	command_begin(&cmd, fcinfo);
	lock_fund(WHOLE_MARKET);
	command_options(&cmd, 3);
	json_put_string(&cmd.arguments, "index_name", p.name);
	json_put_date(&cmd.arguments, "index_date", p.date);
	json_put_numeric(&cmd.arguments, "level", p.level);

	if (command_replayed(&cmd, "IndexPublished"))
	{
		JsonbValue *known = json_find(cmd.payload, "halted");

		halted = known != NULL && known->val.boolean;
	}
	else
	{
		Halt		present;
		bool		breaks;

		check_market_time(&cmd);
		require_begun(&cmd, p.date);
		command_expect(&cmd, index_stream(p.name));
		compare(&p);
		halted = in_force(WHOLE_MARKET, cmd.effective_at, &present);
		if (p.known == NULL || num_cmp(p.known, p.level) != 0)
		{
			breaks = breaks_circuit(&p);
			json_put_bool(&cmd.figures, "halted", halted || breaks);
			command_append(&cmd, index_stream(p.name), "IndexPublished");
			if (breaks)
				halt_market(&cmd, &p, halted ? &present : NULL);
			halted |= breaks;
		}
	}
	command_end(&cmd);
	PG_RETURN_BOOL(halted);
}
