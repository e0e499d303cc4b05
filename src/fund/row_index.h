/*-------------------------------------------------------------------------
 *
 * row_index.h
 *	  Finding the rows of a RowSet by their keys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_ROW_INDEX_H
#define FUNDES_ROW_INDEX_H

#include "fund/projection.h"

typedef struct RowIndex RowIndex;

/* An index for rows of a table, by its first columns; all it needs is in the context. */
extern RowIndex *row_index_create(TableId table, int nkeys, MemoryContext context);

/* Puts a row in, in the place of another that has its key. */
extern void row_index_put(RowIndex *index, Row *row);

/* The row, or NULL. */
extern Row *row_index_find(RowIndex *index, const Datum *keys);

#endif							/* FUNDES_ROW_INDEX_H */
