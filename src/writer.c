/*-------------------------------------------------------------------------
 *
 * writer.c
 *	  Writing rows of a table without a statement, see writer.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "owner.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "writer.h"

static bool
fires_on_insert(const TriggerDesc *triggers)
{
	return triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
		triggers->trig_insert_before_statement || triggers->trig_insert_after_statement;
}

static bool
fires_on_update(const TriggerDesc *triggers)
{
	return triggers->trig_update_before_row || triggers->trig_update_after_row ||
		triggers->trig_update_before_statement || triggers->trig_update_after_statement;
}

/* Why rows of a table cannot be written past the executor, or NULL. */
static const char *
obstacle_of(Relation table, int ncolumns, bool updates)
{
	const TriggerDesc *triggers = table->trigdesc;
	const TupleConstr *constraints = RelationGetDescr(table)->constr;

	if (table->rd_rel->relkind != RELKIND_RELATION || table->rd_rel->relispartition)
		return "It is a partition, or no plain table.";
	if (triggers != NULL &&
		(fires_on_insert(triggers) || (updates && fires_on_update(triggers))))
		return "It has a trigger or a foreign key.";
	if (table->rd_rel->relrowsecurity)
		return "It has row security.";
	if (table->rd_rel->relhasrules)
		return "It has a rule.";
	if (constraints != NULL && has_generated_columns(constraints))
		return "It has a generated column.";
	if (RelationGetNumberOfAttributes(table) != ncolumns)
		return "It has columns that fundes does not know.";
	return NULL;
}

static bool
has_checks(Relation table)
{
	const TupleConstr *constraints = RelationGetDescr(table)->constr;

	return constraints != NULL && constraints->num_check > 0;
}

void
writer_begin(Writer *writer, EState *estate, Oid table, int ncolumns, bool updates)
{
	MemoryContext old;
	const char *obstacle;

	PreventCommandIfReadOnly("a command of fundes");
	PreventCommandIfParallelMode("a command of fundes");
	writer->table = table_open(table, RowExclusiveLock);
	obstacle = obstacle_of(writer->table, ncolumns, updates);
	if (obstacle != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" was altered so that fundes cannot write it",
						RelationGetRelationName(writer->table)),
				 errdetail("%s", obstacle),
				 errhint("The tables of fundes are its own: undo the change, or create a table of your own that follows the log.")));

	writer->estate = estate;
	old = MemoryContextSwitchTo(writer->estate->es_query_cxt);
	writer->target = makeNode(ResultRelInfo);
	InitResultRelInfo(writer->target, writer->table, 0, NULL, 0);
	MemoryContextSwitchTo(old);
	table_shape(writer->table, &writer->shape);
	if (!writer->shape.plain || has_checks(writer->table))
		owner_safe_search_path();
	memset(writer->indexes, 0, sizeof(writer->indexes));
	writer->indexes_open = false;
	memset(writer->slots, 0, sizeof(writer->slots));
	writer->ncollected = 0;
}

static TupleTableSlot *
slot_of(Writer *writer, int i)
{
	MemoryContext old;

	if (writer->slots[i] != NULL)
		return writer->slots[i];
	old = MemoryContextSwitchTo(writer->estate->es_query_cxt);
	writer->slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(writer->table),
												&TTSOpsHeapTuple);
	MemoryContextSwitchTo(old);
	return writer->slots[i];
}

pg_noreturn static void
changed_meanwhile(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update")));
}

/* NOT NULL is looked at here, as the executor would take the tuple apart. */
static bool
needs_check(TupleDesc desc, const bool *nulls)
{
	int			i;

	if (desc->constr == NULL)
		return false;
	if (desc->constr->num_check > 0)
		return true;
	for (i = 0; i < desc->natts; i++)
		if (nulls[i] && TupleDescAttr(desc, i)->attnotnull)
			return true;
	return false;
}

/*
 * Takes a row and checks it.  It is formed here, once: the table would have a
 * slot of values copy them first.
 */
static void
take_row(Writer *writer, int i, const Datum *values, const bool *nulls)
{
	TupleTableSlot *slot = slot_of(writer, i);
	TupleDesc	desc = slot->tts_tupleDescriptor;

	ExecStoreHeapTuple(heap_form_tuple(desc, unconstify(Datum *, values),
									   unconstify(bool *, nulls)), slot, true);
	writer->values[i] = values;
	writer->nulls[i] = nulls;
	if (needs_check(desc, nulls))
		ExecConstraints(writer->target, slot, writer->estate);
}

