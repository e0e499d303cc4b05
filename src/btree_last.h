/*-------------------------------------------------------------------------
 *
 * btree_last.h
 *	  The last entry of a B-tree under its first key, by one descent.
 *
 *	  An index scan does the same, for more than twice the instructions: it
 *	  collects what else a page has, and prepares for going on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_BTREE_LAST_H
#define FUNDES_BTREE_LAST_H

#include "utils/relcache.h"

typedef enum BtreeLast
{
	BTREE_LAST_NONE,			/* no entry has the first key */
	BTREE_LAST_FOUND,
	BTREE_LAST_UNKNOWN			/* an index scan has to tell */
} BtreeLast;

/*
 * For an index whose first two columns are bigint, ascending.  Nobody else makes
 * rows with the first key meanwhile that the index will keep.  Sets the second key
 * of the last entry, if its row is there, committed or our own; if not, the last one
 * that counts is unknown.
 */
extern BtreeLast btree_last(Relation table, Relation index, int64 first, int64 *second);

/*
 * The same, but only whether there is no entry with the first key and a greater
 * second one, whatever became of its row.  False also where that is unknown.
 */
extern bool btree_ends(Relation table, Relation index, int64 first, int64 second);

#endif							/* FUNDES_BTREE_LAST_H */
