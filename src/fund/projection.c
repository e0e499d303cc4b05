/*-------------------------------------------------------------------------
 *
 * projection.c
 *	  Rows of the projection tables in memory, see projection.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fund/fence.h"
#include "fund/money.h"
#include "fund/projection.h"
#include "fund/row_compare.h"
#include "fund/row_index.h"
#include "fund/row_place.h"
#include "fund/scratch.h"
#include "miscadmin.h"
#include "owner.h"
#include "port/pg_bitutils.h"
#include "probe.h"
#include "utils/builtins.h"
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

/*
 * Rows and the first values of their columns lie close together in pieces of
 * memory that grow from the first size to the last.
 */
#define FIRST_ROOM 512
#define LAST_ROOM (32 * 1024)

/* The rows of a table in memory, and what is open to read more of them. */
typedef struct TableRows
{
	MemoryContext context;		/* of the rows and the index */
	char	   *room;			/* left of the last piece */
	Size		room_left;
	Size		room_size;		/* of the piece */
	List	   *rows;			/* in the order of first use */
	RowIndex   *index;			/* made at the first look-up */
	bool		reading;
	bool		ranging;		/* the probe is that of rows_walk_from() */
	Probe	   *probe;			/* made at the first look into the table */
	bool		spilled;		/* of a scratch set: its table was made, */
	bool		indexed;		/* and the index */
	RowSum		sum;			/* of the rows that are not kept */
} TableRows;

StaticAssertDecl(MAX_COLUMNS <= 64, "COLUMN_BIT is of 64 bits");

/* What the columns are, by COLUMN_BIT: found once for the backend's life. */
uint64		by_reference[NTABLES];
static uint64 numbers[NTABLES];

struct RowSet
{
	MemoryContext context;
	bool		scratch;		/* in tables of its own */
	bool		sums;			/* and entries are not kept */
	uint64		seed;			/* of their hashes */
	uint32		events;			/* since memory was looked at */
	EState	   *estate;			/* for its writers, made by the first */
	TableRows	tables[NTABLES];
};

static bool
is_by_reference(Oid type)
{
	return type == TEXTOID || type == NUMERICOID || type == JSONBOID || type == INTERVALOID;
}

static void
know_columns(void)
{
	int			table;
	int			i;

	for (table = 0; table < NTABLES; table++)
		for (i = 0; i < tables[table].ncolumns; i++)
		{
			if (is_by_reference(tables[table].columns[i].type))
				by_reference[table] |= COLUMN_BIT(i);
			if (tables[table].columns[i].type == NUMERICOID)
				numbers[table] |= COLUMN_BIT(i);
		}
}

/*
 * Sets
 */

RowSet *
rows_begin(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "fundes rows", ALLOCSET_SMALL_SIZES);
	RowSet	   *set = MemoryContextAllocZero(context, sizeof(RowSet));

	if (by_reference[TABLE_FUND] == 0)
		know_columns();
	set->context = context;
	return set;
}

RowSet *
rows_begin_scratch(bool sums)
{
	RowSet	   *set = rows_begin();

	set->scratch = true;
	set->sums = sums;
	if (sums && !pg_strong_random(&set->seed, sizeof(set->seed)))
		elog(ERROR, "could not generate random values");
	return set;
}

static void
stop_reading(TableRows *rows)
{
	if (rows->reading)
		probe_end(rows->probe);
	rows->reading = false;
}

bool
rows_are_scratch(const RowSet *set)
{
	return set->scratch;
}

void
rows_end(RowSet *set)
{
	int			i;

	for (i = 0; i < NTABLES; i++)
		stop_reading(&set->tables[i]);
	if (set->estate != NULL)
		FreeExecutorState(set->estate);
	MemoryContextDelete(set->context);
}

/*
 * Rows
 */

/* Made at first use: most sets touch few tables. */
static MemoryContext
context_of(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];

	if (rows->context == NULL)
		rows->context = AllocSetContextCreate(set->context, "fundes rows of a table",
											  ALLOCSET_SMALL_SIZES);
	return rows->context;
}

