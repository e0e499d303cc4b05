/*-------------------------------------------------------------------------
 *
 * query.c
 *	  Questions about funds and investors: compute_fund_value,
 *	  get_investment_details.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "fund/command.h"
#include "plan.h"

FUNDES_FUNCTION(fundes_compute_fund_value);

Datum
fundes_compute_fund_value(PG_FUNCTION_ARGS)
{
	static KeptPlan select = PLAN("select accumulated_purchase_value - accumulated_sold_value"
								  "  from fundes.fund where fund_id = $1",
								  INT8OID);
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	Datum		key = Int64GetDatum(fund_id);
	Datum		value;
	bool		isnull;
	Owner		owner;

	owner_begin(&owner);
	if (plan_read(&select, &key, NULL) == 0)
		(void) require_fund(NULL, fund_id);
	value = plan_value(1, NUMERICOID, &isnull);
	owner_end(&owner);
	PG_RETURN_DATUM(value);
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
