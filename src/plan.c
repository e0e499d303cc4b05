/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Kept SPI statements, see plan.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "owner.h"
#include "plan.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

static SPIPlanPtr
kept_plan(KeptPlan *plan)
{
	if (plan->kept == NULL)
	{
		MemoryContext context = CurrentMemoryContext;
		SPIPlanPtr	prepared = SPI_prepare_cursor(plan->sql, plan->nargs, plan->argtypes,
												  CURSOR_OPT_GENERIC_PLAN);

		if (prepared == NULL)
			elog(ERROR, "SPI_prepare failed: %s",
				 SPI_result_code_string(SPI_result));
		if (SPI_keepplan(prepared) != 0)
			elog(ERROR, "SPI_keepplan failed");
		MemoryContextSwitchTo(context);
		plan->kept = prepared;
	}
	return plan->kept;
}

/* SPI leaves its own memory context behind; the caller's is put back. */
static uint64
finish(int result, MemoryContext context)
{
	MemoryContextSwitchTo(context);
	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

uint64
plan_write(KeptPlan *plan, const Datum *values, const char *nulls)
{
	MemoryContext context = CurrentMemoryContext;

	owner_safe_search_path();
	return finish(SPI_execute_plan(kept_plan(plan), unconstify(Datum *, values),
								   nulls, false, 0), context);
}

uint64
plan_read(KeptPlan *plan, const Datum *values, const char *nulls)
{
	MemoryContext context = CurrentMemoryContext;

	owner_safe_search_path();
	return finish(SPI_execute_plan(kept_plan(plan), unconstify(Datum *, values),
								   nulls, true, 0), context);
}

uint64
plan_fresh(KeptPlan *plan, const Datum *values, const char *nulls)
{
	MemoryContext context = CurrentMemoryContext;

	owner_safe_search_path();
	return finish(SPI_execute_snapshot(kept_plan(plan), unconstify(Datum *, values),
									   nulls, GetLatestSnapshot(), InvalidSnapshot,
									   true, false, 0), context);
}

/* As plan_read, but the rows go to dest. */
void
plan_into(KeptPlan *plan, const Datum *values, const char *nulls,
		  DestReceiver *dest)
{
	MemoryContext context = CurrentMemoryContext;
	SPIExecuteOptions options = {0};
	ParamListInfo params = makeParamList(plan->nargs);
	int			i;

	owner_safe_search_path();
	for (i = 0; i < plan->nargs; i++)
	{
		params->params[i].value = values[i];
		params->params[i].isnull = nulls != NULL && nulls[i] == 'n';
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].ptype = plan->argtypes[i];
	}
	options.params = params;
	options.read_only = true;
	options.dest = dest;
	(void) finish(SPI_execute_plan_extended(kept_plan(plan), &options), context);
}

uint64
plan_once(const char *sql, bool read_only)
{
	MemoryContext context = CurrentMemoryContext;

	owner_safe_search_path();
	return finish(SPI_execute(sql, read_only, 0), context);
}

Datum
plan_value(int column, Oid type, bool *isnull)
{
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0],
									  SPI_tuptable->tupdesc, column, isnull);
	int16		typlen;
	bool		typbyval;

	if (*isnull)
		return (Datum) 0;
	get_typlenbyval(type, &typlen, &typbyval);
	return datumCopy(value, typbyval, typlen);
}
