/*-------------------------------------------------------------------------
 *
 * btree_last.c
 *	  The last entry of a B-tree that is not above a key, see btree_last.h.
 *
 *	  It goes down as an insertion does, to the leaf where an entry above all
 *	  with that key would go; the one before it is the last of them, if there
 *	  is any.  Whatever is not as simple is left to an index scan: an entry
 *	  that may be on the page to the left, one that stands for several rows, and
 *	  SERIALIZABLE, where a scan leaves predicate locks.
 *
 *	  Of an index over two bigints a backend remembers in which leaf and buffer
 *	  it found a key, and looks there first.  That is a hint: the buffer tells
 *	  whether it still has that page of that index, and the page whether it is a
 *	  leaf with an entry below the key and an upper bound above it.  A descent
 *	  would lead to no other.
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
#include "common/hashfn.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static bool
is_simple(Relation table, Relation index)
{
	return index->rd_rel->relam == BTREE_AM_OID &&
		table->rd_tableam == GetHeapamTableAmRoutine() &&
		!IsolationIsSerializable();
}

/*
 * A key that is above all entries that begin with values which the caller puts in
 * its first columns.  Made without values, which also takes the index for one of now.
 */
static BTScanInsert
key_above(Relation index, int ncolumns)
{
	BTScanInsert key = _bt_mkscankey(index, NULL);
	int			i;

	key->nextkey = true;
	key->anynullkeys = false;
	key->keysz = ncolumns;
	for (i = 0; i < ncolumns; i++)
	{
		Assert(index->rd_indoption[i] == 0);
		key->scankeys[i].sk_flags &= ~SK_ISNULL;
	}
	return key;
}

