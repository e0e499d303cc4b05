/*-------------------------------------------------------------------------
 *
 * valuation.c
 *	  update_mcp_asset_value: the nightly valuation.
 *
 *	  A valuation is of the end of a day D in the fund's zone.  Cash, what is
 *	  owed, units and the copyrights held are those of that moment, also when
 *	  deals of the next day came before the job:
 *
 *		asset_value = sum over copyrights held of the price for D, half up to a
 *					  coin; where there is none, the last value is carried
 *		NAV			= capital_cash + asset_value - liabilities
 *		base_price	= NAV / total_supply, floor at 4 decimals
 *
 *	  capital_cash is never changed.  The same inputs again write nothing; other
 *	  inputs for a day are a new revision.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "args.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "fund/calendar.h"
#include "fund/command.h"
#include "fund/fund_state.h"
#include "fund/money.h"
#include "fund/quote.h"
#include "fund/streams.h"
#include "fund/valuation.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "plan.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

/*
 * What a valuation is made of
 */

/* The function that says prices, see the setting fundes.price_function. */
typedef struct PriceSource
{
	FmgrInfo	function;
	bool		is_quotes;		/* it is get_mcp_index: */
	QuoteReader quotes;			/* then they are read here */
	DateADT		day;
	int			scale;			/* of the fund's money */
} PriceSource;

static void
price_source_begin(PriceSource *source, DateADT day, int scale)
{
	Oid			types[4] = {TEXTOID, TEXTOID, TEXTOID, DATEOID};
	List	   *name = qualified_name(fundes_price_function);
	Oid			function;

	owner_safe_search_path();
	function = LookupFuncName(name, lengthof(types), types, true);
	if (!OidIsValid(function) || get_func_rettype(function) != NUMERICOID)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("price function does not exist: %s(text, text, text, date) returns numeric",
						fundes_price_function),
				 errdetail("It is the value of the setting fundes.price_function."),
				 errhint("Set fundes.price_function to a function with the signature of fundes.get_mcp_index.")));
	fmgr_info(function, &source->function);
	source->is_quotes = strcmp(fundes_price_function, "fundes.get_mcp_index") == 0;
	if (source->is_quotes)
		quotes_begin(&source->quotes, day);
	source->day = day;
	source->scale = scale;
}

static int64
last_position_of(const Row *fund)
{
	static KeptPlan select = PLAN("select last_position from fundes.fund_now where fund_id = $1",
								  INT8OID);
	bool		isnull;
	int64		position;

	(void) plan_fresh(&select, &fund->values[FUND_ID], NULL);
	position = DatumGetInt64(plan_value(1, INT8OID, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return position;
}

/* The figures that the valuation goes on with must not change under its hands. */
static void
require_unchanged(const Row *fund, int64 position)
{
	if (last_position_of(fund) != position)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("price function has changed the fund that it prices"),
				 errdetail("%s() has recorded an event of fund " INT64_FORMAT ".",
						   fundes_price_function, row_int64(fund, FUND_ID)),
				 errhint("Record it before or after the valuation; the function of the setting fundes.price_function is to say prices.")));
}

static void
price_source_end(PriceSource *source)
{
	if (source->is_quotes)
		quotes_end(&source->quotes);
}

/* What the function says. */
static bool
ask_function(PriceSource *source, const Row *held, Numeric *price)
{
	LOCAL_FCINFO(fcinfo, 4);
	Datum		result;
	int			i;

	InitFunctionCallInfoData(*fcinfo, &source->function, 4, InvalidOid, NULL, NULL);
	for (i = 0; i < 3; i++)
	{
		fcinfo->args[i].value = held->values[MCP_COPYRIGHT_CODE + i];
		fcinfo->args[i].isnull = false;
	}
	fcinfo->args[3].value = DateADTGetDatum(source->day);
	fcinfo->args[3].isnull = false;
	result = FunctionCallInvoke(fcinfo);
	if (!fcinfo->isnull)
		*price = DatumGetNumeric(result);
	return !fcinfo->isnull;
}

/* The price for the day, half up, and the day that it is of; NULL: there is none. */
static Numeric
price_of(PriceSource *source, const Row *held, DateADT *date)
{
	Numeric		price;

	*date = source->day;
	if (source->is_quotes ? !quotes_find(&source->quotes, &held->values[MCP_COPYRIGHT_CODE], date, &price) :
		!ask_function(source, held, &price))
		return NULL;
	return num_half_up(checked_amount(price, QUANTITY_CASH, true, "price"), source->scale);
}

