/*-------------------------------------------------------------------------
 *
 * probe.h
 *	  Looking up one row by an index, without a statement.
 *
 *	  A probe sees what is committed at the time of the call and what the
 *	  transaction itself has written, in any isolation level: it is made under
 *	  locks that may have been waited for.
 *
 *	  Where the first row is that of the last entry which the keys allow, or the
 *	  only one, it is found by one descent (btree_last.h); else by an index scan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_PROBE_H
#define FUNDES_PROBE_H

#include "access/genam.h"
#include "access/skey.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "utils/date.h"

#define PROBE_MAX_KEYS 6

/* What is open between probe_begin() and probe_end(). */
typedef struct Probe
{
	Relation	table;
	Relation	index;
	LOCKMODE	release;		/* NoLock: locks are kept */
	MemoryContext context;		/* of all that it allocates until its end */
	Snapshot	snapshot;
	IndexScanDesc scan;			/* NULL: not needed yet */
	bool		descended;		/* the row was found without the scan */
	TupleTableSlot *slot;
	ItemPointerData place;		/* where the index led, for who writes */
	int			nkeys;
	ScanKeyData keys[PROBE_MAX_KEYS];
} Probe;

/* The next column of the index, from the first, and the value it must have. */
extern void probe_key(Probe *probe, Oid type, Datum value);

/* The same for a bigint column that must have at least a value. */
extern void probe_key_from(Probe *probe, int64 value);

/* The same for a bigint column that must be at most a value. */
extern void probe_key_up_to(Probe *probe, int64 value);

/* The same for a bigint column that must be between two values. */
extern void probe_key_between(Probe *probe, int64 least, int64 greatest);

/* The same for a timestamptz column that must not be after a moment. */
extern void probe_key_until(Probe *probe, TimestampTz moment);

/* The same for a date column that must not be after a day. */
extern void probe_key_until_day(Probe *probe, DateADT day);

/* The same for a timestamptz column that must be after a moment. */
extern void probe_key_after(Probe *probe, TimestampTz moment);

/*
 * Finds the first row, in the index's order or against it.  The index is in the
 * table's schema, and looked up by its name when the table is locked: before that
 * REINDEX CONCURRENTLY may put another one in its place.
 */
extern bool probe_begin(Probe *probe, Oid table, const char *index, ScanDirection direction);

/* As probe_begin(), by the active snapshot instead of a fresh one. */
extern bool probe_begin_active(Probe *probe, Oid table, const char *index, ScanDirection direction);

/*
 * As probe_begin(), for who writes there soon: locks are a writer's, and stay;
 * pages are pruned when an update would need the room.
 */
extern bool probe_begin_write(Probe *probe, Oid table, const char *index, ScanDirection direction);

/*
 * As probe_begin_write(), without an index: looks at a place to which the index
 * led once.  Whether the row there is the one that is sought, the caller must see.
 * Looks first in the buffer where the page was, and tells where it is now.
 */
extern bool probe_begin_at(Probe *probe, Oid table, ItemPointer place, Buffer *buffer);

/* The same with the keys as they are now, as many as before: for a row after the other. */
extern bool probe_again(Probe *probe, ScanDirection direction);

/* Finds the row after one that was found, in that direction. */
extern bool probe_next(Probe *probe, ScanDirection direction);

/*
 * Raises 40001 where the transaction's snapshot does not know the row that was
 * found: what the transaction has read before may be older.
 */
extern void probe_require_known(Probe *probe);

/* A column of the row that was found; 0 where it is null. */
extern Datum probe_value(Probe *probe, int column);
extern void probe_end(Probe *probe);

#endif							/* FUNDES_PROBE_H */
