/*-------------------------------------------------------------------------
 *
 * scratch.h
 *	  Temporary tables of the projections' shape, into which the log is folded
 *	  anew.
 *
 *	  Each is made when the first row goes into it, and gets its index when rows
 *	  are first looked for.  They are for the current transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_SCRATCH_H
#define FUNDES_SCRATCH_H

#include "fund/projection.h"

/* In front of a projection's name: that of its scratch table. */
#define SCRATCH_PREFIX "fundes_folded_"
#define SCRATCH "pg_temp." SCRATCH_PREFIX

extern void scratch_create(TableId table);

/* Of the key columns, as that of the projection. */
extern void scratch_create_index(TableId table);
extern void scratch_drop(TableId table);

extern Oid	scratch_relation(TableId table);

#endif							/* FUNDES_SCRATCH_H */
