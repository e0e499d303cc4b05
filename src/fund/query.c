/*-------------------------------------------------------------------------
 *
 * query.c
 *	  Questions about funds and investors, now and as of any moment.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/htup_details.h"
#include "args.h"
#include "catalog/pg_type.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "fund/calendar.h"
#include "fund/command.h"
#include "fund/fund_state.h"
#include "fund/money.h"
#include "fund/timeline.h"
#include "plan.h"
#include "probe.h"

/* A figure of the fund that the argument names, by the statement; else UF002. */
static Datum
figure_of_fund(FunctionCallInfo fcinfo, KeptPlan *select)
{
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	Datum		key = Int64GetDatum(fund_id);
	Datum		value;
	bool		isnull;
	Owner		owner;

	owner_begin(&owner);
	if (plan_read(select, &key, NULL) == 0)
		(void) require_fund(NULL, fund_id);
	value = plan_value(1, NUMERICOID, &isnull);
	owner_end(&owner);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

FUNDES_FUNCTION(fundes_compute_fund_value);

Datum
fundes_compute_fund_value(PG_FUNCTION_ARGS)
{
	static KeptPlan select = PLAN("select accumulated_purchase_value - accumulated_sold_value"
								  "  from fundes.fund where fund_id = $1",
								  INT8OID);

	return figure_of_fund(fcinfo, &select);
}

/*
 * As of any moment
 */

/* What the functions that ask for a moment have in common. */
typedef struct Question
{
	int64		fund_id;
	TimestampTz as_of;
	TimestampTz known_at;
	int64		known_position;
	Numeric		figures[MAX_FIGURES];
} Question;

/* The arguments fund_id, as_of and known_at stand from the first given on. */
static void
ask(Question *q, FunctionCallInfo fcinfo, int first)
{
	q->fund_id = arg_int64(fcinfo, first, "fund_id");
	REQUIRE_ARG(first + 1, "as_of");
	REQUIRE_ARG(first + 2, "known_at");
	q->as_of = PG_GETARG_TIMESTAMPTZ(first + 1);
	q->known_at = PG_GETARG_TIMESTAMPTZ(first + 2);
}

static inline Numeric
figure(const Question *q, int column)
{
	return q->figures[column - FIRST_FUND_FIGURE];
}

static Numeric
nav_of(const Question *q)
{
	return num_sub(num_add(figure(q, FUND_CAPITAL_CASH), figure(q, FUND_ASSET_VALUE)),
				   figure(q, FUND_LIABILITIES));
}

/* To be called as the owner. */
static void
find_figures(Question *q)
{
	Datum		key = Int64GetDatum(q->fund_id);
	Probe		probe = {.nkeys = 0};

	probe_key(&probe, INT8OID, key);
	if (!probe_begin_active(&probe, fundes_relation("fund"), "fund_pkey", ForwardScanDirection))
		(void) require_fund(NULL, q->fund_id);
	probe_end(&probe);
	q->known_position = timeline_known_position(q->fund_id, q->known_at);
	timeline_figures(FUND_TIMELINE, &key, q->as_of, q->known_position, q->figures);
}

FUNDES_FUNCTION(fundes_compute_fund_value_at);

Datum
fundes_compute_fund_value_at(PG_FUNCTION_ARGS)
{
	Question	q;
	Owner		owner;

	ask(&q, fcinfo, 0);
	owner_enter(&owner);
	find_figures(&q);
	owner_end(&owner);
	PG_RETURN_NUMERIC(num_sub(figure(&q, FUND_ACCUMULATED_PURCHASE_VALUE),
							  figure(&q, FUND_ACCUMULATED_SOLD_VALUE)));
}

FUNDES_FUNCTION(fundes_fund_nav);

Datum
fundes_fund_nav(PG_FUNCTION_ARGS)
{
	Question	q;
	Owner		owner;

	ask(&q, fcinfo, 0);
	owner_enter(&owner);
	find_figures(&q);
	owner_end(&owner);
	PG_RETURN_NUMERIC(nav_of(&q));
}

/* What the fund's row has beside figures and price. */
typedef struct FundRow
{
	Datum		values[5];		/* name, status, currency, last_valuation_date, closed_through */
	bool		nulls[5];
} FundRow;

/*
 * A day that no valuation can be of which was made and recorded by then: where
 * to look from for the last one, so that later ones are not gone through.
 */
static DateADT
day_to_come(const Question *q)
{
	TimestampTz moment = Min(q->as_of, q->known_at);

	return TIMESTAMP_NOT_FINITE(moment) ? DATEVAL_NOEND : day_of(moment, "UTC") + 2;
}

/*
 * Prices are struck in one order: so the valuation is the last one that struck
 * a price up to the position of the price in force.
 */
static void
find_fund_row(FundRow *row, const Question *q, const FundPrice *price, bool has_price)
{
	static KeptPlan select = PLAN(
		"select f.name,"
		"       case when $6 then case when exists (select from fundes.closing c"
		"         where c.fund_id = $1 and c.ends_fund and c.effective_at <= $2"
		"           and c.last_position <= $3 and c.recorded_at <= $4) then 'closed' else 'open' end end,"
		"       f.currency,"
		"       (select v.valuation_date from fundes.valuation v"
		"         where v.fund_id = $1 and v.valuation_date <= $5 and v.struck and v.last_position <= $7"
		"         order by v.valuation_date desc, v.revision desc limit 1),"
		"       (select c.closed_through from fundes.closing c"
		"         where c.fund_id = $1 and not c.ends_fund and c.effective_at <= $2"
		"           and c.last_position <= $3 and c.recorded_at <= $4"
		"         order by c.last_position desc limit 1)"
		"  from fundes.fund f where f.fund_id = $1",
		INT8OID, TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID, DATEOID, BOOLOID, INT8OID);
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, DATEOID, DATEOID};
	Datum		values[7];
	int			i;

	values[0] = Int64GetDatum(q->fund_id);
	values[1] = TimestampTzGetDatum(q->as_of);
	values[2] = Int64GetDatum(q->known_position);
	values[3] = TimestampTzGetDatum(q->known_at);
	values[4] = DateADTGetDatum(day_to_come(q));
	values[5] = BoolGetDatum(has_price);
	values[6] = Int64GetDatum(has_price ? price->position : 0);
	(void) plan_read(&select, values, NULL);
	for (i = 0; i < lengthof(types); i++)
		row->values[i] = plan_value(i + 1, types[i], &row->nulls[i]);
	SPI_freetuptable(SPI_tuptable);
}

