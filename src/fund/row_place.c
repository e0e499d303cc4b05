/*-------------------------------------------------------------------------
 *
 * row_place.c
 *	  Where this backend has seen rows last, see row_place.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "common/hashfn.h"
#include "fund/row_place.h"

/* A row is remembered in the one slot that its key gives, which it may lose. */
#define MAX_PLACES 4096

static RowPlace places[MAX_PLACES];

static RowPlace *
slot_of(TableId table, int64 key)
{
	return &places[murmurhash32((uint32) key ^ (uint32) (key >> 32) ^ (uint32) table << 24) % MAX_PLACES];
}

RowPlace *
row_place_find(TableId table, int64 key)
{
	RowPlace   *slot = slot_of(table, key);

	return slot->table == table && slot->key == key && ItemPointerIsValid(&slot->tid) ?
		slot : NULL;
}

void
row_place_remember(const Row *row)
{
	int64		key = row_int64(row, 0);
	RowPlace   *slot = slot_of(row->table, key);

	if (slot->table != row->table || slot->key != key ||
		ItemPointerGetBlockNumberNoCheck(&slot->tid) != ItemPointerGetBlockNumber(&row->place))
		slot->buffer = InvalidBuffer;
	slot->table = row->table;
	slot->key = key;
	slot->tid = row->place;
}
