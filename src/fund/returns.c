/*-------------------------------------------------------------------------
 *
 * returns.c
 *	  What was earned: fund_pnl, investor_statement, twr, xirr.
 *
 *	  The price of a day is the last one that was struck for it or before: by a
 *	  valuation of that day, whenever it was made, or by anything that was
 *	  effective before the day's end.  Prices are struck in the same order by
 *	  position, by effective_at and by the day that they are for.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "fund/calendar.h"
#include "fund/command.h"
#include "fund/money.h"
#include "fund/rate.h"
#include "plan.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#define RETURN_SCALE 10			/* decimals of a return, see chain_return() too */
#define DAYS_A_YEAR 365.0
#define MAX_GROWTH 2302.5850929940457	/* ln(10^1000) */

/*
 * Arguments
 */

static void
check_period(DateADT from_date, DateADT to_date)
{
	if (to_date < from_date)
		invalid_argument("to_date must not be before from_date",
						 psprintf("They are %s and %s.",
								  date_text(from_date), date_text(to_date)),
						 "Give the first and the last day of the period; they may be the same.");
}

/* The fund's zone; else UF002. */
static char *
zone_of_fund(int64 fund_id)
{
	static KeptPlan select = PLAN("select time_zone from fundes.fund where fund_id = $1",
								  INT8OID);
	Datum		key = Int64GetDatum(fund_id);
	bool		isnull;

	if (plan_read(&select, &key, NULL) == 0)
		(void) require_fund(NULL, fund_id);
	return TextDatumGetCString(plan_value(1, TEXTOID, &isnull));
}

static void
require_known_investor(Datum investor_id)
{
	static KeptPlan select = PLAN("select from fundes.investor where investor_id = $1", TEXTOID);

	if (plan_read(&select, &investor_id, NULL) == 0)
		investor_not_found(TextDatumGetCString(investor_id));
}

static DestReceiver *
result_rows(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DestReceiver *dest;

	InitMaterializedSRF(fcinfo, 0);
	dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(dest, rsinfo->setResult, CurrentMemoryContext,
									false, NULL, NULL);
	return dest;
}