/* The leaf where an entry above all that begin with the key would go, locked. */
static Buffer
descend(Relation table, Relation index, BTScanInsert key)
{
	Buffer		leaf;

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
 * The last entry of a leaf that is not above the key, of those whose first columns
 * are equal to its.  Where rows count, it passes over entries that are marked dead,
 * as a scan does; on a standby one that is dead for the primary may count.  The key
 * is left with those columns.
 */
static BtreeLast
last_on_page(Relation index, BTScanInsert key, int nequal, Page page, bool rows_count,
			 IndexTuple *entry)
{
	BTPageOpaque opaque = BTPageGetOpaque(page);
	OffsetNumber place = first_above(index, key, page);

	key->keysz = nequal;
	while (place > P_FIRSTDATAKEY(opaque))
	{
		ItemId		item;

		place = OffsetNumberPrev(place);
		if (nequal > 0 && _bt_compare(index, key, page, place) != 0)
			return BTREE_LAST_NONE;
		item = PageGetItemId(page, place);
		*entry = (IndexTuple) PageGetItem(page, item);
		if (!rows_count)
			return BTREE_LAST_FOUND;
		if (!ItemIdIsDead(item) || TransactionStartedDuringRecovery())
			return BTreeTupleIsPosting(*entry) ? BTREE_LAST_UNKNOWN : BTREE_LAST_FOUND;
	}
	return P_LEFTMOST(opaque) ? BTREE_LAST_NONE : BTREE_LAST_UNKNOWN;
}

/*
 * The row is looked at later: by a snapshot that does not show what takes its place
 * when VACUUM has removed it.
 */
BtreeLast
btree_last_place(Relation table, Relation index, const ScanKeyData *keys, int nkeys,
				 ItemPointer place)
{
	int			nequal = keys[nkeys - 1].sk_strategy == BTEqualStrategyNumber ? nkeys : nkeys - 1;
	BtreeLast	result = BTREE_LAST_NONE;
	BTScanInsert key;
	Buffer		buffer;
	IndexTuple	entry;
	int			i;

	if (!is_simple(table, index))
		return BTREE_LAST_UNKNOWN;
	key = key_above(index, nkeys);
	for (i = 0; i < nkeys; i++)
		key->scankeys[i].sk_argument = keys[i].sk_argument;
	buffer = descend(table, index, key);
	if (BufferIsValid(buffer))
	{
		result = last_on_page(index, key, nequal, BufferGetPage(buffer), true, &entry);
		if (result == BTREE_LAST_FOUND)
			*place = entry->t_tid;
		_bt_relbuf(index, buffer);
	}
	pfree(key);
	if (result != BTREE_LAST_UNKNOWN)
		pgstat_count_index_scan(index);
	return result;
}

/*
 * Of an index over two bigints
 */

/* A key is remembered in the one slot that it gives, which it may lose. */
#define MAX_RECENT 4096

typedef struct RecentLeaf
{
	int64		first;
	BlockNumber block;
	Buffer		buffer;			/* not valid: the slot is free */
} RecentLeaf;

static RecentLeaf recent[MAX_RECENT];

static RecentLeaf *
slot_of(Relation index, int64 first)
{
	return &recent[murmurhash64((uint64) first ^ (uint64) RelationGetRelid(index) << 32) % MAX_RECENT];
}

/* Whether a page is a leaf with an entry below the key and an upper bound above it. */
static bool
surrounds(Relation index, BTScanInsert key, Page page)
{
	BTPageOpaque opaque;

	if (PageIsNew(page) || PageGetSpecialSize(page) != MAXALIGN(sizeof(BTPageOpaqueData)))
		return false;
	opaque = BTPageGetOpaque(page);
	return P_ISLEAF(opaque) && !P_IGNORE(opaque) &&
		PageGetMaxOffsetNumber(page) >= P_FIRSTDATAKEY(opaque) &&
		_bt_compare(index, key, page, P_FIRSTDATAKEY(opaque)) >= 0 &&
		(P_RIGHTMOST(opaque) || _bt_compare(index, key, page, P_HIKEY) < 0);
}

/* The leaf where the key was found last, locked, if it is still the one. */
static Buffer
recent_leaf(Relation index, BTScanInsert key, const RecentLeaf *slot)
{
	if (!BufferIsValid(slot->buffer) ||
		!read_recent_buffer(index, slot->block, slot->buffer))
		return InvalidBuffer;
	_bt_lockbuf(index, slot->buffer, BT_READ);
	if (surrounds(index, key, BufferGetPage(slot->buffer)))
		return slot->buffer;
	_bt_relbuf(index, slot->buffer);
	return InvalidBuffer;
}

/* The same as a descent. */
static Buffer
find_leaf(Relation table, Relation index, BTScanInsert key, int64 first)
{
	RecentLeaf *slot = slot_of(index, first);
	Buffer		leaf = slot->first == first ? recent_leaf(index, key, slot) : InvalidBuffer;

	if (BufferIsValid(leaf))
		return leaf;
	leaf = descend(table, index, key);
	slot->first = first;
	slot->buffer = leaf;
	if (BufferIsValid(leaf))
		slot->block = BufferGetBlockNumber(leaf);
	return leaf;
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
 * The leaf stays locked while the row is looked at, as in the check of a unique
 * index: so VACUUM cannot give the row's place to another one.
 */
static BtreeLast
find_last(Relation table, Relation index, int64 first, bool live, int64 *second)
{
	BtreeLast	result = BTREE_LAST_NONE;
	BTScanInsert key;
	Buffer		buffer;
	IndexTuple	entry;
	bool		isnull;

	if (!is_simple(table, index) || IndexRelationGetNumberOfKeyAttributes(index) < 2 ||
		index->rd_opcintype[0] != INT8OID || index->rd_opcintype[1] != INT8OID)
		return BTREE_LAST_UNKNOWN;
	key = key_above(index, 1);
	key->scankeys[0].sk_argument = Int64GetDatum(first);
	buffer = find_leaf(table, index, key, first);
	if (BufferIsValid(buffer))
	{
		result = last_on_page(index, key, 1, BufferGetPage(buffer), live, &entry);
		if (result == BTREE_LAST_FOUND && live && !is_live(table, &entry->t_tid))
			result = BTREE_LAST_UNKNOWN;
		if (result == BTREE_LAST_FOUND)
			*second = DatumGetInt64(index_getattr(entry, 2, RelationGetDescr(index), &isnull));
		_bt_relbuf(index, buffer);
	}
	pfree(key);
	return result;
}

BtreeLast
btree_last(Relation table, Relation index, int64 first, int64 *second)
{
	return find_last(table, index, first, true, second);
}

bool
btree_ends(Relation table, Relation index, int64 first, int64 second)
{
	int64		last = PG_INT64_MIN;

	return find_last(table, index, first, false, &last) != BTREE_LAST_UNKNOWN &&
		last <= second;
}
