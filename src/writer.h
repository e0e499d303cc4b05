/*-------------------------------------------------------------------------
 *
 * writer.h
 *	  Writing rows of a table without a statement.
 *
 *	  A writer goes straight to the table and its indexes, as a subscriber of
 *	  logical replication does, and so costs a fraction of an INSERT or UPDATE.
 *	  As with these: NOT NULL, CHECK and unique constraints are enforced, an
 *	  update is HOT where it can be, a read-only transaction is refused (25006),
 *	  in REPEATABLE READ a row that was changed since is, too (40001), and what
 *	  was written is seen after writer_end(), not before.
 *
 *	  What the caller must see to: privileges, defaults, and the checks of
 *	  columns' domains.  A table on which rows would do more than be written
 *	  (triggers, row security, rules, partitions, generated columns, constraints
 *	  that may be deferred) is refused.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_WRITER_H
#define FUNDES_WRITER_H

#include "nodes/execnodes.h"
#include "storage/itemptr.h"
#include "table_shape.h"

/* So many rows are put into the table at once, most of a page or two. */
#define WRITER_GROUP 100

/* What is open between writer_begin() and writer_end(). */
typedef struct Writer
{
	Relation	table;
	ResultRelInfo *target;
	EState	   *estate;
	TableShape	shape;
	Relation	indexes[SHAPE_MAX_INDEXES]; /* of a plain table, as needed */
	bool		indexes_open;	/* by the executor, all of them */
	TupleTableSlot *slots[WRITER_GROUP];	/* made as they are needed */
	const Datum *values[WRITER_GROUP];	/* of the rows in the slots */
	const bool *nulls[WRITER_GROUP];
	int			ncollected;
} Writer;

/*
 * To be called between owner_begin() and owner_end(): constraints and indexes may
 * call anybody's functions.  ncolumns: that the table must have, of values and
 * nulls below; updates: whether there will be any.  The state may serve for one
 * table after the other.
 */
extern void writer_begin(Writer *writer, EState *estate, Oid table, int ncolumns,
						 bool updates);
extern void writer_insert(Writer *writer, const Datum *values, const bool *nulls);

/*
 * The same for many rows: writer_insert_collected() writes those that were
 * collected and not written yet.  Values and nulls, too, must last so long.
 */
extern void writer_collect(Writer *writer, const Datum *values, const bool *nulls);
extern void writer_insert_collected(Writer *writer);

/*
 * tid is of the version that the new one follows on: the one that a fresh
 * snapshot showed, under a lock that keeps others from changing the row.
 * Afterwards it is of the new one; returns whether the indexes lead to that.
 */
extern bool writer_update(Writer *writer, ItemPointer tid, const Datum *values,
						  const bool *nulls);
extern void writer_end(Writer *writer);

#endif							/* FUNDES_WRITER_H */