/* The entries of a new row of a plain table. */
static void
insert_plain_entries(Writer *writer, int row)
{
	const Datum *row_values = writer->values[row];
	const bool *row_nulls = writer->nulls[row];
	int			i;
	int			j;

	for (i = 0; i < writer->shape.nindexes; i++)
	{
		const PlainIndex *index = &writer->shape.indexes[i];
		Datum		values[SHAPE_MAX_KEYS];
		bool		nulls[SHAPE_MAX_KEYS];

		if (!index_takes(index, row_values, row_nulls))
			continue;
		if (writer->indexes[i] == NULL)
			writer->indexes[i] = index_open(index->oid, RowExclusiveLock);
		for (j = 0; j < index->nkeys; j++)
		{
			values[j] = row_values[index->keys[j]];
			nulls[j] = row_nulls[index->keys[j]];
		}
		(void) index_insert(writer->indexes[i], values, nulls,
							&writer->slots[row]->tts_tid, writer->table,
							index->unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
							false, NULL);
	}
}

/* Updates seldom come here: most of them are HOT. */
static void
open_indexes(Writer *writer)
{
	MemoryContext old = MemoryContextSwitchTo(writer->estate->es_query_cxt);

	ExecOpenIndices(writer->target, false);
	writer->indexes_open = true;
	MemoryContextSwitchTo(old);
}

static void
add_to_indexes(Writer *writer, TupleTableSlot *slot, bool update, UpdatedIndexes which)
{
	if (!writer->indexes_open)
		open_indexes(writer);
	if (writer->target->ri_NumIndices > 0 &&
		insert_index_tuples(writer->target, slot, writer->estate, update, which) != NIL)
		elog(ERROR, "a constraint of \"%s\" would be checked later",
			 RelationGetRelationName(writer->table));
}

void
writer_collect(Writer *writer, const Datum *values, const bool *nulls)
{
	if (writer->ncollected == WRITER_GROUP)
		writer_insert_collected(writer);
	take_row(writer, writer->ncollected, values, nulls);
	writer->ncollected++;
}

void
writer_insert_collected(Writer *writer)
{
	int			n = writer->ncollected;
	MemoryContext old;
	int			i;

	if (n == 0)
		return;
	writer->ncollected = 0;
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(writer->estate));
	if (n == 1)
		table_tuple_insert(writer->table, writer->slots[0], GetCurrentCommandId(true), 0, NULL);
	else
		table_multi_insert(writer->table, writer->slots, n, GetCurrentCommandId(true), 0, NULL);
	MemoryContextSwitchTo(old);
	for (i = 0; i < n; i++)
	{
		if (writer->shape.plain)
			insert_plain_entries(writer, i);
		else
			add_to_indexes(writer, writer->slots[i], false, ALL_INDEXES);
	}
	ResetPerTupleExprContext(writer->estate);
}

void
writer_insert(Writer *writer, const Datum *values, const bool *nulls)
{
	writer_collect(writer, values, nulls);
	writer_insert_collected(writer);
}

/*
 * A transaction that has but one snapshot must not build upon a version that
 * it does not show.
 */
static void
check_shown(Writer *writer, ItemPointer tid)
{
	TupleTableSlot *slot = table_slot_create(writer->table, NULL);

	if (!table_tuple_fetch_row_version(writer->table, tid, GetTransactionSnapshot(), slot))
		changed_meanwhile();
	ExecDropSingleTupleTableSlot(slot);
}

bool
writer_update(Writer *writer, ItemPointer tid, const Datum *values, const bool *nulls)
{
	TupleTableSlot *slot;
	TM_FailureData failure;
	LockTupleMode lock_mode;
	UpdatedIndexes indexes;
	TM_Result	result;

	Assert(writer->ncollected == 0);
	CheckCmdReplicaIdentity(writer->table, CMD_UPDATE);
	take_row(writer, 0, values, nulls);
	slot = writer->slots[0];
	if (IsolationUsesXactSnapshot())
		check_shown(writer, tid);
	result = table_tuple_update(writer->table, tid, slot,
								GetCurrentCommandId(true), InvalidSnapshot,
								InvalidSnapshot, true, &failure, &lock_mode, &indexes);
	if (result == TM_Updated || result == TM_Deleted)
		changed_meanwhile();
	if (result != TM_Ok)
		elog(ERROR, "unexpected result of updating a row of \"%s\": %d",
			 RelationGetRelationName(writer->table), (int) result);
	if (indexes != NO_INDEXES)
		add_to_indexes(writer, slot, true, indexes);
	*tid = slot->tts_tid;
	ResetPerTupleExprContext(writer->estate);
	return indexes == ALL_INDEXES;
}

void
writer_end(Writer *writer)
{
	int			i;

	Assert(writer->ncollected == 0);
	for (i = 0; i < WRITER_GROUP && writer->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(writer->slots[i]);
	for (i = 0; i < writer->shape.nindexes; i++)
		if (writer->indexes[i] != NULL)
			index_close(writer->indexes[i], NoLock);
	if (writer->indexes_open)
		ExecCloseIndices(writer->target);
	table_close(writer->table, NoLock);
	CommandCounterIncrement();
}
