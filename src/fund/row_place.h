/*-------------------------------------------------------------------------
 *
 * row_place.h
 *	  Where this backend has seen rows of the projections last.
 *
 *	  The versions that a transaction makes of a row stay until it ends, and an
 *	  index leads to all of them, page by page: in a transaction that has changed
 *	  a row thousands of times to look it up is to walk past them all.  So a
 *	  backend remembers where an index led to it, and looks there first.
 *
 *	  The buffer that had the page spares looking for it, and for the table's size.
 *
 *	  A place is only a hint.  What is found there is the row if it can be seen
 *	  and has the key, as no other row that can be seen has it.  So nothing needs
 *	  to be forgotten, whatever happens to the row, the table or the transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_ROW_PLACE_H
#define FUNDES_ROW_PLACE_H

#include "fund/projection.h"
#include "storage/buf.h"

typedef struct RowPlace
{
	int64		key;
	TableId		table;
	ItemPointerData tid;		/* not valid: the slot is free */
	Buffer		buffer;			/* where its page was, if that is known */
} RowPlace;

/* The place that is remembered of a row whose key is one bigint, or NULL. */
extern RowPlace *row_place_find(TableId table, int64 key);
extern void row_place_remember(const Row *row);

#endif							/* FUNDES_ROW_PLACE_H */