static void
begin_room(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];

	rows->room_size = Min(Max(2 * rows->room_size, FIRST_ROOM), LAST_ROOM);
	rows->room = MemoryContextAlloc(context_of(set, table), rows->room_size);
	rows->room_left = rows->room_size;
}

/* Memory that lives as long as all rows of the table. */
static inline void *
take_room(RowSet *set, TableId table, Size size)
{
	TableRows  *rows = &set->tables[table];
	char	   *taken;

	size = MAXALIGN(size);
	if (size > rows->room_left)
	{
		if (size > FIRST_ROOM)
			return MemoryContextAlloc(context_of(set, table), size);
		begin_room(set, table);
	}
	taken = rows->room;
	rows->room += size;
	rows->room_left -= size;
	return taken;
}

static Row *
new_row(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];
	int			ncolumns = tables[table].ncolumns;
	MemoryContext old = MemoryContextSwitchTo(context_of(set, table));
	Row		   *row;

	row = take_room(set, table, MAXALIGN(sizeof(Row)) + (sizeof(Datum) + sizeof(bool)) * ncolumns);
	memset(row, 0, sizeof(Row));
	row->set = set;
	row->context = rows->context;
	row->table = table;
	row->values = (Datum *) ((char *) row + MAXALIGN(sizeof(Row)));
	row->nulls = (bool *) (row->values + ncolumns);
	memset(row->nulls, true, sizeof(bool) * ncolumns);
	rows->rows = lappend(rows->rows, row);
	MemoryContextSwitchTo(old);
	return row;
}

/* The table that a set's rows are in; one of its own is made at first use. */
static Oid
table_of(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];

	if (!set->scratch)
		return fundes_relation(tables[table].name);
	if (!rows->spilled)
		scratch_create(table);
	rows->spilled = true;
	return scratch_relation(table, "");
}

static Oid
index_of(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];

	if (!set->scratch)
		return fundes_relation(psprintf("%s_pkey", tables[table].name));
	if (!rows->indexed)
	{
		(void) table_of(set, table);
		scratch_create_index(table);
	}
	rows->indexed = true;
	return scratch_relation(table, "_pkey");
}

const char *
rows_table_name(RowSet *set, TableId table)
{
	if (!set->scratch)
		return psprintf("fundes.%s", tables[table].name);
	(void) index_of(set, table);
	return psprintf(SCRATCH "%s", tables[table].name);
}

/* A row as it is stored: its values point into a copy until they change. */
static Row *
take_stored(RowSet *set, TableId table, TupleTableSlot *slot)
{
	Row		   *row = new_row(set, table);
	MemoryContext old = MemoryContextSwitchTo(row->context);
	HeapTuple	tuple = ExecCopySlotHeapTuple(slot);

	heap_deform_tuple(tuple, slot->tts_tupleDescriptor, row->values, row->nulls);
	MemoryContextSwitchTo(old);
	row->stored = true;
	row->tid = slot->tts_tid;
	return row;
}

/* Opens what a table's rows are looked up by, or stays with what is open. */
static bool
read_first(RowSet *set, TableId table, const Datum *keys, bool ranging)
{
	TableRows  *rows = &set->tables[table];
	const Column *columns = tables[table].columns;
	MemoryContext old;
	bool		found;
	int			i;

	if (rows->reading && rows->ranging != ranging)
		stop_reading(rows);
	if (rows->reading)
	{
		for (i = 0; i < rows->probe->nkeys; i++)
			rows->probe->keys[i].sk_argument = keys[i];
		return probe_again(rows->probe, ForwardScanDirection);
	}
	old = MemoryContextSwitchTo(set->context);
	if (rows->probe == NULL)
		rows->probe = palloc(sizeof(Probe));
	rows->probe->nkeys = 0;
	for (i = 0; i < (ranging ? 1 : tables[table].nkeys); i++)
		probe_key(rows->probe, columns[i].type, keys[i]);
	if (ranging)
		probe_key_from(rows->probe, DatumGetInt64(keys[1]));
	/* what is read is written, as a rule, but not investors */
	if (table == TABLE_INVESTOR)
		found = probe_begin(rows->probe, table_of(set, table),
							index_of(set, table), ForwardScanDirection);
	else
		found = probe_begin_write(rows->probe, table_of(set, table),
								  index_of(set, table), ForwardScanDirection);
	rows->reading = true;
	rows->ranging = ranging;
	MemoryContextSwitchTo(old);
	return found;
}

