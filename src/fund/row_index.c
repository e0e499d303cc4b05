/*-------------------------------------------------------------------------
 *
 * row_index.c
 *	  Finding the rows of a RowSet by their keys, see row_index.h.
 *
 *	  A hash table of pointers to rows: the keys are read from the rows.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fund/row_index.h"

typedef struct RowEntry
{
	Row		   *row;
	uint32		hash;
	char		status;			/* simplehash's own */
} RowEntry;

/*
 * Ids are handed out one after the other, and looked up so: a few of them lie in
 * one line of the processor's cache.
 */
static inline uint32
hash_number(Datum key)
{
	uint32		number = (uint32) key ^ (uint32) (key >> 32);

	return murmurhash32(number >> 2) << 2 | (number & 3);
}

static inline uint32
hash_key(const Row *row, int nkeys)
{
	const Table *table = &tables[row->table];
	uint32		hash = 0;
	int			i;

	for (i = 0; i < nkeys; i++)
	{
		Datum		key = row->values[i];
		uint32		part;

		if (table->columns[i].type == TEXTOID)
			part = hash_bytes((unsigned char *) VARDATA_ANY(DatumGetPointer(key)),
							  VARSIZE_ANY_EXHDR(DatumGetPointer(key)));
		else
			part = hash_number(key);
		hash = hash_combine(hash, part);
	}
	return hash;
}

static inline bool
same_key(const Row *a, const Row *b, int nkeys)
{
	const Table *table = &tables[a->table];
	int			i;

	for (i = 0; i < nkeys; i++)
	{
		struct varlena *x,
				   *y;

		if (table->columns[i].type != TEXTOID)
		{
			if (a->values[i] != b->values[i])
				return false;
			continue;
		}
		x = (struct varlena *) DatumGetPointer(a->values[i]);
		y = (struct varlena *) DatumGetPointer(b->values[i]);
		if (VARSIZE_ANY_EXHDR(x) != VARSIZE_ANY_EXHDR(y) ||
			memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) != 0)
			return false;
	}
	return true;
}

/* How many columns tell the rows of an index apart: it lies in the hash table's private data. */
#define NKEYS(tb) ((int) (intptr_t) (tb)->private_data)

#define SH_PREFIX entries
#define SH_ELEMENT_TYPE RowEntry
#define SH_KEY_TYPE Row *
#define SH_KEY row
#define SH_HASH_KEY(tb, key) hash_key((key), NKEYS(tb))
#define SH_EQUAL(tb, a, b) same_key((a), (b), NKEYS(tb))
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct RowIndex
{
	entries_hash *entries;
	TableId		table;
};

RowIndex *
row_index_create(TableId table, int nkeys, MemoryContext context)
{
	RowIndex   *index = MemoryContextAlloc(context, sizeof(RowIndex));

	index->table = table;
	index->entries = entries_create(context, 8, (void *) (intptr_t) nkeys);
	return index;
}

void
row_index_put(RowIndex *index, Row *row)
{
	bool		found;
	RowEntry   *entry = entries_insert(index->entries, row, &found);

	entry->row = row;
}

Row *
row_index_find(RowIndex *index, const Datum *keys)
{
	Row			sought;
	RowEntry   *entry;

	sought.table = index->table;
	sought.values = unconstify(Datum *, keys);
	entry = entries_lookup(index->entries, &sought);
	return entry == NULL ? NULL : entry->row;
}
