/*-------------------------------------------------------------------------
 *
 * dictionary.h
 *	  What a backend remembers of the dictionaries of streams and event types.
 *
 *	  An entry is a row as it is committed, or as an open transaction of this
 *	  backend made it.  Rows of streams never change; those of types do when a
 *	  type is defined anew, which dictionary_changed() tells all backends.
 *
 *	  Nothing is remembered of what is not there.  A small dictionary is read as
 *	  a whole once looking for single rows has cost as much.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_DICTIONARY_H
#define FUNDES_DICTIONARY_H

#include "executor/tuptable.h"
#include "utils/relcache.h"

typedef enum DictionaryName
{
	DICTIONARY_STREAM, DICTIONARY_TYPE
} DictionaryName;

typedef struct DictionaryEntry
{
	int64		id;
	Oid			payload_type;	/* of a type */
	const char *name;
	int			len;			/* of name */
} DictionaryEntry;

/*
 * What is remembered under a name or an id, or NULL.  It is gone with the next
 * look at any table: what is to last must be copied.
 */
extern const DictionaryEntry *dictionary_by_name(DictionaryName which, const char *name);
extern const DictionaryEntry *dictionary_by_id(DictionaryName which, int64 id);

/*
 * Remembers the row that a probe has found.  epoch is what dictionary_epoch()
 * told before the probe began: what changed since is not remembered.
 */
extern uint64 dictionary_epoch(DictionaryName which);
extern void dictionary_remember(DictionaryName which, uint64 epoch,
								TupleTableSlot *row, const DictionaryEntry *entry);

/* To be asked after a miss: whether it pays to remember all rows. */
extern bool dictionary_wants_all(DictionaryName which, Relation table);

/* A row was changed: all backends forget it when the transaction commits. */
extern void dictionary_changed(DictionaryName which);

#endif							/* FUNDES_DICTIONARY_H */
