/*-------------------------------------------------------------------------
 *
 * restatement.c
 *	  restate_nav: valuations made anew, with what is known now.
 *
 *	  What is recorded late flags the valuations of the days that it would have
 *	  changed (fold_valuation.c).  A quote that was mended flags nothing, as it is
 *	  no event: so the days that are not flagged are valued to see whether they
 *	  come out as they are known.  Each that is flagged or does not gets a new
 *	  revision, which is history only: prices that were struck stay as investors
 *	  dealt at them.  A flagged day's revision that finds what was known is
 *	  written too, as only an event can take the flag away.
 *
 *	  How many days follow stands in each event, so they are found before the
 *	  first is written.  None depends on the revision of another: a value that is
 *	  carried is that of the day's own last one.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/calendar.h"
#include "fund/command.h"
#include "fund/streams.h"
#include "fund/valuation.h"
#include "miscadmin.h"
#include "plan.h"
#include "utils/memutils.h"

static const char *
status_of(bool same)
{
	return same ? "unchanged" : "revised";
}

/* A day that was valued. */
typedef struct ValuedDay
{
	DateADT		day;
	bool		flagged;
} ValuedDay;

/* Those from a day on. */
static ValuedDay *
valued_days(int64 fund_id, DateADT from, int *count)
{
	static KeptPlan select = PLAN(
		"select valuation_date, needs_restatement from fundes.valuation v"
		" where fund_id = $1 and valuation_date >= $2"
		"   and not exists (select from fundes.valuation n"
		"                    where n.fund_id = v.fund_id and n.valuation_date = v.valuation_date"
		"                      and n.revision = v.revision + 1)"
		" order by valuation_date",
		INT8OID, DATEOID);
	Datum		values[2];
	ValuedDay  *days;
	uint64		n;
	uint64		i;

	values[0] = Int64GetDatum(fund_id);
	values[1] = DateADTGetDatum(from);
	n = plan_fresh(&select, values, NULL);
	days = palloc(sizeof(ValuedDay) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;

		days[i].day = DatumGetDateADT(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		days[i].flagged = DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	*count = (int) n;
	return days;
}

static void
value_day(Valuation *v, Row *fund, DateADT day)
{
	valuation_find(v, fund, day, day_end(day, row_text(fund, FUND_TIME_ZONE)), false);
}

/* Those that need a new revision. */
static DateADT *
days_to_restate(Row *fund, DateADT from, MemoryContext work, int *count)
{
	ValuedDay  *valued;
	DateADT    *days;
	int			n;
	int			i;

	valued = valued_days(row_int64(fund, FUND_ID), from, &n);
	days = palloc(sizeof(DateADT) * Max(n, 1));
	*count = 0;
	for (i = 0; i < n; i++)
	{
		bool		needed = valued[i].flagged;

		CHECK_FOR_INTERRUPTS();
		if (!needed)
		{
			MemoryContext old = MemoryContextSwitchTo(work);
			Valuation	v;

			value_day(&v, fund, valued[i].day);
			needed = !valuation_is_known(&v);
			MemoryContextSwitchTo(old);
			MemoryContextReset(work);
		}
		if (needed)
			days[(*count)++] = valued[i].day;
	}
	return days;
}

/* The first event has the call's id; the others follow in the stream. */
static void
restate_day(Command *cmd, Row *fund, DateADT day, int days_left, bool first)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) cmd->fcinfo->resultinfo;
	int64		fund_id = row_int64(fund, FUND_ID);
	JsonObject	others;
	JsonObject *object = first ? &cmd->figures : &others;
	Valuation	v;
	Jsonb	   *payload;

	value_day(&v, fund, day);
	if (!first)
		json_begin(&others);
	json_put_date(object, "valuation_date", day);
	json_put_int64(object, "days_left", days_left);
	valuation_put(object, &v);
	if (first)
	{
		command_append(cmd, fund_stream(fund_id), "FundValued");
		payload = cmd->payload;
	}
	else
	{
		payload = json_merge(cmd->argument_object, json_end(&others));
		command_append_also(cmd, fund_stream(fund_id), "FundValued", payload);
	}
	valuation_result(rsinfo, fund_id, payload, status_of(valuations_agree(v.known, payload)));
}

