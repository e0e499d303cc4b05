/*-------------------------------------------------------------------------
 *
 * projection_internal.h
 *	  What the files of a RowSet share: projection.c, which keeps and reads rows,
 *	  and projection_flush.c, which writes them, or compares them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_PROJECTION_INTERNAL_H
#define FUNDES_PROJECTION_INTERNAL_H

#include "fund/projection.h"
#include "fund/row_compare.h"
#include "fund/row_index.h"
#include "nodes/execnodes.h"

/* The rows of a table in memory, and what is open to read more of them. */
typedef struct TableRows
{
	MemoryContext context;		/* of the rows and the index */
	char	   *room;			/* left of the last piece */
	Size		room_left;
	Size		room_size;		/* of the piece */
	List	   *rows;			/* in the order of first use */
	RowIndex   *index;			/* made at the first look-up */
	RowIndex   *last_rows;		/* of each first key; made by rows_walk_back() */
	bool		reading;
	bool		ranging;		/* the probe is that of rows_walk_from() */
	Probe	   *probe;			/* made at the first look into the table */
	bool		spilled;		/* of a scratch set: its table was made, */
	bool		indexed;		/* and the index */
	RowSum		sum;			/* of the rows that are not kept */
} TableRows;

struct RowSet
{
	MemoryContext context;
	bool		scratch;		/* in tables of its own */
	bool		sums;			/* and entries are not kept */
	uint64		seed;			/* of their hashes */
	pg_atomic_uint64 *room;		/* without tables: what is taken of the room; or NULL */
	uint64		taken;			/* by this set */
	bool		overflow;		/* more was taken than there is */
	uint32		events;			/* since memory was looked at */
	EState	   *estate;			/* for its writers, made by the first */
	TableRows	tables[NTABLES];
};

/* Tables of entries, of which a set may keep sums only. */
static inline bool
is_entry(TableId table)
{
	return table == TABLE_FUND_ENTRY || table == TABLE_HOLDING_ENTRY;
}

/*
 * In a handler: the error of a unique index is raised as that of its table, if it
 * has one.
 */
pg_noreturn extern void rows_raise_conflict(TableId table, MemoryContext context);
extern void rows_stop_reading(TableRows *rows);

/* Whether it is remembered where rows of a table are (row_place.h). */
extern bool rows_have_places(const RowSet *set, TableId table);

#endif							/* FUNDES_PROJECTION_INTERNAL_H */
