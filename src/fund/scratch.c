/*-------------------------------------------------------------------------
 *
 * scratch.c
 *	  Temporary tables into which the log is folded anew, see scratch.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/namespace.h"
#include "fund/scratch.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "plan.h"
#include "utils/guc.h"

void
scratch_create(TableId table)
{
	const char *name = tables[table].name;
	int			level = NewGUCNestLevel();

	(void) set_config_option("client_min_messages", "warning", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) plan_once(psprintf("drop table if exists " SCRATCH "%s;"
							  "create temporary table " SCRATCH_PREFIX "%s"
							  " (like fundes.%s) on commit drop",
							  name, name, name), false);
	AtEOXact_GUC(true, level);
}

void
scratch_create_index(TableId table)
{
	const Table *t = &tables[table];
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfo(&sql, "create unique index " SCRATCH_PREFIX "%s_pkey on " SCRATCH "%s (",
					 t->name, t->name);
	for (i = 0; i < t->nkeys; i++)
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "", t->columns[i].name);
	appendStringInfoChar(&sql, ')');
	(void) plan_once(sql.data, false);
}

void
scratch_drop(TableId table)
{
	(void) plan_once(psprintf("drop table " SCRATCH "%s", tables[table].name), false);
}

Oid
scratch_relation(TableId table)
{
	char	   *name = psprintf(SCRATCH_PREFIX "%s", tables[table].name);

	return RangeVarGetRelid(makeRangeVar("pg_temp", name, -1), NoLock, false);
}
