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
#include "btree_last.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fund/money.h"
#include "fund/projection_internal.h"
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

/*
 * Rows and the first values of their columns lie close together in pieces of
 * memory that grow from the first size to the last.
 */
#define FIRST_ROOM 512
#define LAST_ROOM (32 * 1024)

StaticAssertDecl(MAX_COLUMNS <= 64, "COLUMN_BIT is of 64 bits");

/* What the columns are, by COLUMN_BIT, and what the indexes are called. */
uint64		by_reference[NTABLES];
static uint64 numbers[NTABLES];
static char primary_keys[NTABLES][NAMEDATALEN];

static bool
is_by_reference(Oid type)
{
	return type == TEXTOID || type == NUMERICOID || type == JSONBOID || type == INTERVALOID;
}

void
rows_init(void)
{
	int			table;
	int			i;

	for (table = 0; table < NTABLES; table++)
	{
		snprintf(primary_keys[table], NAMEDATALEN, "%s_pkey", tables[table].name);
		for (i = 0; i < tables[table].ncolumns; i++)
		{
			if (is_by_reference(tables[table].columns[i].type))
				by_reference[table] |= COLUMN_BIT(i);
			if (tables[table].columns[i].type == NUMERICOID)
				numbers[table] |= COLUMN_BIT(i);
		}
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

	set->context = context;
	return set;
}

RowSet *
rows_begin_scratch(bool sums, uint64 seed)
{
	RowSet	   *set = rows_begin();

	set->scratch = true;
	set->sums = sums;
	set->seed = seed;
	return set;
}

RowSet *
rows_begin_confined(uint64 seed, pg_atomic_uint64 *room)
{
	RowSet	   *set = rows_begin_scratch(true, seed);

	set->room = room;
	return set;
}

void
rows_stop_reading(TableRows *rows)
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
		rows_stop_reading(&set->tables[i]);
	if (set->room != NULL)
		pg_atomic_fetch_sub_u64(set->room, set->taken);
	if (set->estate != NULL)
		FreeExecutorState(set->estate);
	MemoryContextDelete(set->context);
}

/*
 * Rows
 */

/* Of a table's rows in the set.  Made at first use: most sets touch few tables. */
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
	row->table = table;
	row->values = (Datum *) ((char *) row + MAXALIGN(sizeof(Row)));
	row->nulls = (bool *) (row->values + ncolumns);
	memset(row->nulls, true, sizeof(bool) * ncolumns);
	rows->rows = lappend(rows->rows, row);
	MemoryContextSwitchTo(old);
	return row;
}

Oid
rows_table_of(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];

	if (!set->scratch)
		return fundes_relation(tables[table].name);
	if (!rows->spilled)
		scratch_create(table);
	rows->spilled = true;
	return scratch_relation(table);
}

static void
make_scratch_index(TableId table)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		scratch_create_index(table);
	}
	PG_CATCH();
	{
		rows_raise_conflict(table, context);
	}
	PG_END_TRY();
}

const char *
rows_index_of(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];

	if (!set->scratch)
		return primary_keys[table];
	if (!rows->indexed)
	{
		(void) rows_table_of(set, table);
		make_scratch_index(table);
	}
	rows->indexed = true;
	return psprintf(SCRATCH_PREFIX "%s", primary_keys[table]);
}

bool
rows_are_kept(const RowSet *set, TableId table)
{
	return set->scratch && !set->tables[table].spilled;
}

/* A row as it is stored: its values point into a copy until they change. */
static Row *
take_stored(RowSet *set, TableId table, TupleTableSlot *slot)
{
	Row		   *row = new_row(set, table);
	MemoryContext old = MemoryContextSwitchTo(context_of(row->set, row->table));
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
		rows_stop_reading(rows);
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
		found = probe_begin(rows->probe, rows_table_of(set, table),
							rows_index_of(set, table), ForwardScanDirection);
	else
		found = probe_begin_write(rows->probe, rows_table_of(set, table),
								  rows_index_of(set, table), ForwardScanDirection);
	rows->reading = true;
	rows->ranging = ranging;
	MemoryContextSwitchTo(old);
	return found;
}

