/*-------------------------------------------------------------------------
 *
 * rebuild.c
 *	  Folding the whole log anew: verify_projections, rebuild_projections.
 *
 *	  The log is folded in memory and compared with the projections, all in one
 *	  snapshot.  A large log that has room there is first folded in parallel
 *	  (rebuild_parallel.c), which only tells whether anything differs.
 *
 *	  What is more than memory may hold goes to temporary tables of the
 *	  projections' shape, which are compared by sums.  Of what differs, statements
 *	  find the rows there: verifying shows them, rebuilding mends them.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "fund/projector.h"
#include "fund/rebuild.h"
#include "fund/scratch.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "owner.h"
#include "plan.h"
#include "store/log.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

/* What it writes is seen by the active snapshot from then on. */
static uint64
execute(const char *sql, bool read_only)
{
	uint64		n = plan_once(sql, read_only);

	CommandCounterIncrement();
	UpdateActiveSnapshotCommandId();
	return n;
}

bool
fold_whole_log(FoldRun *run)
{
	Relation	log = table_open(fundes_relation("event"), AccessShareLock);
	Relation	index = index_open(fundes_relation("event_pkey"), AccessShareLock);
	TupleTableSlot *slot = table_slot_create(log, NULL);
	IndexScanDesc scan = begin_index_scan(log, index, GetActiveSnapshot(), 0);

	index_rescan(scan, NULL, 0, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		fold_slot(run, slot);
		if (rows_overflow(run->rows))
			break;
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	table_close(log, AccessShareLock);
	return !run->pending_wrong && !rows_overflow(run->rows);
}

/* Of the hashes of rows: nobody knows it before. */
static uint64
random_seed(void)
{
	uint64		seed;

	if (!pg_strong_random(&seed, sizeof(seed)))
		elog(ERROR, "could not generate random values");
	return seed;
}

/*
 * Folds the log and compares: tells by table whether it is what the projection
 * has.  Where it is not, the rows are in the scratch table.  To begin with,
 * entries are not kept: in most logs they are more than all else.  Only where
 * their sums differ is the log folded once more, to see which of them do.
 */
static void
fold_log(bool *settled)
{
	FoldRun		run;
	uint64		seed = random_seed();
	int			npending;
	PendingFund *pending;
	bool		sums = true;
	int			i;

	if (fold_in_parallel_agrees(seed))
	{
		memset(settled, true, sizeof(bool) * NTABLES);
		return;
	}
	pending = pending_funds(&npending);
	for (;;)
	{
		fold_begin(&run, rows_begin_scratch(sums, seed));
		run.pending = pending;
		run.npending = npending;
		if (fold_whole_log(&run) && rows_sums_hold(run.rows))
			break;
		sums &= run.pending_wrong;
		fold_discard(&run);
	}
	for (i = 0; i < NTABLES; i++)
		settled[i] = rows_settle(run.rows, i);
	fold_end(&run);
	rows_end(run.rows);
	CommandCounterIncrement();
	UpdateActiveSnapshotCommandId();
}

/*
 * The key columns of a table in a format that has up to three places for a
 * name: "s.a = f.a and s.b = f.b", and so on.
 */
static char *
key_list(const Table *table, const char *format, const char *separator)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < table->nkeys; i++)
	{
		const char *name = table->columns[i].name;

		appendStringInfoString(&list, i > 0 ? separator : "");
		appendStringInfo(&list, format, name, name, name);
	}
	return list.data;
}

/* All columns, each with the name of a table before it: "s.a, s.b", and so on. */
static char *
column_list(const Table *table, const char *prefix)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < table->ncolumns; i++)
		appendStringInfo(&list, "%s%s%s", i > 0 ? ", " : "", prefix, table->columns[i].name);
	return list.data;
}

/*
 * Rows of a projection and of its scratch table that differ, beside each other.
 * Columns are compared one by one: whole rows would be made first.
 */
static char *
differing_rows(const Table *table)
{
	return psprintf("fundes.%s s full join " SCRATCH "%s f on %s"
					" where (%s) is distinct from (%s)",
					table->name, table->name, key_list(table, "s.%s = f.%s", " and "),
					column_list(table, "s."), column_list(table, "f."));
}