static bool
has_places(const RowSet *set, TableId table)
{
	return ROWS_HAVE_PLACES(table) && !set->scratch;
}

/* The row that a probe has found. */
static Row *
take_found(RowSet *set, TableId table, Probe *probe)
{
	Row		   *row;

	probe_require_known(probe);
	row = take_stored(set, table, probe->slot);
	row->place = probe->place;
	return row;
}

/* Where this backend has seen it last. */
static Row *
find_in_place(RowSet *set, TableId table, int64 key)
{
	ItemPointer place = row_place_find(table, key);
	Row		   *row = NULL;
	Probe		probe;

	if (place == NULL)
		return NULL;
	if (probe_begin_at(&probe, table_of(set, table), place) &&
		DatumGetInt64(probe_value(&probe, 1)) == key)
		row = take_found(set, table, &probe);
	probe_end(&probe);
	return row;
}

/*
 * Looks a row up in its table.  What is opened for that stays open until rows
 * of the table are written: what look-ups depend upon has been locked before, so
 * that it does not matter by which snapshot each of them is made.
 */
static Row *
find_stored(RowSet *set, TableId table, const Datum *keys)
{
	TableRows  *rows = &set->tables[table];
	Row		   *row;

	if (set->scratch && !rows->spilled)
		return NULL;
	if (has_places(set, table) && !rows->reading &&
		(row = find_in_place(set, table, DatumGetInt64(keys[0]))) != NULL)
		return row;
	if (!read_first(set, table, keys, false))
		return NULL;
	if (set->scratch)
		return take_stored(set, table, rows->probe->slot);
	row = take_found(set, table, rows->probe);
	if (has_places(set, table))
		row_place_remember(row);
	return row;
}

void
rows_walk_from(RowSet *set, TableId table, Datum first, int64 from,
			   bool (*visit) (Row *row, void *arg), void *arg)
{
	TableRows  *rows = &set->tables[table];
	Datum		keys[2];
	bool		found;

	Assert(!set->scratch && tables[table].columns[1].type == INT8OID);
	keys[0] = first;
	keys[1] = Int64GetDatum(from);
	for (found = read_first(set, table, keys, true); found;
		 found = probe_next(rows->probe, ForwardScanDirection))
	{
		CHECK_FOR_INTERRUPTS();
		probe_require_known(rows->probe);
		if (!visit(take_stored(set, table, rows->probe->slot), arg))
			break;
	}
}

void
rows_read_range(RowSet *set, TableId table, int64 first, int64 last)
{
	Probe		probe;
	bool		found;

	Assert(set->tables[table].rows == NIL && !IsolationUsesXactSnapshot());
	probe.nkeys = 0;
	probe_key_from(&probe, first);
	for (found = probe_begin_write(&probe, table_of(set, table),
								   index_of(set, table), ForwardScanDirection);
		 found && DatumGetInt64(probe_value(&probe, 1)) <= last;
		 found = probe_next(&probe, ForwardScanDirection))
	{
		CHECK_FOR_INTERRUPTS();
		(void) take_stored(set, table, probe.slot);
	}
	probe_end(&probe);
}

