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

#endif							/* FUNDES_ROW_COMPARE_H */