/* The rows of a projection that differ: projection, key, stored, folded. */
static char *
differences_sql(const Table *table)
{
	return psprintf("select '%s', jsonb_build_object(%s), to_jsonb(s), to_jsonb(f) from %s",
					table->name,
					key_list(table, "'%s', coalesce(s.%s, f.%s)", ", "),
					differing_rows(table));
}

FUNDES_FUNCTION(fundes_verify_projections);

Datum
fundes_verify_projections(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		settled[NTABLES];
	Owner		owner;
	int			i;

	PreventCommandIfReadOnly("verify_projections()");
	InitMaterializedSRF(fcinfo, 0);
	owner_begin(&owner);
	PushCopiedSnapshot(GetTransactionSnapshot());
	fold_log(settled);
	for (i = 0; i < NTABLES; i++)
	{
		uint64		n;
		uint64		j;

		if (settled[i])
			continue;
		n = execute(differences_sql(&tables[i]), true);
		for (j = 0; j < n; j++)
			tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[j]);
		SPI_freetuptable(SPI_tuptable);
		scratch_drop(i);
	}
	PopActiveSnapshot();
	owner_end(&owner);
	return (Datum) 0;
}

/* Makes a projection equal to its scratch table; returns how many rows. */
static uint64
mend(const Table *table)
{
	uint64		mended;

	if (execute(psprintf("select from %s limit 1", differing_rows(table)), true) == 0)
		return 0;
	mended = execute(psprintf("delete from fundes.%s s where not exists"
					 " (select from " SCRATCH "%s f where %s)",
					 table->name, table->name,
					 key_list(table, "s.%s = f.%s", " and ")), false);
	mended += execute(psprintf("update fundes.%s s set (%s) = row(f.*) from " SCRATCH "%s f"
					 " where %s and s.* is distinct from f.*",
					 table->name, column_list(table, ""), table->name,
					 key_list(table, "s.%s = f.%s", " and ")), false);
	mended += execute(psprintf("insert into fundes.%s select f.* from " SCRATCH "%s f"
					 " where not exists (select from fundes.%s s where %s)",
					 table->name, table->name, table->name,
					 key_list(table, "s.%s = f.%s", " and ")), false);
	return mended;
}

/* pg_restore --disable-triggers leaves our triggers weaker than they were. */
static void
restore_triggers(void)
{
	uint64		n = plan_once("select format('alter table %s enable always trigger %I', t.tgrelid::regclass, t.tgname)"
							  "  from pg_trigger t join pg_proc p on p.oid = t.tgfoid"
							  " where not t.tgisinternal and t.tgenabled <> 'A'"
							  "   and p.pronamespace = 'fundes'::regnamespace", true);
	SPITupleTable *commands = SPI_tuptable;
	uint64		i;

	for (i = 0; i < n; i++)
		(void) plan_once(SPI_getvalue(commands->vals[i], commands->tupdesc, 1), false);
	SPI_freetuptable(commands);
}

FUNDES_FUNCTION(fundes_rebuild_projections);

/* Appends wait at the lock of all streams, COPY waits at the log. */
Datum
fundes_rebuild_projections(PG_FUNCTION_ARGS)
{
	bool		settled[NTABLES];
	Owner		owner;
	uint64		mended = 0;
	int			i;

	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("projections cannot be rebuilt in isolation level %s",
						XactIsoLevel == XACT_SERIALIZABLE ? "SERIALIZABLE" : "REPEATABLE READ"),
				 errdetail("The transaction's snapshot may be older than the last event."),
				 errhint("Rebuild in READ COMMITTED.")));
	PreventCommandIfReadOnly("rebuild_projections()");
	owner_begin(&owner);
	append_lock_all();
	(void) plan_once("lock table fundes.event in share mode", false);
	PushCopiedSnapshot(GetLatestSnapshot());
	fold_log(settled);
	for (i = 0; i < NTABLES; i++)
	{
		if (settled[i])
			continue;
		mended += mend(&tables[i]);
		scratch_drop(i);
	}
	PopActiveSnapshot();

	restore_triggers();
	owner_end(&owner);
	PG_RETURN_INT64(mended);
}
