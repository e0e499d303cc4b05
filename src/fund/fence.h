/*-------------------------------------------------------------------------
 *
 * fence.h
 *	  The domains of the projections' columns, checked as rows are written.
 *
 *	  A writer checks no domains, and the server's checks would cost more than
 *	  the row: here each is a few comparisons, made where a column was set.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_FENCE_H
#define FUNDES_FENCE_H

#include "access/tupdesc.h"
#include "fund/projection.h"

/* Raises 23514 where a figure that was set is out of its domain. */
extern void fence_check_row(const Row *row);

/* That tables[] names a domain for every column that has one. */
extern void fence_check_columns(const Table *table, TupleDesc desc);

#endif							/* FUNDES_FENCE_H */
