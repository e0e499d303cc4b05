/*-------------------------------------------------------------------------
 *
 * btree_last.c
 *	  The last entry of a B-tree under its first key, see btree_last.h.
 *
 *	  It goes down as an insertion does, to the leaf where an entry above all
 *	  with that first key would go; the one before it is the last of them, if
 *	  there is any.  Whatever is not as simple is left to an index scan: an entry
 *	  that may be on the page to the left, one that stands for several rows, and
 *	  SERIALIZABLE, where a scan leaves predicate locks.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/heapam.h"
#include "access/nbtree.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "btree_last.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static bool
is_simple(Relation table, Relation index)
{
	return index->rd_rel->relam == BTREE_AM_OID &&
		IndexRelationGetNumberOfKeyAttributes(index) >= 2 &&
		index->rd_opcintype[0] == INT8OID && index->rd_opcintype[1] == INT8OID &&
		table->rd_tableam == GetHeapamTableAmRoutine() &&
		!IsolationIsSerializable();
}

/*
 * The leaf where an entry above all that begin with the key would go, locked.  A
 * key without values is made, of which only the first column is used.
 */
static Buffer
find_leaf(Relation table, Relation index, BTScanInsert key, int64 first)
{
	Buffer		leaf;

	key->nextkey = true;
	key->anynullkeys = false;
	key->keysz = 1;
	key->scankeys[0].sk_argument = Int64GetDatum(first);
	key->scankeys[0].sk_flags &= ~SK_ISNULL;
	_bt_freestack(bt_search_leaf(table, index, key, &leaf));
	return leaf;
}

/* The first entry of a leaf that is above the key. */
static OffsetNumber
first_above(Relation index, BTScanInsert key, Page page)
{
	OffsetNumber low = P_FIRSTDATAKEY(BTPageGetOpaque(page));
	OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(page));

	while (low < high)
	{
		OffsetNumber middle = low + (high - low) / 2;

		if (_bt_compare(index, key, page, middle) >= 0)
			low = OffsetNumberNext(middle);
		else
			high = middle;
	}
	return low;
}

/*
 * Whether a row is committed or our own: nobody who still may commit has made it,
 * as he would hold the lock that the caller holds.
 */
static bool
is_live(Relation table, ItemPointer place)
{
	ItemPointerData tid = *place;
	Buffer		buffer = ReadBuffer(table, ItemPointerGetBlockNumber(place));
	HeapTupleData tuple;
	bool		found;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	found = heap_hot_search_buffer(&tid, table, buffer, SnapshotSelf, &tuple, NULL, true);
	UnlockReleaseBuffer(buffer);
	return found;
}

/*
 * Entries that are marked dead, as a scan marks them, are passed over.  The leaf
 * stays locked while the row is looked at, as in the check of a unique index: so
 * VACUUM cannot give the row's place to another one.
 */
static BtreeLast
last_in_leaf(Relation table, Relation index, BTScanInsert key, Page page,
			 int64 first, int64 *second)
{
	BTPageOpaque opaque = BTPageGetOpaque(page);
	OffsetNumber place = first_above(index, key, page);
	TupleDesc	desc = RelationGetDescr(index);

	while (place > P_FIRSTDATAKEY(opaque))
	{
		ItemId		item;
		IndexTuple	entry;
		bool		isnull;

		place = OffsetNumberPrev(place);
		item = PageGetItemId(page, place);
		entry = (IndexTuple) PageGetItem(page, item);
		if (DatumGetInt64(index_getattr(entry, 1, desc, &isnull)) != first)
			return BTREE_LAST_NONE;
		if (ItemIdIsDead(item))
			continue;
		if (BTreeTupleIsPosting(entry) || !is_live(table, &entry->t_tid))
			return BTREE_LAST_UNKNOWN;
		*second = DatumGetInt64(index_getattr(entry, 2, desc, &isnull));
		return BTREE_LAST_FOUND;
	}
	return P_LEFTMOST(opaque) ? BTREE_LAST_NONE : BTREE_LAST_UNKNOWN;
}

BtreeLast
btree_last(Relation table, Relation index, int64 first, int64 *second)
{
	BTScanInsert key;
	Buffer		leaf;
	BtreeLast	result = BTREE_LAST_NONE;

	if (!is_simple(table, index))
		return BTREE_LAST_UNKNOWN;
	key = _bt_mkscankey(index, NULL);
	leaf = find_leaf(table, index, key, first);
	if (BufferIsValid(leaf))
	{
		result = last_in_leaf(table, index, key, BufferGetPage(leaf), first, second);
		_bt_relbuf(index, leaf);
	}
	pfree(key);
	return result;
}
