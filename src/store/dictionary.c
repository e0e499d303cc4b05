/*-------------------------------------------------------------------------
 *
 * dictionary.c
 *	  What a backend remembers of streams and event types, see dictionary.h.
 *
 *	  What makes a dictionary forget all it knows:
 *
 *	  - an invalidation of its table: ALTER, DROP, TRUNCATE, VACUUM, ANALYZE,
 *		and dictionary_changed(), in whatever backend, sent as it commits
 *	  - that the table of its name is another one than the entries are of, as
 *		after DROP and CREATE EXTENSION in one transaction
 *	  - the abort of a transaction or savepoint, or PREPARE TRANSACTION, where
 *		an entry is of a row that a transaction of this backend has made and
 *		not yet committed
 *	  - that it has grown too large
 *
 *	  Messages about invalidations are read here at each look-up by name: a
 *	  transaction that goes on for long must notice what others have committed.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "owner.h"
#include "storage/bufmgr.h"
#include "store/dictionary.h"
#include "utils/inval.h"
#include "utils/memutils.h"

/* Of each dictionary; names have up to 255 bytes. */
#define MAX_ENTRIES 10000

/*
 * What is read as a whole: so many blocks of a table, after so many misses for
 * each.  To find a row costs about as much as to read a quarter of a block.
 */
#define MAX_BLOCKS 64
#define MISSES_A_BLOCK 4

typedef struct NameEntry
{
	DictionaryEntry entry;
	uint32		hash;
	char		status;
} NameEntry;

#define SH_PREFIX names
#define SH_ELEMENT_TYPE NameEntry
#define SH_KEY_TYPE const char *
#define SH_KEY entry.name
#define SH_HASH_KEY(table, key) \
	hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(table, a, b) (strcmp((a), (b)) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define SH_PREFIX ids
#define SH_ELEMENT_TYPE NameEntry
#define SH_KEY_TYPE int64
#define SH_KEY entry.id
#define SH_HASH_KEY(table, key) murmurhash32((uint32) ((key) ^ (key) >> 32))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Dictionary
{
	const char *table;
	Oid			relation;		/* that the entries are of */
	uint64		epoch;			/* counts how often all was forgotten */
	bool		uncommitted;	/* whether an entry may be undone */
	int			misses;			/* since all was forgotten, or read */
	MemoryContext context;
	names_hash *by_name;
	ids_hash   *by_id;
} Dictionary;

static Dictionary dictionaries[] = {
	[DICTIONARY_STREAM] = {.table = "stream"},
	[DICTIONARY_TYPE] = {.table = "event_type"}
};

static void
forget(Dictionary *dictionary)
{
	dictionary->epoch++;
	dictionary->uncommitted = false;
	dictionary->misses = 0;
	if (dictionary->by_name == NULL)
		return;
	dictionary->by_name = NULL;
	dictionary->by_id = NULL;
	MemoryContextReset(dictionary->context);
}

static void
on_invalidation(Datum arg, Oid relation)
{
	int			i;

	for (i = 0; i < lengthof(dictionaries); i++)
		if (relation == InvalidOid || relation == dictionaries[i].relation)
			forget(&dictionaries[i]);
}

static void
forget_uncommitted(void)
{
	int			i;

	for (i = 0; i < lengthof(dictionaries); i++)
		if (dictionaries[i].uncommitted)
			forget(&dictionaries[i]);
}

static void
on_end(XactEvent event, void *arg)
{
	int			i;

	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		forget_uncommitted();
	else if (event == XACT_EVENT_COMMIT)
		for (i = 0; i < lengthof(dictionaries); i++)
			dictionaries[i].uncommitted = false;
}

static void
on_savepoint_end(SubXactEvent event, SubTransactionId subid,
				 SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_uncommitted();
}

static void
begin(Dictionary *dictionary)
{
	static bool registered = false;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
		RegisterXactCallback(on_end, NULL);
		RegisterSubXactCallback(on_savepoint_end, NULL);
		registered = true;
	}
	if (dictionary->context == NULL)
		dictionary->context = AllocSetContextCreate(TopMemoryContext,
													"fundes dictionary",
													ALLOCSET_DEFAULT_SIZES);
	dictionary->by_name = names_create(dictionary->context, 64, NULL);
	dictionary->by_id = ids_create(dictionary->context, 64, NULL);
}

/* The dictionary as it may be relied upon now. */
static Dictionary *
current(DictionaryName which)
{
	Dictionary *dictionary = &dictionaries[which];
	Oid			relation = fundes_relation(dictionary->table);

	if (relation != dictionary->relation)
	{
		forget(dictionary);
		dictionary->relation = relation;
	}
	if (dictionary->by_name == NULL)
		begin(dictionary);
	return dictionary;
}

const DictionaryEntry *
dictionary_by_name(DictionaryName which, const char *name)
{
	NameEntry  *found;

	AcceptInvalidationMessages();
	found = names_lookup(current(which)->by_name, name);
	return found == NULL ? NULL : &found->entry;
}

const DictionaryEntry *
dictionary_by_id(DictionaryName which, int64 id)
{
	NameEntry  *found = ids_lookup(current(which)->by_id, id);

	return found == NULL ? NULL : &found->entry;
}

uint64
dictionary_epoch(DictionaryName which)
{
	return current(which)->epoch;
}

void
dictionary_remember(DictionaryName which, uint64 epoch, TupleTableSlot *row,
					const DictionaryEntry *entry)
{
	Dictionary *dictionary = &dictionaries[which];
	DictionaryEntry copy = *entry;
	TransactionId xmin;
	char	   *name;
	bool		found;
	bool		isnull;

	if (dictionary->by_name != NULL && dictionary->by_name->members >= MAX_ENTRIES &&
		epoch == dictionary->epoch)
	{
		forget(dictionary);
		begin(dictionary);
		epoch = dictionary->epoch;
	}
	if (dictionary->by_name == NULL || epoch != dictionary->epoch)
		return;
	xmin = DatumGetTransactionId(slot_getsysattr(row, MinTransactionIdAttributeNumber,
												 &isnull));
	if (TransactionIdIsCurrentTransactionId(xmin))
		dictionary->uncommitted = true;

	if (names_lookup(dictionary->by_name, entry->name) != NULL)
		return;
	name = MemoryContextAlloc(dictionary->context, entry->len + 1);
	memcpy(name, entry->name, entry->len);
	name[entry->len] = '\0';
	copy.name = name;
	names_insert(dictionary->by_name, name, &found)->entry = copy;
	ids_insert(dictionary->by_id, copy.id, &found)->entry = copy;
}

bool
dictionary_wants_all(DictionaryName which, Relation table)
{
	Dictionary *dictionary = &dictionaries[which];
	BlockNumber blocks;

	if (++dictionary->misses < MISSES_A_BLOCK)
		return false;
	blocks = RelationGetNumberOfBlocks(table);
	if (blocks > MAX_BLOCKS || dictionary->misses < MISSES_A_BLOCK * blocks)
		return false;
	dictionary->misses = 0;
	return true;
}

void
dictionary_changed(DictionaryName which)
{
	CacheInvalidateRelcacheByRelid(fundes_relation(dictionaries[which].table));
}