void
rows_read_at(RowSet *set, TableId table, ItemPointer places, int n)
{
	Relation	relation;
	TupleTableSlot *slot;
	int			i;

	if (set->tables[table].rows != NIL || set->tables[table].index != NULL ||
		IsolationUsesXactSnapshot())
		return;
	relation = table_open(table_of(set, table), AccessShareLock);
	slot = table_slot_create(relation, NULL);
	for (i = 0; i < n; i++)
	{
		if (!table_tuple_fetch_row_version(relation, &places[i], GetActiveSnapshot(), slot))
			elog(ERROR, "a row of \"%s\" is not where it was", RelationGetRelationName(relation));
		(void) take_stored(set, table, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_close(relation, AccessShareLock);
}

/* Made at the first look-up: of most journals no row is looked up. */
static void
make_index(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];
	ListCell   *cell;

	rows->index = row_index_create(table, context_of(set, table));
	foreach(cell, rows->rows)
		row_index_put(rows->index, lfirst(cell));
}

Row *
rows_find(RowSet *set, TableId table, const Datum *keys)
{
	TableRows  *rows = &set->tables[table];
	Row		   *row;

	if (rows->index == NULL)
		make_index(set, table);
	row = row_index_find(rows->index, keys);
	if (row == NULL)
	{
		row = find_stored(set, table, keys);
		if (row != NULL)
			row_index_put(rows->index, row);
	}
	return row;
}

Row *
rows_find_known(RowSet *set, TableId table, const Datum *keys)
{
	if (set->scratch)
		return rows_find(set, table, keys);
	if (set->tables[table].index == NULL)
		make_index(set, table);
	return row_index_find(set->tables[table].index, keys);
}

Row *
rows_add(RowSet *set, TableId table, const Datum *keys)
{
	Row		   *row = new_row(set, table);
	uint64		zeros = tables[table].journal ? 0 : numbers[table];
	int			i;

	row->changed = zeros;
	for (; zeros != 0; zeros &= zeros - 1)
	{
		i = pg_rightmost_one_pos64(zeros);
		row->values[i] = NumericGetDatum(num_zero());
		row->nulls[i] = false;
	}
	for (i = 0; i < tables[table].nkeys; i++)
		row_set(row, i, keys[i]);
	if (set->tables[table].index != NULL)
		row_index_put(set->tables[table].index, row);
	return row;
}

/*
 * Room for a value of so many bytes; whether it is allocated by itself.  Only
 * the first one of a column is not, as it can only be given back with all rows.
 */
static inline void *
value_room(Row *row, int column, Size size, bool *owned)
{
	*owned = (row->placed & COLUMN_BIT(column)) != 0;
	row->placed |= COLUMN_BIT(column);
	return *owned ? MemoryContextAlloc(row->context, size) :
		take_room(row->set, row->table, size);
}

/* The row takes over a value that is in its context. */
static inline void
take_over(Row *row, int column, void *value, bool owned)
{
	if (!row->nulls[column] && (row->owned & COLUMN_BIT(column)) != 0)
		pfree(DatumGetPointer(row->values[column]));
	row->values[column] = PointerGetDatum(value);
	row->nulls[column] = false;
	row->owned &= ~COLUMN_BIT(column);
	if (owned)
		row->owned |= COLUMN_BIT(column);
	row->changed |= COLUMN_BIT(column);
}

void
row_set_copy(Row *row, int column, Datum value)
{
	Size		length = tables[row->table].columns[column].type == INTERVALOID ?
		sizeof(Interval) : VARSIZE_ANY(DatumGetPointer(value));
	void	   *copy;
	bool		owned;

	copy = value_room(row, column, length, &owned);
	memcpy(copy, DatumGetPointer(value), length);
	take_over(row, column, copy, owned);
}

void
row_set_characters(Row *row, int column, const char *value, int length)
{
	bool		owned;
	text	   *copy = value_room(row, column, VARHDRSZ + length, &owned);

	SET_VARSIZE(copy, VARHDRSZ + length);
	memcpy(VARDATA(copy), value, length);
	take_over(row, column, copy, owned);
}

void
row_set_text(Row *row, int column, const char *value)
{
	row_set_characters(row, column, value, strlen(value));
}

void
row_add(Row *row, int column, Numeric amount)
{
	MemoryContext old;

	if (row->nulls[column] || row_numeric(row, column) == num_zero())
	{
		row_set(row, column, NumericGetDatum(amount));
		return;
	}
	old = MemoryContextSwitchTo(row->context);
	amount = num_add(row_numeric(row, column), amount);
	MemoryContextSwitchTo(old);
	take_over(row, column, amount, true);
}

char *
row_text(const Row *row, int column)
{
	return TextDatumGetCString(row->values[column]);
}

bool
row_text_is(const Row *row, int column, const char *value)
{
	struct varlena *text = (struct varlena *) DatumGetPointer(row->values[column]);
	Size		length = strlen(value);

	return VARSIZE_ANY_EXHDR(text) == length && memcmp(VARDATA_ANY(text), value, length) == 0;
}

/*
 * Flush
 */

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
		if (has_places(row->set, row->table) && ItemPointerIsValid(&row->place))
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

/* The error of a row that a unique index refused is raised as its table's. */
pg_noreturn static void
raise_conflict(const Table *table, MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
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
write_rivals(Writer *writer, List *rows, const Table *table)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		write_rows(writer, rows);
	}
	PG_CATCH();
	{
		raise_conflict(table, context);
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
	stop_reading(rows);
	if (rows->context != NULL)
		MemoryContextDelete(rows->context);
	rows->context = NULL;
	rows->room_left = 0;
	rows->index = NULL;
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
	TableRows  *rows = &set->tables[table];

	if (has_changed(rows->rows))
	{
		Writer		writer;

		writer_begin(&writer, estate_of(set), table_of(set, table), tables[table].ncolumns, true);
		fence_check_columns(&tables[table], RelationGetDescr(writer.table));
		if (tables[table].conflict_code != 0)
			write_rivals(&writer, rows->rows, &tables[table]);
		else
			write_rows(&writer, rows->rows);
		writer_end(&writer);
	}
	forget_rows(rows);
}

static bool
is_entry(TableId table)
{
	return table == TABLE_FUND_ENTRY || table == TABLE_HOLDING_ENTRY;
}

/* The rows make room for the next ones. */
static void
sum_up(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];
	ListCell   *cell;

	if (rows->rows == NIL)
		return;
	foreach(cell, rows->rows)
		row_sum_add(&rows->sum, lfirst(cell), set->seed);
	MemoryContextReset(rows->context);
	rows->room_left = 0;
	rows->rows = NIL;
}

