/*-------------------------------------------------------------------------
 *
 * projection_flush.c
 *	  What becomes of the rows of a RowSet: they are written into their tables,
 *	  or compared with them, see projection.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "executor/executor.h"
#include "fund/fence.h"
#include "fund/projection_internal.h"
#include "fund/row_place.h"
#include "fund/scratch.h"
#include "miscadmin.h"
#include "owner.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "writer.h"

/*
 * Rows are flushed when they take more memory than this; those of the whole log,
 * which need not be written at all, when they take maintenance_work_mem.
 */
#define FLUSH_BYTES (64 * 1024 * 1024)

/* Memory is looked at each so many events. */
#define LOOK_EVERY 16

static void
update_rows(Writer *writer, List *rows)
{
	ListCell   *cell;

	foreach(cell, rows)
	{
		Row		   *row = lfirst(cell);

		if (!row->stored || row->changed == 0)
			continue;
		fence_check_row(row);
		if (writer_update(writer, &row->tid, row->values, row->nulls))
			row->place = row->tid;
		if (rows_have_places(row->set, row->table) && ItemPointerIsValid(&row->place))
			row_place_remember(row);
	}
}

static void
insert_rows(Writer *writer, List *rows)
{
	ListCell   *cell;

	foreach(cell, rows)
	{
		Row		   *row = lfirst(cell);

		if (row->stored)
			continue;
		fence_check_row(row);
		writer_collect(writer, row->values, row->nulls);
	}
	writer_insert_collected(writer);
}

pg_noreturn void
rows_raise_conflict(TableId id, MemoryContext context)
{
	const Table *table = &tables[id];
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION || table->conflict_code == 0)
		ReThrowError(error);
	ereport(ERROR,
			(errcode(table->conflict_code),
			 errmsg("%s", table->conflict_message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) :
			 errdetail("It is in conflict with \"%s\".", error->constraint_name),
			 errhint("%s", table->conflict_hint)));
}

/* Updates come first: a new row may need a unique key that they set free. */
static void
write_rows(Writer *writer, List *rows)
{
	update_rows(writer, rows);
	insert_rows(writer, rows);
}

/* The same, where another transaction may be writing a row that excludes one. */
static void
write_rivals(Writer *writer, List *rows, TableId table)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		write_rows(writer, rows);
	}
	PG_CATCH();
	{
		rows_raise_conflict(table, context);
	}
	PG_END_TRY();
}

static bool
has_changed(List *rows)
{
	ListCell   *cell;

	foreach(cell, rows)
	{
		Row		   *row = lfirst(cell);

		if (!row->stored || row->changed != 0)
			return true;
	}
	return false;
}

static void
forget_rows(TableRows *rows)
{
	rows_stop_reading(rows);
	if (rows->context != NULL)
		MemoryContextDelete(rows->context);
	rows->context = NULL;
	rows->room_left = 0;
	rows->index = NULL;
	rows->last_rows = NULL;
	rows->rows = NIL;
}

static EState *
estate_of(RowSet *set)
{
	if (set->estate == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(set->context);

		set->estate = CreateExecutorState();
		MemoryContextSwitchTo(old);
	}
	return set->estate;
}

/* Writes what has changed of a table and forgets its rows. */
void
rows_flush_table(RowSet *set, TableId table)
{
	static uint64 fenced[NTABLES];	/* the look after which its columns were checked */
	TableRows  *rows = &set->tables[table];

	if (has_changed(rows->rows))
	{
		Writer		writer;

		writer_begin(&writer, estate_of(set), rows_table_of(set, table), tables[table].ncolumns, true);
		if (fenced[table] != writer.shape.look)
			fence_check_columns(&tables[table], RelationGetDescr(writer.table));
		fenced[table] = writer.shape.look;
		if (tables[table].conflict_code != 0)
			write_rivals(&writer, rows->rows, table);
		else
			write_rows(&writer, rows->rows);
		writer_end(&writer);
	}
	forget_rows(rows);
}

