/*-------------------------------------------------------------------------
 *
 * fund.c
 *	  Commands about a fund itself: create_fund, set_price_limits.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/calendar.h"
#include "fund/command.h"
#include "fund/fund_lock.h"
#include "fund/money.h"
#include "fund/streams.h"
#include "plan.h"
#include "utils/fmgrprotos.h"

static int32
arg_scale(FunctionCallInfo fcinfo, int arg, const char *name, int most)
{
	int32		value;

	REQUIRE_ARG(arg, name);
	value = PG_GETARG_INT32(arg);
	if (value < 0 || value > most)
		invalid_argument(psprintf("%s must be from 0 to %d", name, most),
						 psprintf("It is %d.", value),
						 "It is the number of decimals.");
	return value;
}

static char *
arg_currency(FunctionCallInfo fcinfo, int arg)
{
	char	   *value;

	REQUIRE_ARG(arg, "currency");
	value = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	if (strlen(value) != 3 || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
		invalid_argument("currency must be three capital letters",
						 psprintf("It is \"%s\".", value),
						 "Use the code of ISO 4217, such as KRW.");
	return value;
}

/* To be called under lock_new_fund(). */
static int64
next_fund_id(void)
{
	static KeptPlan select = PLAN("select coalesce(max(fund_id), 0) + 1 from fundes.fund");
	bool		isnull;

	(void) plan_fresh(&select, NULL, NULL);
	return DatumGetInt64(plan_value(1, INT8OID, &isnull));
}

FUNDES_FUNCTION(fundes_create_fund);

Datum
fundes_create_fund(PG_FUNCTION_ARGS)
{
	Command		cmd;
	char	   *name;
	Numeric		price;
	int32		cash_scale;
	int32		unit_scale;
	char	   *currency;
	const char *zone;

	int			i;
	static const char *const names[] =
	{"name", "initial_price", "cash_scale", "unit_scale", "currency", "time_zone"};

	for (i = 0; i < lengthof(names); i++)
		REQUIRE_ARG(i, names[i]);
	price = checked_amount(PG_GETARG_NUMERIC(1), QUANTITY_PRICE, false, "initial_price");
	price = at_scale(price, PRICE_SCALE, "initial_price");
	name = arg_text(fcinfo, 0, "name");
	cash_scale = arg_scale(fcinfo, 2, "cash_scale", 4);
	unit_scale = arg_scale(fcinfo, 3, "unit_scale", 6);
	currency = arg_currency(fcinfo, 4);
	zone = checked_zone(arg_text(fcinfo, 5, "time_zone"));

	command_begin(&cmd, fcinfo);
	command_options(&cmd, 6);
	json_put_string(&cmd.arguments, "name", name);
	json_put_numeric(&cmd.arguments, "initial_price", price);
	json_put_int64(&cmd.arguments, "cash_scale", cash_scale);
	json_put_int64(&cmd.arguments, "unit_scale", unit_scale);
	json_put_string(&cmd.arguments, "currency", currency);
	json_put_string(&cmd.arguments, "time_zone", zone);

	lock_new_fund();
	if (!command_replayed(&cmd, "FundCreated"))
	{
		int64		fund_id = next_fund_id();
		char	   *stream = fund_stream(fund_id);

		lock_fund(fund_id);
		command_check_time(&cmd, NULL);
		command_expect(&cmd, stream);
		json_put_int64(&cmd.figures, "fund_id", fund_id);
		command_append(&cmd, stream, "FundCreated");
	}
	command_end(&cmd);
	PG_RETURN_INT64(json_int64(cmd.payload, "fund_id"));
}

FUNDES_FUNCTION(fundes_set_price_limits);

Datum
fundes_set_price_limits(PG_FUNCTION_ARGS)
{
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	Numeric		drift = NULL;
	Interval   *age = NULL;

	if (!PG_ARGISNULL(1))
		drift = checked_amount(PG_GETARG_NUMERIC(1), QUANTITY_PRICE, true, "max_price_drift");
	if (!PG_ARGISNULL(2))
	{
		age = PG_GETARG_INTERVAL_P(2);
		if (!interval_is_age(age))
			invalid_argument("max_price_age must be from 0 to 1,000 years",
							 psprintf("It is %s.", DatumGetCString(DirectFunctionCall1(interval_out,
																					   IntervalPGetDatum(age)))),
							 "NULL switches the limit off.");
	}

	command_begin(&cmd, fcinfo);
	command_options(&cmd, 3);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	if (drift != NULL)
		json_put_numeric(&cmd.arguments, "max_price_drift", drift);
	else
		json_put_null(&cmd.arguments, "max_price_drift");
	if (age != NULL)
		json_put_string(&cmd.arguments, "max_price_age", interval_text(age));
	else
		json_put_null(&cmd.arguments, "max_price_age");

	{
		Row		   *fund = command_lock_fund(&cmd, fund_id);

		if (!command_replayed(&cmd, "PriceLimitsSet"))
		{
			require_open(require_fund(fund, fund_id));
			command_check_time(&cmd, fund);
			command_expect(&cmd, fund_stream(fund_id));
			command_append(&cmd, fund_stream(fund_id), "PriceLimitsSet");
		}
	}
	command_end(&cmd);
	PG_RETURN_DATUM(command_event_id(&cmd));
}
