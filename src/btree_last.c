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
 *	  A backend remembers in which leaf and buffer it found a key, and looks there
 *	  first.  That is a hint: the buffer tells whether it still has that page of
 *	  that index, and the page whether it is a leaf with an entry below the key and
 *	  an upper bound above it.  A descent would lead to no other.
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
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* A key is remembered in the one slot that it gives, which it may lose. */
#define MAX_RECENT 4096

typedef struct RecentLeaf
{
	int64		first;
	BlockNumber block;
	Buffer		buffer;			/* not valid: the slot is free */
} RecentLeaf;

static RecentLeaf recent[MAX_RECENT];

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
 * A key that is above all entries that begin with first.  Made without values, which
 * also takes the index for one of now; only the first column is used.
 */
static BTScanInsert
key_above(Relation index, int64 first)
{
	BTScanInsert key = _bt_mkscankey(index, NULL);

	key->nextkey = true;
	key->anynullkeys = false;
	key->keysz = 1;
	key->scankeys[0].sk_argument = Int64GetDatum(first);
	key->scankeys[0].sk_flags &= ~SK_ISNULL;
	return key;
}

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
recent_leaf(Relation index, BTScanInsert key, int64 first)
{
	RecentLeaf *slot = slot_of(index, first);

	if (slot->first != first || !BufferIsValid(slot->buffer) ||
		!read_recent_buffer(index, slot->block, slot->buffer))
		return InvalidBuffer;
	_bt_lockbuf(index, slot->buffer, BT_READ);
	if (surrounds(index, key, BufferGetPage(slot->buffer)))
		return slot->buffer;
	_bt_relbuf(index, slot->buffer);
	return InvalidBuffer;
}

/* The leaf where an entry above all that begin with the key would go, locked. */
static Buffer
find_leaf(Relation table, Relation index, BTScanInsert key, int64 first)
{
	RecentLeaf *slot = slot_of(index, first);
	Buffer		leaf;

	_bt_freestack(bt_search_leaf(table, index, key, &leaf));
	slot->first = first;
	slot->buffer = leaf;
	if (BufferIsValid(leaf))
		slot->block = BufferGetBlockNumber(leaf);
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
 * Of the entries whose rows count, those that are marked dead, as a scan marks
 * them, are passed over.  The leaf stays locked while the row is looked at, as in
 * the check of a unique index: so VACUUM cannot give the row's place to another one.
 */
static BtreeLast
last_on_page(Relation table, Relation index, BTScanInsert key, Page page,
			 int64 first, bool live, int64 *second)
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
		if (live && ItemIdIsDead(item))
			continue;
		if (live && (BTreeTupleIsPosting(entry) || !is_live(table, &entry->t_tid)))
			return BTREE_LAST_UNKNOWN;
		*second = DatumGetInt64(index_getattr(entry, 2, desc, &isnull));
		return BTREE_LAST_FOUND;
	}
	return P_LEFTMOST(opaque) ? BTREE_LAST_NONE : BTREE_LAST_UNKNOWN;
}

static BtreeLast
find_last(Relation table, Relation index, int64 first, bool live, int64 *second)
{
	BTScanInsert key = key_above(index, first);
	Buffer		leaf = recent_leaf(index, key, first);
	BtreeLast	result = BTREE_LAST_NONE;

	if (!BufferIsValid(leaf))
		leaf = find_leaf(table, index, key, first);
	if (BufferIsValid(leaf))
	{
		result = last_on_page(table, index, key, BufferGetPage(leaf), first, live, second);
		_bt_relbuf(index, leaf);
	}
	pfree(key);
	return result;
}

BtreeLast
btree_last(Relation table, Relation index, int64 first, int64 *second)
{
	if (!is_simple(table, index))
		return BTREE_LAST_UNKNOWN;
	return find_last(table, index, first, true, second);
}

bool
btree_ends(Relation table, Relation index, int64 first, int64 second)
{
	int64		last = PG_INT64_MIN;

	return is_simple(table, index) &&
		find_last(table, index, first, false, &last) != BTREE_LAST_UNKNOWN &&
		last <= second;
}