/* A value of any row of the last result. */
static Datum
value_at(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

static Numeric
numeric_at(uint64 row, int column)
{
	bool		isnull;
	Datum		value = value_at(row, column, &isnull);

	return isnull ? num_int(0) : DatumGetNumericCopy(value);
}

/*
 * Profit
 */

FUNDES_FUNCTION(fundes_fund_pnl);

Datum
fundes_fund_pnl(PG_FUNCTION_ARGS)
{
	/*
	 * $2 and $3 are the days before the period and its last, $4 and $5 the
	 * moments at which they ended.  What valuations of those days added then or
	 * later is part of the days' values.
	 */
	static KeptPlan select = PLAN(
		"select (opening).nav, subscriptions, redemptions, realised, unrealised, royalties, fees,"
		"       realised + unrealised + royalties - fees, distributed, (closing).nav"
		"  from (select o as opening, c as closing,"
		"               c.subscriptions - o.subscriptions as subscriptions,"
		"               c.redemptions - o.redemptions as redemptions,"
		"               c.realised - o.realised as realised,"
		"               c.unrealised - o.unrealised as unrealised,"
		"               c.royalties - o.royalties as royalties,"
		"               c.fees - o.fees as fees,"
		"               c.distributed - o.distributed as distributed"
		"          from fundes.figures_of_day($1, $2, $4) o, fundes.figures_of_day($1, $3, $5) c) f",
		INT8OID, DATEOID, DATEOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	DateADT		from_date = arg_date(fcinfo, 1, "from_date");
	DateADT		to_date = arg_date(fcinfo, 2, "to_date");
	DestReceiver *dest;
	Datum		values[5];
	char	   *zone;
	Owner		owner;

	check_period(from_date, to_date);
	dest = result_rows(fcinfo);
	owner_begin(&owner);
	zone = zone_of_fund(fund_id);
	values[0] = Int64GetDatum(fund_id);
	values[1] = DateADTGetDatum(from_date - 1);
	values[2] = DateADTGetDatum(to_date);
	values[3] = TimestampTzGetDatum(day_end(from_date - 1, zone));
	values[4] = TimestampTzGetDatum(day_end(to_date, zone));
	plan_into(&select, values, NULL, dest);
	owner_end(&owner);
	dest->rDestroy(dest);
	return (Datum) 0;
}

/*
 * Statements
 */

/*
 * The rows of one fund, where there was anything in the period.  What only moves
 * cost, as a withdrawal in the past does that relieves some of it later, is none.
 */
static void
state_holding(Datum investor_id, int64 fund_id, char *zone,
			  DateADT from_date, DateADT to_date, DestReceiver *dest)
{
	static KeptPlan select = PLAN(
		"with move as ("
		"  select e.effective_at, e.last_position,"
		"         case v.type when 'EventReversed' then 'reversal of ' || (v.payload ->> 'reversed_type')"
		"                     else v.type end as type,"
		"         v.event_id, e.units,"
		"         e.investment_amount, e.withdrawn_amount, e.distributions,"
		"         sum(coalesce(e.units, 0)) over (order by e.effective_at, e.last_position) as held"
		"    from fundes.holding_entry e"
		"    join fundes.event_log v on v.position = e.last_position"
		"   where e.fund_id = $2 and e.investor_id = $1 and e.effective_at < $6"
		"     and num_nonnulls(e.units, e.investment_amount, e.withdrawn_amount, e.distributions) > 0),"
		" edge as ("
		"  select $4 as at, 'opening' as entry, 1 as rank, (fundes.strike_of_day($2, $3, $4)).base_price as price,"
		"         coalesce(sum(units) filter (where effective_at < $4), 0) as held from move"
		"  union all"
		"  select $6, 'closing', 3, (fundes.strike_of_day($2, $5, $6)).base_price, coalesce(sum(units), 0) from move)"
		" select $2, f.currency, s.at, s.entry, s.event_id, s.units, s.price, s.paid_in, s.paid_out,"
		"        s.held, trunc(s.held * s.price, f.cash_scale)"
		"   from fundes.fund f,"
		"        (select at, entry, rank, null::bigint as last_position, null::uuid as event_id,"
		"                null::numeric as units, price, null::numeric as paid_in,"
		"                null::numeric as paid_out, held"
		"           from edge"
		"         union all"
		"         select m.effective_at, m.type, 2, m.last_position, m.event_id, m.units, p.base_price,"
		"                m.investment_amount,"
		"                coalesce(m.withdrawn_amount + m.distributions, m.withdrawn_amount, m.distributions),"
		"                m.held"
		"           from move m,"
		"                lateral (select base_price from fundes.fund_entry"
		"                          where fund_id = $2 and base_price is not null"
		"                            and effective_at <= m.effective_at"
		"                          order by effective_at desc, last_position desc limit 1) p"
		"          where m.effective_at >= $4) s"
		"  where f.fund_id = $2"
		"    and (exists (select from edge where held <> 0)"
		"         or exists (select from move where effective_at >= $4))"
		"  order by s.rank, s.at, s.last_position",
		TEXTOID, INT8OID, DATEOID, TIMESTAMPTZOID, DATEOID, TIMESTAMPTZOID);
	Datum		values[6];

	values[0] = investor_id;
	values[1] = Int64GetDatum(fund_id);
	values[2] = DateADTGetDatum(from_date - 1);
	values[3] = TimestampTzGetDatum(day_end(from_date - 1, zone));
	values[4] = DateADTGetDatum(to_date);
	values[5] = TimestampTzGetDatum(day_end(to_date, zone));
	plan_into(&select, values, NULL, dest);
}

FUNDES_FUNCTION(fundes_investor_statement);

Datum
fundes_investor_statement(PG_FUNCTION_ARGS)
{
	static KeptPlan funds = PLAN(
		"select i.fund_id, f.time_zone from fundes.investment i join fundes.fund f using (fund_id)"
		" where i.investor_id = $1 order by i.fund_id",
		TEXTOID);
	DateADT		from_date;
	DateADT		to_date;
	DestReceiver *dest;
	SPITupleTable *found;
	Datum		investor_id;
	Owner		owner;
	uint64		count;
	uint64		i;

	REQUIRE_ARG(0, "investor_id");
	investor_id = PG_GETARG_DATUM(0);
	from_date = arg_date(fcinfo, 1, "from_date");
	to_date = arg_date(fcinfo, 2, "to_date");
	check_period(from_date, to_date);
	dest = result_rows(fcinfo);
	owner_begin(&owner);
	require_known_investor(investor_id);
	count = plan_read(&funds, &investor_id, NULL);
	found = SPI_tuptable;
	for (i = 0; i < count; i++)
	{
		bool		isnull;
		Datum		fund_id = SPI_getbinval(found->vals[i], found->tupdesc, 1, &isnull);
		Datum		zone = SPI_getbinval(found->vals[i], found->tupdesc, 2, &isnull);

		state_holding(investor_id, DatumGetInt64(fund_id), TextDatumGetCString(zone),
					  from_date, to_date, dest);
	}
	owner_end(&owner);
	dest->rDestroy(dest);
	return (Datum) 0;
}

/*
 * Time-weighted return
 */

typedef struct Chain
{
	Numeric		above;			/* products, to be divided once */
	Numeric		below;
	Numeric		start;			/* the price at which the current link begins */
	bool		is_first;
	bool		is_broken;		/* something divided by 0 */
} Chain;

/* Ends the current link at a price, and begins the next at another. */
static void
link_chain(Chain *chain, Numeric end, Numeric next)
{
	if (num_sign(chain->start) > 0)
	{
		chain->above = num_mul(chain->above, end);
		chain->below = num_mul(chain->below, chain->start);
	}
	else if (num_sign(end) > 0 || chain->is_first)
		chain->is_broken = true;
	chain->is_first = false;
	chain->start = next;
}

/* Takes back that a price had counted as another one. */
static void
scale_chain(Chain *chain, Numeric to, Numeric from)
{
	if (num_sign(to) == 0)
	{
		chain->is_broken = true;
		return;
	}
	chain->above = num_mul(chain->above, to);
	chain->below = num_mul(chain->below, from);
}

/* above / below - 1, half up. */
static Numeric
chain_return(const Chain *chain)
{
	Numeric		two = num_int(2);
	Numeric		unit = num_int(INT64CONST(10000000000));
	Numeric		doubled = num_add(num_mul(num_mul(chain->above, unit), two), chain->below);
	Numeric		growth = num_div_floor(doubled, num_mul(chain->below, two), 0);
	Numeric		smallest = DatumGetNumeric(DirectFunctionCall3(numeric_in,
															   CStringGetDatum("0.0000000001"),
															   ObjectIdGetDatum(InvalidOid),
															   Int32GetDatum(-1)));

	return num_sub(num_mul(growth, smallest), num_int(1));
}

/*
 * Where links end: at the price before it, or at the ex price and what was
 * given a unit.  A declaration that was reversed in the period gave nothing;
 * where it was declared before the period, the reversal takes back what it
 * gave then: columns 3 and 4, the ex price, and that with what was given.
 */
static KeptPlan twr_links = PLAN(
	"with first as ("
	"  select effective_at, last_position from fundes.strike_of_day($1, $2, $3)"
	"   where last_position is not null"
	"  union all"
	"  select '-infinity', 0 where (fundes.strike_of_day($1, $2, $3)).last_position is null),"
	"     last as (select * from fundes.strike_of_day($1, $4, $5)),"
	"     reversed as ("
	"  select s.last_position, s.base_price, d.per_unit, s.effective_at < $3 as before,"
	"         u.effective_at, u.position"
	"    from fundes.distribution d"
	"    join fundes.event u on u.position = d.last_position"
	"    join fundes.fund_entry s on s.fund_id = d.fund_id and s.base_price is not null"
	"     and s.last_position = (u.payload ->> 'reversed_position')::bigint"
	"   where d.fund_id = $1 and d.status = 'reversed'"
	"     and u.effective_at >= $3 and u.effective_at < $5),"
	"     strike as ("
	"  select e.effective_at, e.last_position, e.base_price,"
	"         lag(e.base_price) over (order by e.effective_at, e.last_position) as before"
	"    from fundes.fund_entry e, first f, last l"
	"   where e.fund_id = $1 and e.base_price is not null"
	"     and (e.effective_at, e.last_position) >= (f.effective_at, f.last_position)"
	"     and (e.effective_at, e.last_position) <= (l.effective_at, l.last_position))"
	" select case when t.name = 'DistributionDeclared'"
	"             then s.base_price + (v.payload ->> 'per_unit')::numeric"
	"             else s.before end,"
	"        s.base_price, null::numeric, null::numeric, s.effective_at, s.last_position"
	"   from strike s"
	"   join fundes.event v on v.position = s.last_position"
	"   join fundes.event_type t using (type_id)"
	"  where s.before is not null"
	"    and case t.name"
	"          when 'DistributionDeclared' then not exists ("
	"            select from reversed r where r.last_position = s.last_position)"
	"          when 'InvestmentCreated' then true"
	"          when 'FundValued' then (v.payload ->> 'total_supply')::numeric = 0"
	"        end"
	" union all"
	" select null, null, base_price, base_price + per_unit, effective_at, position"
	"   from reversed where before"
	"  order by 5, 6",
	INT8OID, DATEOID, TIMESTAMPTZOID, DATEOID, TIMESTAMPTZOID);

FUNDES_FUNCTION(fundes_twr);

Datum
fundes_twr(PG_FUNCTION_ARGS)
{
	static KeptPlan ends = PLAN(
		"select coalesce((fundes.strike_of_day($1, $2, $3)).base_price,"
		"                (select initial_price from fundes.fund where fund_id = $1)),"
		"       (fundes.strike_of_day($1, $4, $5)).base_price",
		INT8OID, DATEOID, TIMESTAMPTZOID, DATEOID, TIMESTAMPTZOID);
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	DateADT		from_date = arg_date(fcinfo, 1, "from_date");
	DateADT		to_date = arg_date(fcinfo, 2, "to_date");
	Chain		chain = {num_int(1), num_int(1), NULL, true, false};
	Datum		values[5];
	Datum		last = (Datum) 0;
	bool		no_price;
	char	   *zone;
	Owner		owner;

	check_period(from_date, to_date);
	owner_begin(&owner);
	zone = zone_of_fund(fund_id);
	values[0] = Int64GetDatum(fund_id);
	values[1] = DateADTGetDatum(from_date - 1);
	values[2] = TimestampTzGetDatum(day_end(from_date - 1, zone));
	values[3] = DateADTGetDatum(to_date);
	values[4] = TimestampTzGetDatum(day_end(to_date, zone));
	(void) plan_read(&ends, values, NULL);
	last = plan_value(2, NUMERICOID, &no_price);
	if (!no_price)
	{
		uint64		count;
		uint64		i;

		chain.start = numeric_at(0, 1);
		count = plan_read(&twr_links, values, NULL);
		for (i = 0; i < count; i++)
		{
			bool		is_link;

			(void) value_at(i, 3, &is_link);
			if (is_link)
				link_chain(&chain, numeric_at(i, 1), numeric_at(i, 2));
			else
				scale_chain(&chain, numeric_at(i, 3), numeric_at(i, 4));
		}
		link_chain(&chain, DatumGetNumeric(last), NULL);
	}
	owner_end(&owner);
	if (no_price || chain.is_broken)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(chain_return(&chain));
}

/*
 * Money-weighted return
 */

/*
 * What an investor paid and received on each day, and last what the holding
 * is worth.
 */
static int
payments_of(Datum investor_id, int64 fund_id, DateADT as_of, Payment **payments)
{
	static KeptPlan select = PLAN(
		"with move as ("
		"  select (e.effective_at at time zone f.time_zone)::date as day,"
		"         coalesce(e.withdrawn_amount, 0) + coalesce(e.distributions, 0)"
		"           - coalesce(e.investment_amount, 0) as amount,"
		"         e.units"
		"    from fundes.holding_entry e join fundes.fund f using (fund_id)"
		"   where e.fund_id = $1 and e.investor_id = $2 and e.effective_at < $4)"
		" select (day - min(day) over ())::double precision, sum(amount)::double precision"
		"   from (select day, amount from move"
		"         union all"
		"         select $3, trunc(sum(units) * (fundes.strike_of_day($1, $3, $4)).base_price,"
		"                          (select cash_scale from fundes.fund where fund_id = $1))"
		"           from move) p"
		"  group by day having sum(amount) <> 0 order by day",
		INT8OID, TEXTOID, DATEOID, TIMESTAMPTZOID);
	Datum		values[4];
	uint64		count;
	uint64		i;

	values[0] = Int64GetDatum(fund_id);
	values[1] = investor_id;
	values[2] = DateADTGetDatum(as_of);
	values[3] = TimestampTzGetDatum(day_end(as_of, zone_of_fund(fund_id)));
	count = plan_read(&select, values, NULL);
	*payments = palloc(sizeof(Payment) * (count + 1));
	for (i = 0; i < count; i++)
	{
		bool		isnull;

		(*payments)[i].years = DatumGetFloat8(value_at(i, 1, &isnull)) / DAYS_A_YEAR;
		(*payments)[i].amount = DatumGetFloat8(value_at(i, 2, &isnull));
	}
	return count;
}

/* exp(growth) - 1, to as many decimals as returns have. */
static Numeric
rate_of(double growth)
{
	Numeric		exponent = DatumGetNumeric(DirectFunctionCall1(float8_numeric,
															   Float8GetDatum(growth)));
	Numeric		factor = DatumGetNumeric(DirectFunctionCall1(numeric_exp,
															 NumericGetDatum(exponent)));

	return DatumGetNumeric(DirectFunctionCall2(numeric_round,
											   NumericGetDatum(num_sub(factor, num_int(1))),
											   Int32GetDatum(RETURN_SCALE)));
}

FUNDES_FUNCTION(fundes_xirr);

Datum
fundes_xirr(PG_FUNCTION_ARGS)
{
	Datum		investor_id;
	int64		fund_id;
	DateADT		as_of;
	Payment    *payments;
	double		growth = 0;
	bool		found;
	int			count;
	Owner		owner;

	REQUIRE_ARG(0, "investor_id");
	investor_id = PG_GETARG_DATUM(0);
	fund_id = arg_int64(fcinfo, 1, "fund_id");
	as_of = arg_date(fcinfo, 2, "as_of");
	owner_begin(&owner);
	require_known_investor(investor_id);
	count = payments_of(investor_id, fund_id, as_of, &payments);
	owner_end(&owner);
	found = find_rate(payments, count, &growth);
	if (!found || growth >= MAX_GROWTH)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(rate_of(growth));
}