/*
 * The value to carry where there is no price.  Where none is struck, that is the
 * value as of the day, or the cost.
 */
static Numeric
carried_value(const Row *held, int64 fund_id, DateADT day, bool strikes)
{
	static KeptPlan select = PLAN(
		"select (e.payload->'values'->>$3::text)::numeric"
		"  from fundes.valuation v join fundes.event e on e.position = v.last_position"
		" where v.fund_id = $1 and v.valuation_date <= $2 and e.payload->'values' ? $3::text"
		" order by v.valuation_date desc, v.revision desc limit 1",
		INT8OID, DATEOID, INT8OID);
	Datum		values[3];
	Datum		value = (Datum) 0;
	bool		isnull = true;

	if (strikes)
		return row_numeric(held, MCP_VALUE_CASH);
	values[0] = Int64GetDatum(fund_id);
	values[1] = DateADTGetDatum(day);
	values[2] = held->values[MCP_ASSET_ID];
	if (plan_read(&select, values, NULL) > 0)
		value = plan_value(1, NUMERICOID, &isnull);
	SPI_freetuptable(SPI_tuptable);
	return isnull ? row_numeric(held, MCP_COST_CASH) : DatumGetNumeric(value);
}

/* By what it is told whether a copyright is held at a moment. */
typedef struct HeldAt
{
	TimestampTz at;
	int64	   *sold;			/* assets whose sale by then was reversed later, ascending */
	uint64		nsold;
} HeldAt;

