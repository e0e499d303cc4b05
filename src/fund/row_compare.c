/*-------------------------------------------------------------------------
 *
 * row_compare.c
 *	  Comparing the rows of a RowSet with a table, see row_compare.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/table.h"
#include "access/tableam.h"
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

static bool
same_bytes(Datum a, Datum b)
{
	struct varlena *x = (struct varlena *) DatumGetPointer(a);
	struct varlena *y = (struct varlena *) DatumGetPointer(b);

	return is_plain(x) && is_plain(y) &&
		VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

static bool
same_row(const Row *row, TupleTableSlot *slot)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		bool		same;

		if (row->nulls[i] || slot->tts_isnull[i])
			same = row->nulls[i] && slot->tts_isnull[i];
		else if (column->attbyval)
			same = row->values[i] == slot->tts_values[i];
		else if (column->attlen < 0)
			same = same_bytes(row->values[i], slot->tts_values[i]);
		else
			same = memcmp(DatumGetPointer(row->values[i]),
						  DatumGetPointer(slot->tts_values[i]), column->attlen) == 0;
		if (!same)
			return false;
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
	ListCell   *cell;

	if (c->index == NULL)
	{
		c->index = row_index_create(((Row *) linitial(c->rows))->table, CurrentMemoryContext);
		foreach(cell, c->rows)
			row_index_put(c->index, lfirst(cell));
	}
	return row_index_find(c->index, slot->tts_values);
}

/* Whether the row that the slot holds is among the rows, for the first time. */
static bool
take_row(Comparison *c, TupleTableSlot *slot)
{
	Row		   *row = NULL;

	slot_getallattrs(slot);
	while (c->next < list_length(c->rows) &&
		   (row = list_nth(c->rows, c->next))->seen)
		c->next++;
	if (c->next == list_length(c->rows) || !same_row(row, slot))
	{
		row = find_row(c, slot);
		if (row == NULL || row->seen || !same_row(row, slot))
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
		CHECK_FOR_INTERRUPTS();
		equal = left-- > 0 && take_row(&c, slot);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);
	return equal && left == 0;
}