/* Entries make room for the next ones. */
static void
sum_up(RowSet *set)
{
	ListCell   *cell;
	int			i;

	for (i = 0; i < NTABLES; i++)
	{
		TableRows  *rows = &set->tables[i];

		if (!is_entry(i) || rows->rows == NIL)
			continue;
		foreach(cell, rows->rows)
			row_sum_add(&rows->sum, lfirst(cell), set->seed);
		MemoryContextReset(rows->context);
		rows->room_left = 0;
		rows->rows = NIL;
	}
}

/* Whether the projection has rows of this sum. */
static bool
projection_has_sum(RowSet *set, TableId table, const RowSum *sum)
{
	RowSum		stored;

	return row_sum_of_table(&stored, table, fundes_relation(tables[table].name), set->seed) &&
		row_sums_equal(&stored, sum);
}

bool
rows_sums_hold(RowSet *set)
{
	int			i;

	if (!set->sums)
		return true;
	sum_up(set);
	for (i = 0; i < NTABLES; i++)
		if (is_entry(i) && !projection_has_sum(set, i, &set->tables[i].sum))
			return false;
	return true;
}

/* rows_settle() of a table whose rows are not all in memory. */
static bool
settle_spilled(RowSet *set, TableId table)
{
	RowSum		sum;

	rows_flush_table(set, table);
	/* the sum is of what was written just now, too */
	UpdateActiveSnapshotCommandId();
	if (row_sum_of_table(&sum, table, scratch_relation(table), set->seed) &&
		projection_has_sum(set, table, &sum))
	{
		scratch_drop(table);
		return true;
	}
	/* the index tells whether a key is there twice */
	(void) rows_index_of(set, table);
	return false;
}

bool
rows_settle(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];

	Assert(set->scratch);
	if (set->sums && is_entry(table))
		return true;
	if (rows->spilled)
		return settle_spilled(set, table);
	if (!rows_equal_table(rows->index, rows->rows, fundes_relation(tables[table].name)))
	{
		(void) rows_table_of(set, table);
		rows_flush_table(set, table);
		return false;
	}
	forget_rows(rows);
	return true;
}

void
rows_flush(RowSet *set)
{
	int			i;

	for (i = 0; i < NTABLES; i++)
		rows_flush_table(set, i);
}

void
rows_sums(RowSet *set, RowSum *sums)
{
	ListCell   *cell;
	int			i;

	sum_up(set);
	for (i = 0; i < NTABLES; i++)
	{
		Assert(rows_are_kept(set, i));
		sums[i] = set->tables[i].sum;
		foreach(cell, set->tables[i].rows)
			row_sum_add(&sums[i], lfirst(cell), set->seed);
	}
}

bool
rows_overflow(const RowSet *set)
{
	return set->overflow;
}

static Size
memory_allowed(const RowSet *set)
{
	return set->scratch ? maintenance_work_mem * (Size) 1024 : FLUSH_BYTES;
}

/* Takes room for what the set has grown by. */
static void
take_more(RowSet *set, uint64 size)
{
	uint64		all = pg_atomic_add_fetch_u64(set->room, size - set->taken);

	set->taken = size;
	set->overflow |= all > memory_allowed(set);
}

void
rows_relieve(RowSet *set)
{
	int			i;

	if (++set->events % LOOK_EVERY != 0)
		return;
	if (set->sums)
		sum_up(set);
	if (set->room != NULL)
	{
		take_more(set, MemoryContextMemAllocated(set->context, true));
		return;
	}
	if (MemoryContextMemAllocated(set->context, true) < memory_allowed(set))
		return;
	for (i = 0; i < NTABLES; i++)
		if (tables[i].journal)
			rows_flush_table(set, i);
	if (MemoryContextMemAllocated(set->context, true) >= memory_allowed(set))
		rows_flush(set);
}