static void
find_sold(HeldAt *held, int64 fund_id)
{
	static KeptPlan select = PLAN(
		"select (s.payload->>'asset_id')::bigint from fundes.reversal r"
		"  join fundes.event s on s.position = r.reversed_position"
		"  join fundes.event e on e.position = r.last_position"
		" where r.fund_id = $1 and s.type_id = $3"
		"   and s.effective_at < $2 and e.effective_at >= $2 order by 1",
		INT8OID, TIMESTAMPTZOID, INT4OID);
	Datum		values[3];
	uint64		i;
	bool		isnull;

	values[0] = Int64GetDatum(fund_id);
	values[1] = TimestampTzGetDatum(held->at);
	values[2] = Int32GetDatum(MCP_SOLD);
	held->nsold = plan_read(&select, values, NULL);
	held->sold = palloc(sizeof(int64) * Max(held->nsold, 1));
	for (i = 0; i < held->nsold; i++)
		held->sold[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
													   SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

static int
compare_int64(const void *a, const void *b)
{
	return pg_cmp_s64(*(const int64 *) a, *(const int64 *) b);
}

static Datum
column(TupleTableSlot *mcp, int number, bool *isnull)
{
	return slot_getattr(mcp, number + 1, isnull);
}

/*
 * A copyright whose purchase was reversed was held until then, if at all, and one
 * whose sale was reversed not held in between.
 */
static bool
is_held(TupleTableSlot *mcp, void *arg)
{
	const HeldAt *held = arg;
	Datum		value;
	int64		asset_id;
	bool		isnull;

	value = column(mcp, MCP_PURCHASED_AT, &isnull);
	if (isnull || DatumGetTimestampTz(value) >= held->at)
		return false;
	value = column(mcp, MCP_HELD_UNTIL, &isnull);
	if (isnull ? DatumGetBool(column(mcp, MCP_REVERSED, &isnull)) :
		DatumGetTimestampTz(value) < held->at)
		return false;
	asset_id = DatumGetInt64(column(mcp, MCP_ASSET_ID, &isnull));
	return held->nsold == 0 ||
		bsearch(&asset_id, held->sold, held->nsold, sizeof(int64), compare_int64) == NULL;
}

static int
compare_asset_ids(const ListCell *a, const ListCell *b)
{
	return pg_cmp_s64(row_int64(lfirst(a), MCP_ASSET_ID), row_int64(lfirst(b), MCP_ASSET_ID));
}

/* Their rows are those that the fold of a valuation that strikes the price goes on with. */
static List *
held_copyrights(Row *fund, TimestampTz at)
{
	HeldAt		held = {.at = at};
	List	   *rows;

	find_sold(&held, row_int64(fund, FUND_ID));
	rows = rows_select(fund->set, TABLE_MCP, "mcp_fund", fund->values[FUND_ID], is_held, &held);
	list_sort(rows, compare_asset_ids);
	return rows;
}

static void
find_values(Values *result, Row *fund, DateADT day, TimestampTz end, bool strikes)
{
	PriceSource source;
	int64		fund_id = row_int64(fund, FUND_ID);
	JsonObject	value_object;
	JsonObject	source_object;
	JsonbParseState *stale = NULL;
	int64		position = 0;
	List	   *rows;
	ListCell   *cell;

	price_source_begin(&source, day, row_int32(fund, FUND_CASH_SCALE));
	if (!source.is_quotes)
		position = last_position_of(fund);
	PushActiveSnapshot(GetLatestSnapshot());
	rows = held_copyrights(fund, end);

	result->total = num_int(0);
	json_begin(&value_object);
	json_begin(&source_object);
	(void) pushJsonbValue(&stale, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, rows)
	{
		const Row  *held = lfirst(cell);
		int64		asset_id = row_int64(held, MCP_ASSET_ID);
		char	   *key = palloc(MAXINT8LEN + 1);
		DateADT		date;
		Numeric		value;

		CHECK_FOR_INTERRUPTS();
		pg_lltoa(asset_id, key);
		value = price_of(&source, held, &date);
		if (value != NULL)
			json_put_date(&source_object, key, date);
		else
		{
			JsonbValue	v;

			v.type = jbvNumeric;
			v.val.numeric = num_int(asset_id);
			(void) pushJsonbValue(&stale, WJB_ELEM, &v);
			value = carried_value(held, fund_id, day, strikes);
		}
		json_put_numeric(&value_object, key, value);
		result->total = num_add(result->total, value);
	}
	price_source_end(&source);
	PopActiveSnapshot();
	if (!source.is_quotes)
		require_unchanged(fund, position);
	result->values = json_end(&value_object);
	result->sources = json_end(&source_object);
	result->stale = JsonbValueToJsonb(pushJsonbValue(&stale, WJB_END_ARRAY, NULL));
	list_free(rows);
}

static Numeric
strike_price(const FundState *state, Numeric nav)
{
	if (num_sign(state->total_supply) == 0)
		return num_sign(nav) == 0 ? row_numeric(state->fund, FUND_INITIAL_PRICE) :
			state->base_price;
	if (num_sign(nav) < 0)
		return num_int(0);
	return checked_range(num_div_floor(nav, state->total_supply, PRICE_SCALE),
						 QUANTITY_PRICE);
}

/* The payload of the latest revision of a day, or NULL; counts the revisions. */
static Jsonb *
latest_revision(int64 fund_id, DateADT day, int32 *revisions)
{
	static KeptPlan select = PLAN("select revision, last_position from fundes.valuation"
								  " where fund_id = $1 and valuation_date = $2"
								  " order by revision desc limit 1",
								  INT8OID, DATEOID);
	Datum		values[2];
	StoredEvent event;
	int64		position;
	bool		isnull;

	values[0] = Int64GetDatum(fund_id);
	values[1] = DateADTGetDatum(day);
	*revisions = 0;
	if (plan_fresh(&select, values, NULL) == 0)
		return NULL;
	*revisions = DatumGetInt32(plan_value(1, INT4OID, &isnull));
	position = DatumGetInt64(plan_value(2, INT8OID, &isnull));
	SPI_freetuptable(SPI_tuptable);
	if (!log_find_position(position, &event))
		elog(ERROR, "event of a valuation is not in the log");
	return event.payload;
}

bool
valuations_agree(const Jsonb *a, const Jsonb *b)
{
	static const char *const objects[] = {"values", "stale"};
	static const char *const figures[] = {"capital_cash", "liabilities", "total_supply"};
	int			i;

	for (i = 0; i < lengthof(objects); i++)
		if (compareJsonbContainers(&json_json(a, objects[i])->root,
								   &json_json(b, objects[i])->root) != 0)
			return false;
	for (i = 0; i < lengthof(figures); i++)
		if (num_cmp(json_numeric(a, figures[i]), json_numeric(b, figures[i])) != 0)
			return false;
	return true;
}

static bool
has_struck(const Jsonb *payload)
{
	JsonbValue *struck = json_find(payload, "struck");

	return struck == NULL || struck->val.boolean;
}

static void
put_figures(JsonObject *object, const Valuation *v)
{
	Numeric		nav = num_sub(num_add(v->state.capital_cash, v->found.total),
							  v->state.liabilities);

	json_put_json(object, "values", v->found.values);
	json_put_json(object, "sources", v->found.sources);
	json_put_json(object, "stale", v->found.stale);
	json_put_numeric(object, "asset_value", v->found.total);
	json_put_numeric(object, "capital_cash", v->state.capital_cash);
	json_put_numeric(object, "liabilities", v->state.liabilities);
	json_put_numeric(object, "nav", nav);
	json_put_numeric(object, "total_supply", v->state.total_supply);
	json_put_numeric(object, "base_price", strike_price(&v->state, nav));
}

void
valuation_put(JsonObject *object, const Valuation *v)
{
	put_figures(object, v);
	json_put_int64(object, "revision", v->revisions + 1);
	json_put_moment(object, "as_of", v->end);
	json_put_bool(object, "struck", v->strikes);
}

void
valuation_find(Valuation *v, Row *fund, DateADT day, TimestampTz end, bool strikes)
{
	v->day = day;
	v->end = end;
	v->strikes = strikes;
	fund_state_at(&v->state, fund, end - 1);
	find_values(&v->found, fund, day, end, strikes);
	v->known = latest_revision(row_int64(fund, FUND_ID), day, &v->revisions);
}

bool
valuation_is_known(const Valuation *v)
{
	JsonObject	figures;

	if (v->known == NULL)
		return false;
	json_begin(&figures);
	put_figures(&figures, v);
	return valuations_agree(v->known, json_end(&figures));
}

/*
 * One fund
 */

static DateADT
valuation_day(Command *cmd, Row *fund)
{
	if (!cmd->fcinfo->args[1].isnull)
		return arg_date(cmd->fcinfo, 1, "valuation_date");
	return day_of(command_moment(cmd), row_text(fund, FUND_TIME_ZONE)) - 1;
}

static void
check_day(Command *cmd, Row *fund, DateADT day, TimestampTz end)
{
	if (end > cmd->effective_at)
		ereport(ERROR,
				(errcode(ERRCODE_EFFECTIVE_IN_FUTURE),
				 errmsg("the day to be valued has not ended"),
				 errdetail("%s ends at %s in zone %s.", date_text(day),
						   timestamptz_to_str(end), row_text(fund, FUND_TIME_ZONE)),
				 errhint("Leave valuation_date out to value yesterday.")));
	if (end <= row_time(fund, FUND_CREATED_AT))
		invalid_argument("valuation_date is before the fund was created",
						 psprintf("Fund " INT64_FORMAT " was created at %s.",
								  row_int64(fund, FUND_ID),
								  timestamptz_to_str(row_time(fund, FUND_CREATED_AT))),
						 "Give that day or a later one.");
	if (!fund->nulls[FUND_CLOSED_THROUGH] && day <= row_date(fund, FUND_CLOSED_THROUGH))
		period_closed(fund, psprintf("valuation_date is %s.", date_text(day)));
}

/*
 * Values a fund; returns the status, with the figures in cmd->payload.  One of
 * many that was not there yet when the day ended has none: NULL.
 */
static const char *
value_fund(Command *cmd, int64 fund_id, bool one_of_many)
{
	Row		   *fund = command_lock_fund(cmd, fund_id);
	DateADT		day = 0;
	TimestampTz end;
	Valuation	v;

	json_put_int64(&cmd->arguments, "fund_id", fund_id);
	if (fund != NULL)
		json_put_date(&cmd->arguments, "valuation_date", day = valuation_day(cmd, fund));
	if (command_replayed(cmd, "FundValued"))
		return json_int64(cmd->payload, "revision") == 1 ? "valued" : "revised";

	require_open(require_fund(fund, fund_id));
	end = day_end(day, row_text(fund, FUND_TIME_ZONE));
	if (one_of_many && end <= row_time(fund, FUND_CREATED_AT))
		return NULL;
	command_check_time(cmd, fund);
	check_day(cmd, fund, day, end);
	command_expect(cmd, fund_stream(fund_id));
	valuation_find(&v, fund, day, end,
				   valuation_may_strike(fund, day, end, cmd->effective_at));
	if (valuation_is_known(&v) && (has_struck(v.known) || !v.strikes))
	{
		cmd->payload = v.known;
		return "unchanged";
	}
	valuation_put(&cmd->figures, &v);
	command_append(cmd, fund_stream(fund_id), "FundValued");
	return v.revisions == 0 ? "valued" : "revised";
}

/*
 * Results
 */

void
valuation_result(ReturnSetInfo *rsinfo, int64 fund_id, const Jsonb *payload, const char *status)
{
	static const char *const figures[] =
	{"asset_value", "capital_cash", "liabilities", "nav", "total_supply", "base_price"};
	Datum		values[10];
	bool		nulls[10];
	int			i;

	memset(nulls, payload == NULL, sizeof(nulls));
	values[0] = Int64GetDatum(fund_id);
	values[9] = CStringGetTextDatum(status);
	nulls[0] = nulls[9] = false;
	if (payload != NULL)
	{
		values[1] = DateADTGetDatum(json_date(payload, "valuation_date"));
		for (i = 0; i < lengthof(figures); i++)
			values[2 + i] = NumericGetDatum(json_numeric(payload, figures[i]));
		values[8] = Int32GetDatum(JB_ROOT_COUNT(json_json(payload, "stale")));
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
value_one(FunctionCallInfo fcinfo, int64 fund_id, bool one_of_many)
{
	Command		cmd;
	const char *status;

	command_begin(&cmd, fcinfo);
	command_options(&cmd, 2);
	status = value_fund(&cmd, fund_id, one_of_many);
	command_end(&cmd);
	if (status != NULL)
		valuation_result((ReturnSetInfo *) fcinfo->resultinfo, fund_id, cmd.payload, status);
}

/*
 * All funds
 */

static int64 *
all_funds(uint64 *count)
{
	static KeptPlan select = PLAN("select fund_id from fundes.fund where status = 'open' order by fund_id");
	int64	   *funds;
	uint64		i;
	Owner		owner;

	owner_begin(&owner);
	*count = plan_fresh(&select, NULL, NULL);
	append_begin(*count);
	funds = palloc(sizeof(int64) * Max(*count, 1));
	for (i = 0; i < *count; i++)
	{
		bool		isnull;

		funds[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
											   SPI_tuptable->tupdesc, 1, &isnull));
	}
	owner_end(&owner);
	return funds;
}

/* One fund's trouble is its status and a warning; the others go on. */
static void
value_in_subtransaction(FunctionCallInfo fcinfo, int64 fund_id)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner resources = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		value_one(fcinfo, fund_id, true);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = resources;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = resources;

		/* who cancels means all of it */
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
			ReThrowError(error);
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("fund " INT64_FORMAT " could not be valued: %s",
						fund_id, error->message),
				 error->detail ? errdetail("%s", error->detail) : 0,
				 error->hint ? errhint("%s", error->hint) : 0));
		valuation_result((ReturnSetInfo *) fcinfo->resultinfo, fund_id, NULL,
				   psprintf("error: %s %s", unpack_sql_state(error->sqlerrcode),
							error->message));
		FreeErrorData(error);
	}
	PG_END_TRY();
}

FUNDES_FUNCTION(fundes_update_mcp_asset_value);

Datum
fundes_update_mcp_asset_value(PG_FUNCTION_ARGS)
{
	MemoryContext work;
	MemoryContext old;
	int64	   *funds;
	uint64		n;
	uint64		i;

	if (!PG_ARGISNULL(1))
		(void) arg_date(fcinfo, 1, "valuation_date");
	if (PG_ARGISNULL(0) && (!PG_ARGISNULL(3) || !PG_ARGISNULL(4)))
		invalid_argument("event_id and expected_version need fund_id",
						 "They are of one event, and every fund has one.",
						 "Give fund_id, or leave them out.");

	InitMaterializedSRF(fcinfo, 0);
	if (!PG_ARGISNULL(0))
	{
		value_one(fcinfo, PG_GETARG_INT64(0), false);
		return (Datum) 0;
	}

	funds = all_funds(&n);
	work = AllocSetContextCreate(CurrentMemoryContext, "fundes valuation",
								 ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	for (i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		value_in_subtransaction(fcinfo, funds[i]);
		MemoryContextReset(work);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	return (Datum) 0;
}