/* In the order of type fundes.fund_state. */
FUNDES_FUNCTION(fundes_fund_state_at);

Datum
fundes_fund_state_at(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[27];
	bool		nulls[27] = {0};
	Question	q;
	FundRow		row;
	FundPrice	price = {.no_date = true};
	bool		has_price;
	Numeric		nav;
	int			n = 0;
	int			i;
	Owner		owner;

	ask(&q, fcinfo, 0);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "result is not composite");
	owner_begin(&owner);
	find_figures(&q);
	has_price = fund_price_at(&price, q.fund_id, q.as_of, q.known_position);
	find_fund_row(&row, &q, &price, has_price);
	owner_end(&owner);

	nav = nav_of(&q);
	values[n++] = Int64GetDatum(q.fund_id);
	values[n++] = TimestampTzGetDatum(q.as_of);
	values[n++] = TimestampTzGetDatum(q.known_at);
	for (i = 0; i < 3; i++)
	{
		nulls[n] = row.nulls[i];
		values[n++] = row.values[i];
	}
	values[n++] = NumericGetDatum(nav);
	nulls[n] = num_sign(figure(&q, FUND_TOTAL_SUPPLY)) == 0;
	if (!nulls[n])
		values[n] = NumericGetDatum(num_price(nav, figure(&q, FUND_TOTAL_SUPPLY)));
	n++;
	nulls[n] = !has_price;
	values[n++] = NumericGetDatum(price.base_price);
	nulls[n] = price.no_date;
	values[n++] = DateADTGetDatum(price.date);
	for (i = 3; i < lengthof(row.values); i++)
	{
		nulls[n] = row.nulls[i];
		values[n++] = row.values[i];
	}
	/* gains of what is held: its value less what it cost */
	values[n++] = NumericGetDatum(num_sub(num_add(figure(&q, FUND_ASSET_VALUE),
												  figure(&q, FUND_ACCUMULATED_SOLD_VALUE)),
										  num_add(figure(&q, FUND_ACCUMULATED_PURCHASE_VALUE),
												  figure(&q, FUND_REALISED_GAIN))));
	for (i = FIRST_FUND_FIGURE; i <= LAST_FUND_FIGURE; i++)
		values[n++] = NumericGetDatum(figure(&q, i));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* In the order of type fundes.investment_state. */
