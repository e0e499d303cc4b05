/*-------------------------------------------------------------------------
 *
 * quote.c
 *	  Quotes of copyrights: record_mcp_price, get_mcp_index,
 *	  get_mcp_price_by_index.
 *
 *	  Quotes are not events: they come from outside and may be mended.  The
 *	  values that a valuation found go into its event.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/calendar.h"
#include "fund/command.h"
#include "fund/money.h"
#include "fund/quote.h"
#include "plan.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* Columns of fundes.mcp_price, from 1. */
enum
{
	PRICE_DATE = 4, PRICE_PRICE
};

/* What names a copyright, from the function's first three arguments. */
static void
take_copyright(FunctionCallInfo fcinfo, Datum *copyright)
{
	static const char *const names[] = {"copyright_code", "registration_number", "music_id"};
	int			i;

	for (i = 0; i < lengthof(names); i++)
	{
		REQUIRE_ARG(i, names[i]);
		copyright[i] = PG_GETARG_DATUM(i);
	}
}

/* A day that has begun nowhere yet has no quote. */
static DateADT
past_day(FunctionCallInfo fcinfo, int arg, const char *name)
{
	DateADT		day = arg_date(fcinfo, arg, name);
	DateADT		last = day_of(GetCurrentTimestamp(), "UTC") + 1;

	if (day > last)
		invalid_argument(psprintf("%s is in the future", name),
						 psprintf("It is %s, after %s.", date_text(day), date_text(last)),
						 "Give the day that the price is of.");
	return day;
}

FUNDES_FUNCTION(fundes_record_mcp_price);

Datum
fundes_record_mcp_price(PG_FUNCTION_ARGS)
{
	static KeptPlan upsert = PLAN(
		"insert into fundes.mcp_price as p values ($1, $2, $3, $4, $5, clock_timestamp())"
		" on conflict (copyright_code, registration_number, music_id, price_date)"
		" do update set price = excluded.price, recorded_at = excluded.recorded_at"
		" where p.price <> excluded.price",
		TEXTOID, TEXTOID, TEXTOID, DATEOID, NUMERICOID);
	static const char *const names[] =
	{"copyright_code", "registration_number", "music_id", "price_date", "price"};
	Datum		values[5];
	Numeric		price;
	Owner		owner;
	int			i;

	for (i = 0; i < lengthof(names); i++)
		REQUIRE_ARG(i, names[i]);
	price = checked_amount(PG_GETARG_NUMERIC(4), QUANTITY_PRICE, true, "price");
	values[4] = NumericGetDatum(at_scale(price, PRICE_SCALE, "price"));
	for (i = 0; i < 3; i++)
		values[i] = CStringGetTextDatum(arg_key(fcinfo, i, names[i]));
	values[3] = DateADTGetDatum(past_day(fcinfo, 3, names[3]));

	owner_begin(&owner);
	(void) plan_write(&upsert, values, NULL);
	owner_end(&owner);
	PG_RETURN_VOID();
}

static Datum
max_quote_age(void)
{
	return DirectFunctionCall3(interval_in, CStringGetDatum(fundes_max_quote_age),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

void
quotes_begin(QuoteReader *reader, DateADT day)
{
	reader->day = day;
	reader->oldest = DatumGetTimestamp(DirectFunctionCall2(date_mi_interval,
														   DateADTGetDatum(day),
														   max_quote_age()));
	reader->begun = false;
}

bool
quotes_find(QuoteReader *reader, const Datum *copyright, DateADT *date, Numeric *price)
{
	Probe	   *probe = &reader->probe;
	bool		found;
	int			i;

	if (reader->begun)
	{
		for (i = 0; i < 3; i++)
			probe->keys[i].sk_argument = copyright[i];
		found = probe_again(probe, BackwardScanDirection);
	}
	else
	{
		probe->nkeys = 0;
		for (i = 0; i < 3; i++)
			probe_key(probe, TEXTOID, copyright[i]);
		probe_key_until_day(probe, reader->day);
		found = probe_begin_active(probe, fundes_relation("mcp_price"), "mcp_price_pkey",
								   BackwardScanDirection);
		reader->begun = true;
	}
	if (!found)
		return false;
	*date = DatumGetDateADT(probe_value(probe, PRICE_DATE));
	*price = DatumGetNumericCopy(probe_value(probe, PRICE_PRICE));
	return date_cmp_timestamp_internal(*date, reader->oldest) >= 0;
}

void
quotes_end(QuoteReader *reader)
{
	if (reader->begun)
		probe_end(&reader->probe);
}

FUNDES_FUNCTION(fundes_get_mcp_index);

Datum
fundes_get_mcp_index(PG_FUNCTION_ARGS)
{
	QuoteReader reader;
	Datum		copyright[3];
	DateADT		date;
	Numeric		price;
	bool		found;

	take_copyright(fcinfo, copyright);
	quotes_begin(&reader, arg_date(fcinfo, 3, "as_of"));
	found = quotes_find(&reader, copyright, &date, &price);
	quotes_end(&reader);
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(price);
}

/* The copyright as it was last bought by the day; a level counts as a quote does. */
#define BOUGHT(condition) \
	"select cost_cash, acquisition_date, asset_id from fundes.mcp" \
	" where (copyright_code, registration_number, music_id) = ($1, $2, $3)" \
	"   and acquisition_date <= $4 and " condition
#define LEVEL(day) \
	"(select level from fundes.market_index" \
	"  where index_name = $6 and index_date <= " day " and index_date >= " day " - $5" \
	"  order by index_date desc limit 1)"

FUNDES_FUNCTION(fundes_get_mcp_price_by_index);

/* Of the quotient 8 decimals, floor: so rounding it half up to a coin is exact. */
Datum
fundes_get_mcp_price_by_index(PG_FUNCTION_ARGS)
{
	static KeptPlan select = PLAN(
		"select coalesce(fundes.get_mcp_index($1, $2, $3, $4), (select"
		"  div(cost_cash * " LEVEL("$4") " * 100000000, " LEVEL("acquisition_date") ") * 0.00000001"
		"  from (" BOUGHT("sold_at is null and not reversed")
		"        union all " BOUGHT("sold_at is not null") ") bought"
		"  order by acquisition_date desc, asset_id desc limit 1))",
		TEXTOID, TEXTOID, TEXTOID, DATEOID, INTERVALOID, TEXTOID);
	Datum		values[6];
	Datum		price = (Datum) 0;
	bool		isnull = true;
	Owner		owner;

	take_copyright(fcinfo, values);
	values[3] = DateADTGetDatum(arg_date(fcinfo, 3, "as_of"));
	values[4] = max_quote_age();
	values[5] = CStringGetTextDatum(fundes_price_index);

	owner_begin(&owner);
	if (plan_read(&select, values, NULL) > 0)
		price = plan_value(1, NUMERICOID, &isnull);
	owner_end(&owner);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(price);
}
