/*-------------------------------------------------------------------------
 *
 * row_compare.h
 *	  Comparing the rows of a RowSet with a table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_ROW_COMPARE_H
#define FUNDES_ROW_COMPARE_H

#include "fund/row_index.h"

/*
 * Whether the rows, all of them in the index if there is one, are those that the
 * active snapshot sees in a table.  Bytes are compared: values that are equal but
 * written in another way (1.0 and 1.00) count as different.
 */
extern bool rows_equal_table(RowIndex *index, List *rows, Oid relation);

static inline bool
row_sums_equal(const RowSum *a, const RowSum *b)
{
	return a->count == b->count && a->hashes == b->hashes;
}

extern void row_sum_add(RowSum *sum, const Row *row, uint64 seed);

/*
 * The sum of the rows that the active snapshot sees in a table; false if it has
 * other columns than it should.
 */
extern bool row_sum_of_table(RowSum *sum, TableId table, Oid relation, uint64 seed);

#endif							/* FUNDES_ROW_COMPARE_H */
