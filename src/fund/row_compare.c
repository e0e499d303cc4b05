/*-------------------------------------------------------------------------
 *
 * row_compare.c
 *	  Comparing the rows of a RowSet with a table, see row_compare.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fund/row_compare.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Neither compressed nor out of line. */
static inline bool
is_plain(struct varlena *value)
{
	return !VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value);
}

static inline bool
same_bytes(Datum a, Datum b)
{
	struct varlena *x = (struct varlena *) DatumGetPointer(a);
	struct varlena *y = (struct varlena *) DatumGetPointer(b);

	return is_plain(x) && is_plain(y) &&
		VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

/*
 * Values are compared where they lie in the tuple: to take it apart first costs
 * as much as to compare them.  A tuple from before a column was added counts as
 * different, as one that is written in another way does.
 */
static bool
same_row(const Row *row, HeapTuple tuple, TupleDesc desc)
{
	HeapTupleHeader header = tuple->t_data;
	char	   *data = (char *) header + header->t_hoff;
	bool		has_nulls = HeapTupleHasNulls(tuple);
	Size		offset = 0;
	int			i;

	if (HeapTupleHeaderGetNatts(header) != desc->natts)
		return false;
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		bool		is_null = has_nulls && att_isnull(i, header->t_bits);
		char	   *stored;
		bool		same;

		if (row->nulls[i] != is_null)
			return false;
		if (is_null)
			continue;
		offset = att_align_pointer(offset, column->attalign, column->attlen, data + offset);
		stored = data + offset;
		if (column->attbyval)
			same = row->values[i] == fetchatt(column, stored);
		else if (column->attlen < 0)
			same = same_bytes(row->values[i], PointerGetDatum(stored));
		else
			same = memcmp(DatumGetPointer(row->values[i]), stored, column->attlen) == 0;
		if (!same)
			return false;
		offset = att_addlength_pointer(offset, column->attlen, stored);
	}
	return true;
}

/* Rows that are compared, and those of them that were met. */
typedef struct Comparison
{
	List	   *rows;
	int			next;			/* the one that comes next, if the table has their order */
	RowIndex   *index;			/* or where to look for it: made when it is needed */
} Comparison;

static Row *
find_row(Comparison *c, TupleTableSlot *slot)
{
	TableId		table = ((Row *) linitial(c->rows))->table;
	ListCell   *cell;

	if (c->index == NULL)
	{
		c->index = row_index_create(table, tables[table].nkeys, CurrentMemoryContext);
		foreach(cell, c->rows)
			row_index_put(c->index, lfirst(cell));
	}
	slot_getsomeattrs(slot, tables[table].nkeys);
	return row_index_find(c->index, slot->tts_values);
}

/* Whether the row that the slot holds is among the rows, for the first time. */
static bool
take_row(Comparison *c, TupleTableSlot *slot, HeapTuple tuple)
{
	Row		   *row = NULL;

	while (c->next < list_length(c->rows) &&
		   (row = list_nth(c->rows, c->next))->seen)
		c->next++;
	if (c->next == list_length(c->rows) || !same_row(row, tuple, slot->tts_tupleDescriptor))
	{
		row = find_row(c, slot);
		if (row == NULL || row->seen || !same_row(row, tuple, slot->tts_tupleDescriptor))
			return false;
	}
	row->seen = true;
	return true;
}

/* Most tables have their rows in the order in which a fold meets them. */
bool
rows_equal_table(RowIndex *index, List *rows, Oid relation)
{
	Relation	table = table_open(relation, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, NULL);
	Comparison	c = {.rows = rows, .index = index};
	int			left = list_length(rows);
	bool		equal = true;

	while (equal && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		copied;
		HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &copied);

		CHECK_FOR_INTERRUPTS();
		equal = left-- > 0 && take_row(&c, slot, tuple);
		if (copied)
			heap_freetuple(tuple);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);
	return equal && left == 0;
}

/* The bytes of a value that is passed by reference. */
static uint64
hash_referenced(Oid type, Datum datum, uint64 seed)
{
	struct varlena *value;
	uint64		hash;

	if (type == INTERVALOID)
		return hash_bytes_extended((unsigned char *) DatumGetPointer(datum), sizeof(Interval), seed);
	value = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(datum));
	hash = hash_bytes_extended((unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), seed);
	if ((Pointer) value != DatumGetPointer(datum))
		pfree(value);
	return hash;
}

/*
 * A column's number goes into the hash, so that a value in another column differs:
 * mixed in by itself, as otherwise a value that is a few bits off would make up for it.
 */
static void
add_values(RowSum *sum, TableId table, const Datum *values, const bool *nulls, uint64 seed)
{
	uint64		hash = seed;
	int			i;

	for (i = 0; i < tables[table].ncolumns; i++)
	{
		if (nulls[i])
			continue;
		if ((by_reference[table] & COLUMN_BIT(i)) != 0)
			hash = hash_referenced(tables[table].columns[i].type, values[i], hash + i);
		else
			hash = murmurhash64(murmurhash64(hash + i) ^ values[i]);
	}
	sum->count++;
	sum->hashes += hash;
}

void
row_sum_add(RowSum *sum, const Row *row, uint64 seed)
{
	add_values(sum, row->table, row->values, row->nulls, seed);
}

bool
row_sum_of_table(RowSum *sum, TableId table, Oid relation, uint64 seed)
{
	Relation	stored = table_open(relation, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(stored, NULL);
	TableScanDesc scan = table_beginscan(stored, GetActiveSnapshot(), 0, NULL);
	bool		known = RelationGetNumberOfAttributes(stored) == tables[table].ncolumns;

	sum->count = sum->hashes = 0;
	while (known && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		add_values(sum, table, slot->tts_values, slot->tts_isnull, seed);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(stored, AccessShareLock);
	return known;
}