FUNDES_FUNCTION(fundes_investment_value_at);

Datum
fundes_investment_value_at(PG_FUNCTION_ARGS)
{
	static KeptPlan exists = PLAN("select (select 1 from fundes.investor where investor_id = $1),"
								  "       (select cash_scale from fundes.fund where fund_id = $2)",
								  TEXTOID, INT8OID);
	TupleDesc	desc;
	Datum		keys[2];
	Datum		values[LAST_HOLDING_FIGURE - FIRST_HOLDING_FIGURE + 3];
	bool		nulls[lengthof(values)] = {0};
	Question	q;
	FundPrice	price;
	bool		isnull;
	int32		cash_scale;
	int			i;
	Owner		owner;

	REQUIRE_ARG(0, "investor_id");
	ask(&q, fcinfo, 1);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "result is not composite");
	owner_begin(&owner);
	keys[0] = PG_GETARG_DATUM(0);
	keys[1] = Int64GetDatum(q.fund_id);
	(void) plan_read(&exists, keys, NULL);
	(void) plan_value(1, INT4OID, &isnull);
	if (isnull)
		investor_not_found(TextDatumGetCString(keys[0]));
	cash_scale = DatumGetInt32(plan_value(2, INT4OID, &isnull));
	if (isnull)
		(void) require_fund(NULL, q.fund_id);
	q.known_position = timeline_known_position(q.fund_id, q.known_at);
	keys[0] = Int64GetDatum(q.fund_id);
	keys[1] = PG_GETARG_DATUM(0);
	timeline_figures(HOLDING_TIMELINE, keys, q.as_of, q.known_position, q.figures);
	nulls[0] = !fund_price_at(&price, q.fund_id, q.as_of, q.known_position);
	owner_end(&owner);

	nulls[1] = nulls[0];
	if (!nulls[0])
	{
		values[0] = NumericGetDatum(price.base_price);
		values[1] = NumericGetDatum(num_floor(num_mul(q.figures[0], price.base_price), cash_scale));
	}
	for (i = 0; i <= LAST_HOLDING_FIGURE - FIRST_HOLDING_FIGURE; i++)
		values[i + 2] = NumericGetDatum(q.figures[i]);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

FUNDES_FUNCTION(fundes_nav_per_unit);

Datum
fundes_nav_per_unit(PG_FUNCTION_ARGS)
{
	static KeptPlan select = PLAN("select nav_per_unit from fundes.fund_sheet where fund_id = $1",
								  INT8OID);

	return figure_of_fund(fcinfo, &select);
}

FUNDES_FUNCTION(fundes_get_investment_details);

Datum
fundes_get_investment_details(PG_FUNCTION_ARGS)
{
	static KeptPlan exists = PLAN("select 1 from fundes.investor where investor_id = $1", TEXTOID);
	static KeptPlan select = PLAN("select investment_amount, current_value, currency"
								  "  from fundes.investment_details where investor_id = $1"
								  " order by currency",
								  TEXTOID);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DestReceiver *dest;
	Datum		key;
	Owner		owner;

	REQUIRE_ARG(0, "investor_id");
	key = PG_GETARG_DATUM(0);
	InitMaterializedSRF(fcinfo, 0);
	dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(dest, rsinfo->setResult, CurrentMemoryContext,
									false, NULL, NULL);
	owner_begin(&owner);
	if (plan_read(&exists, &key, NULL) == 0)
		investor_not_found(TextDatumGetCString(key));
	plan_into(&select, &key, NULL, dest);
	owner_end(&owner);
	dest->rDestroy(dest);
	return (Datum) 0;
}