bool
rows_sums_hold(RowSet *set)
{
	int			i;

	if (!set->sums)
		return true;
	for (i = 0; i < NTABLES; i++)
	{
		if (!is_entry(i))
			continue;
		sum_up(set, i);
		if (!row_sum_equals_table(&set->tables[i].sum, i, fundes_relation(tables[i].name), set->seed))
			return false;
	}
	return true;
}

bool
rows_settle(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];

	Assert(set->scratch);
	if (set->sums && is_entry(table))
		return true;
	if (rows->spilled ||
		!rows_equal_table(rows->index, rows->rows, fundes_relation(tables[table].name)))
	{
		(void) table_of(set, table);
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

static Size
memory_allowed(const RowSet *set)
{
	return set->scratch ? maintenance_work_mem * (Size) 1024 : FLUSH_BYTES;
}

void
rows_relieve(RowSet *set)
{
	int			i;

	if (++set->events % LOOK_EVERY != 0)
		return;
	if (set->sums)
	{
		sum_up(set, TABLE_FUND_ENTRY);
		sum_up(set, TABLE_HOLDING_ENTRY);
	}
	if (MemoryContextMemAllocated(set->context, true) < memory_allowed(set))
		return;
	for (i = 0; i < NTABLES; i++)
		if (tables[i].journal)
			rows_flush_table(set, i);
	if (MemoryContextMemAllocated(set->context, true) >= memory_allowed(set))
		rows_flush(set);
}

/* What is in memory is written first, so that the index has all. */
void
rows_walk_back(RowSet *set, TableId table, Datum first,
			   bool (*visit) (Row *row, void *arg), void *arg)
{
	Probe		probe;
	bool		found;

	rows_flush_table(set, table);
	probe.nkeys = 0;
	probe_key(&probe, tables[table].columns[0].type, first);
	for (found = probe_begin(&probe, table_of(set, table),
							 index_of(set, table), BackwardScanDirection);
		 found; found = probe_next(&probe, BackwardScanDirection))
	{
		Datum		keys[PROBE_MAX_KEYS];
		int			i;

		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < tables[table].nkeys; i++)
			keys[i] = probe_value(&probe, i + 1);
		if (!visit(rows_find(set, table, keys), arg))
			break;
	}
	probe_end(&probe);
}
