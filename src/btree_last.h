/*-------------------------------------------------------------------------
 *
 * btree_last.h
 *	  The last entry of a B-tree that is not above a key, by one descent.
 *
 *	  An index scan does the same, for about twice the instructions: it
 *	  collects what else a page has, and prepares for going on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_BTREE_LAST_H
#define FUNDES_BTREE_LAST_H

#include "access/skey.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"

typedef enum BtreeLast
{
	BTREE_LAST_NONE,			/* there is none */
	BTREE_LAST_FOUND,
	BTREE_LAST_UNKNOWN			/* an index scan has to tell */
} BtreeLast;

/*
 * Finds the place to which the last entry leads that fulfils all keys: conditions
 * on the first columns, all ascending, one for each, that they are equal, the last
 * one perhaps that it is less or equal.  No row need be there that anybody sees;
 * there may be one under an entry before it then.
 */
extern BtreeLast btree_last_place(Relation table, Relation index, const ScanKeyData *keys,
								  int nkeys, ItemPointer place);

/*
 * For an index whose first two columns are bigint, ascending: the last entry that has
 * the first key.  Nobody else makes rows with it meanwhile that the index will keep.
 * Sets the second key of the entry, if its row is there, committed or our own; if
 * not, the last one that counts is unknown.
 */
extern BtreeLast btree_last(Relation table, Relation index, int64 first, int64 *second);

/*
 * The same, but only whether there is no entry with the first key and a greater
 * second one, whatever became of its row.  False also where that is unknown.
 */
extern bool btree_ends(Relation table, Relation index, int64 first, int64 second);

#endif							/* FUNDES_BTREE_LAST_H */
