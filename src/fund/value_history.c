/*-------------------------------------------------------------------------
 *
 * value_history.c
 *	  What a copyright's value was made of, and when, see value_history.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/pg_type.h"
#include "fund/money.h"
#include "fund/value_history.h"
#include "json.h"
#include "plan.h"

static void
push_part(JsonbParseState **array, TimestampTz at, Numeric amount)
{
	JsonObject	part;
	JsonbValue	value;

	json_begin(&part);
	json_put_moment(&part, "effective_at", at);
	json_put_numeric(&part, "amount", amount);
	JsonbToJsonbValue(json_end(&part), &value);
	(void) pushJsonbValue(array, WJB_ELEM, &value);
}

Jsonb *
values_added_after(const Row *mcp, TimestampTz at)
{
	static KeptPlan select = PLAN(
		"select e.effective_at,"
		"       (e.payload->'values'->>$2::text)::numeric"
		"         - lag((e.payload->'values'->>$2::text)::numeric, 1, $3) over (order by e.position)"
		"  from fundes.valuation v join fundes.event e on e.position = v.last_position"
		" where v.fund_id = $1 and v.struck and e.payload->'values' ? $2::text"
		" order by e.position",
		INT8OID, INT8OID, NUMERICOID);
	JsonbParseState *array = NULL;
	SPITupleTable *added;
	Datum		values[3];
	bool		any = false;
	uint64		n;
	uint64		i;

	values[0] = mcp->values[MCP_FUND_ID];
	values[1] = mcp->values[MCP_ASSET_ID];
	values[2] = mcp->values[MCP_COST_CASH];
	n = plan_fresh(&select, values, NULL);
	added = SPI_tuptable;
	(void) pushJsonbValue(&array, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < n; i++)
	{
		bool		isnull;
		TimestampTz moment = DatumGetTimestampTz(SPI_getbinval(added->vals[i], added->tupdesc, 1, &isnull));
		Numeric		amount = DatumGetNumeric(SPI_getbinval(added->vals[i], added->tupdesc, 2, &isnull));

		if (moment <= at || num_sign(amount) == 0)
			continue;
		push_part(&array, moment, amount);
		any = true;
	}
	SPI_freetuptable(added);
	if (!any)
		return NULL;
	return JsonbValueToJsonb(pushJsonbValue(&array, WJB_END_ARRAY, NULL));
}