/* Of rows whose key is one bigint, and which are changed again and again. */
bool
rows_have_places(const RowSet *set, TableId table)
{
	return (table == TABLE_FUND || table == TABLE_MCP) && !set->scratch;
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
	RowPlace   *place = row_place_find(table, key);
	Row		   *row = NULL;
	Probe		probe;

	if (place == NULL)
		return NULL;
	if (probe_begin_at(&probe, rows_table_of(set, table), &place->tid, &place->buffer) &&
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

	if (rows_are_kept(set, table))
		return NULL;
	if (rows_have_places(set, table) && !rows->reading &&
		(row = find_in_place(set, table, DatumGetInt64(keys[0]))) != NULL)
		return row;
	if (!read_first(set, table, keys, false))
		return NULL;
	if (set->scratch)
		return take_stored(set, table, rows->probe->slot);
	row = take_found(set, table, rows->probe);
	if (rows_have_places(set, table))
		row_place_remember(row);
	return row;
}

/* As a rule there is no row, and that is told by the end of the index alone. */
static bool
ends_before(RowSet *set, TableId table, int64 first, int64 from)
{
	TableRows  *rows = &set->tables[table];
	Relation	relation;
	Relation	index;
	bool		ends;

	if (rows->reading)
		return btree_ends(rows->probe->table, rows->probe->index, first, from - 1);
	relation = table_open(rows_table_of(set, table), RowExclusiveLock);
	index = index_open(fundes_relation(primary_keys[table]), RowExclusiveLock);
	ends = btree_ends(relation, index, first, from - 1);
	index_close(index, NoLock);
	table_close(relation, NoLock);
	return ends;
}

void
rows_walk_from(RowSet *set, TableId table, Datum first, int64 from,
			   bool (*visit) (Row *row, void *arg), void *arg)
{
	TableRows  *rows = &set->tables[table];
	Datum		keys[2];
	bool		found;

	Assert(!set->scratch && tables[table].columns[1].type == INT8OID);
	if (ends_before(set, table, DatumGetInt64(first), from))
		return;
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
	for (found = probe_begin_write(&probe, rows_table_of(set, table),
								   rows_index_of(set, table), ForwardScanDirection);
		 found && DatumGetInt64(probe_value(&probe, 1)) <= last;
		 found = probe_next(&probe, ForwardScanDirection))
	{
		CHECK_FOR_INTERRUPTS();
		(void) take_stored(set, table, probe.slot);
	}
	probe_end(&probe);
}

/* Made at the first look-up: of most journals no row is looked up. */
static void
make_index(RowSet *set, TableId table)
{
	TableRows  *rows = &set->tables[table];
	ListCell   *cell;

	rows->index = row_index_create(table, tables[table].nkeys, context_of(set, table));
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

/* A row that the set has already, by the key of the stored one. */
static Row *
find_kept(RowSet *set, TableId table, TupleTableSlot *stored)
{
	Datum		keys[PROBE_MAX_KEYS];
	bool		isnull;
	int			i;

	for (i = 0; i < tables[table].nkeys; i++)
		keys[i] = slot_getattr(stored, i + 1, &isnull);
	return rows_find_known(set, table, keys);
}

List *
rows_select(RowSet *set, TableId table, const char *index, Datum first,
			bool (*wanted) (TupleTableSlot *stored, void *arg), void *arg)
{
	bool		any_kept = set->tables[table].rows != NIL;
	List	   *rows = NIL;
	Probe		probe;
	bool		found;

	Assert(!set->scratch);
	probe.nkeys = 0;
	probe_key(&probe, INT8OID, first);
	for (found = probe_begin_write(&probe, rows_table_of(set, table), index,
								   ForwardScanDirection);
		 found; found = probe_next(&probe, ForwardScanDirection))
	{
		Row		   *row;

		CHECK_FOR_INTERRUPTS();
		if (!wanted(probe.slot, arg))
			continue;
		probe_require_known(&probe);
		row = any_kept ? find_kept(set, table, probe.slot) : NULL;
		if (row == NULL)
		{
			row = take_stored(set, table, probe.slot);
			if (set->tables[table].index != NULL)
				row_index_put(set->tables[table].index, row);
		}
		rows = lappend(rows, row);
	}
	probe_end(&probe);
	return rows;
}

Row *
rows_find_known(RowSet *set, TableId table, const Datum *keys)
{
	if (set->tables[table].index == NULL)
		make_index(set, table);
	return row_index_find(set->tables[table].index, keys);
}

/* Whether a row comes before another one with the same first key; all keys are integers. */
static bool
comes_before(const Row *row, const Row *other)
{
	int			i;

	for (i = 1; i < tables[row->table].nkeys; i++)
		if (row->values[i] != other->values[i])
			return (int64) row->values[i] < (int64) other->values[i];
	return false;
}

/* Rows with the same first key are linked from the last one, which is in an index, to the first. */
static void
link_row(RowIndex *last_rows, Row *row)
{
	Row		   *after = row_index_find(last_rows, row->values);

	if (after == NULL || comes_before(after, row))
	{
		row->link = after;
		row_index_put(last_rows, row);
		return;
	}
	while (after->link != NULL && comes_before(row, after->link))
		after = after->link;
	row->link = after->link;
	after->link = row;
}

static Row *
last_row(RowSet *set, TableId table, Datum first)
{
	TableRows  *rows = &set->tables[table];
	ListCell   *cell;

	if (rows->last_rows == NULL)
	{
		rows->last_rows = row_index_create(table, 1, context_of(set, table));
		foreach(cell, rows->rows)
			link_row(rows->last_rows, lfirst(cell));
	}
	return row_index_find(rows->last_rows, &first);
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
	if (set->tables[table].last_rows != NULL)
		link_row(set->tables[table].last_rows, row);
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
	return *owned ? MemoryContextAlloc(context_of(row->set, row->table), size) :
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
	old = MemoryContextSwitchTo(context_of(row->set, row->table));
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

void
rows_walk_back(RowSet *set, TableId table, Datum first,
			   bool (*visit) (Row *row, void *arg), void *arg)
{
	Row		   *row;
	Probe		probe;
	bool		found;

	if (rows_are_kept(set, table))
	{
		for (row = last_row(set, table, first); row != NULL && visit(row, arg); row = row->link)
			CHECK_FOR_INTERRUPTS();
		return;
	}
	/* what is in memory is written, so that the index has all */
	rows_flush_table(set, table);
	probe.nkeys = 0;
	probe_key(&probe, tables[table].columns[0].type, first);
	for (found = probe_begin(&probe, rows_table_of(set, table),
							 rows_index_of(set, table), BackwardScanDirection);
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