static void
restate(Command *cmd, int64 fund_id, DateADT from)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "fundes restatement",
											   ALLOCSET_DEFAULT_SIZES);
	DateADT    *days;
	int			n;
	int			i;

	days = days_to_restate(rows_find_int64(cmd->rows, TABLE_FUND, fund_id), from, work, &n);
	for (i = 0; i < n; i++)
	{
		/* each event writes the fund's row: it is read again */
		Row		   *fund = rows_find_int64(cmd->rows, TABLE_FUND, fund_id);
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		if (i == 0 && !fund->nulls[FUND_CLOSED_THROUGH] &&
			days[0] <= row_date(fund, FUND_CLOSED_THROUGH))
			period_closed(fund, psprintf("%s needs to be restated.", date_text(days[0])));
		old = MemoryContextSwitchTo(i == 0 ? CurrentMemoryContext : work);
		restate_day(cmd, fund, days[i], n - 1 - i, i == 0);
		MemoryContextSwitchTo(old);
		MemoryContextReset(work);
	}
	MemoryContextDelete(work);
}

/* The payload of the revision before the one of a payload. */
static Jsonb *
revision_before(Command *cmd, const Jsonb *payload)
{
	Datum		keys[3];
	Row		   *valuation;
	StoredEvent event;

	keys[0] = Int64GetDatum(json_int64(payload, "fund_id"));
	keys[1] = DateADTGetDatum(json_date(payload, "valuation_date"));
	keys[2] = Int32GetDatum((int32) json_int64(payload, "revision") - 1);
	valuation = rows_find(cmd->rows, TABLE_VALUATION, keys);
	if (valuation == NULL ||
		!log_find_position(row_int64(valuation, VALUATION_LAST_POSITION), &event))
		elog(ERROR, "the revision before a restatement is not there");
	return event.payload;
}

/* What the first call returned: its events stand one after the other. */
static void
return_again(Command *cmd, int64 fund_id)
{
	static KeptPlan select = PLAN(
		"select e.payload from fundes.event e, fundes.event first"
		" where first.position = $1 and e.stream_id = first.stream_id"
		"   and e.version >= first.version order by e.version limit $2",
		INT8OID, INT8OID);
	SPITupleTable *events;
	StoredEvent first;
	Datum		values[2];
	uint64		n;
	uint64		i;

	if (!log_find_event(&cmd->event_id, &first))
		elog(ERROR, "the event of a replay is not there");
	values[0] = Int64GetDatum(first.position);
	values[1] = Int64GetDatum(json_int64(cmd->payload, "days_left") + 1);
	n = plan_fresh(&select, values, NULL);
	events = SPI_tuptable;
	for (i = 0; i < n; i++)
	{
		bool		isnull;
		Jsonb	   *payload = DatumGetJsonbPCopy(SPI_getbinval(events->vals[i],
															   events->tupdesc, 1, &isnull));

		valuation_result((ReturnSetInfo *) cmd->fcinfo->resultinfo, fund_id, payload,
						 status_of(valuations_agree(revision_before(cmd, payload), payload)));
	}
	SPI_freetuptable(events);
}

FUNDES_FUNCTION(fundes_restate_nav);

Datum
fundes_restate_nav(PG_FUNCTION_ARGS)
{
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	DateADT		from = arg_date(fcinfo, 1, "from_date");
	Row		   *fund;

	InitMaterializedSRF(fcinfo, 0);
	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	command_options(&cmd, 2);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_date(&cmd.arguments, "restated_from", from);
	command_arguments_done(&cmd);
	if (command_replayed(&cmd, "FundValued"))
		return_again(&cmd, fund_id);
	else
	{
		require_open(require_fund(fund, fund_id));
		command_check_time(&cmd, fund);
		command_expect(&cmd, fund_stream(fund_id));
		restate(&cmd, fund_id, from);
	}
	command_end(&cmd);
	return (Datum) 0;
}
