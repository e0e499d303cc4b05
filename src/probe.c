/*-------------------------------------------------------------------------
 *
 * probe.c
 *	  Looking up one row by an index, see probe.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/heapam.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "btree_last.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "owner.h"
#include "probe.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* So much free space does for the new version of a row. */
#define ROOM_FOR_UPDATES (BLCKSZ / 16)

static RegProcedure
equality_of(Oid type)
{
	switch (type)
	{
		case INT8OID:
			return F_INT8EQ;
		case INT4OID:
			return F_INT4EQ;
		case TEXTOID:
			return F_TEXTEQ;
		case UUIDOID:
			return F_UUID_EQ;
		case DATEOID:
			return F_DATE_EQ;
		case TIMESTAMPTZOID:
			return F_TIMESTAMPTZ_EQ;
		default:
			elog(ERROR, "no equality known for type %u", type);
	}
	return InvalidOid;			/* keep the compiler quiet */
}

/* On the column after that of the last key. */
static void
add_key(Probe *probe, StrategyNumber strategy, RegProcedure function,
		Oid collation, Datum value)
{
	int			column = probe->nkeys == 0 ? 1 : probe->keys[probe->nkeys - 1].sk_attno + 1;

	Assert(probe->nkeys < PROBE_MAX_KEYS);
	ScanKeyEntryInitialize(&probe->keys[probe->nkeys], 0, column, strategy,
						   InvalidOid, collation, function, value);
	probe->nkeys++;
}

void
probe_key(Probe *probe, Oid type, Datum value)
{
	add_key(probe, BTEqualStrategyNumber, equality_of(type),
			type == TEXTOID ? C_COLLATION_OID : InvalidOid, value);
}

void
probe_key_from(Probe *probe, int64 value)
{
	add_key(probe, BTGreaterEqualStrategyNumber, F_INT8GE, InvalidOid, Int64GetDatum(value));
}

void
probe_key_up_to(Probe *probe, int64 value)
{
	add_key(probe, BTLessEqualStrategyNumber, F_INT8LE, InvalidOid, Int64GetDatum(value));
}

void
probe_key_between(Probe *probe, int64 least, int64 greatest)
{
	probe_key_from(probe, least);
	probe_key_up_to(probe, greatest);
	probe->keys[probe->nkeys - 1].sk_attno--;
}

void
probe_key_until(Probe *probe, TimestampTz moment)
{
	add_key(probe, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, InvalidOid,
			TimestampTzGetDatum(moment));
}

void
probe_key_until_day(Probe *probe, DateADT day)
{
	add_key(probe, BTLessEqualStrategyNumber, F_DATE_LE, InvalidOid, DateADTGetDatum(day));
}

void
probe_key_after(Probe *probe, TimestampTz moment)
{
	add_key(probe, BTGreaterStrategyNumber, F_TIMESTAMPTZ_GT, InvalidOid,
			TimestampTzGetDatum(moment));
}

/*
 * Finds the version that can be seen of the row that begins at a place of a page,
 * which is released; if there is none, tells whether nobody else sees one either,
 * if asked.  Prunes the page when it is nearly full.  The heap does so whenever
 * less is free than the fillfactor leaves: after each update of a row, when the
 * next one of the page is read.
 */
static bool
heap_row_at(Probe *probe, Buffer buffer, ItemPointer place, bool *all_dead)
{
	BufferHeapTupleTableSlot *slot = (BufferHeapTupleTableSlot *) probe->slot;
	HeapTuple	tuple = &slot->base.tupdata;
	ItemPointerData tid = *place;
	Page		page = BufferGetPage(buffer);
	bool		found;

	if (PageIsFull(page) || PageGetHeapFreeSpace(page) < ROOM_FOR_UPDATES)
		heap_page_prune_opt(probe->table, buffer);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	found = heap_hot_search_buffer(&tid, probe->table, buffer, probe->snapshot,
								   tuple, all_dead, true);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (found)
	{
		tuple->t_tableOid = RelationGetRelid(probe->table);
		ExecStoreBufferHeapTuple(tuple, probe->slot, buffer);
		probe->place = *place;
	}
	ReleaseBuffer(buffer);
	return found;
}

/* As index_getnext_slot(). */
static bool
next_heap_row(Probe *probe, ScanDirection direction)
{
	ItemPointer place;
	bool		all_dead;

	ExecClearTuple(probe->slot);
	while ((place = index_getnext_tid(probe->scan, direction)) != NULL)
	{
		if (heap_row_at(probe, ReadBuffer(probe->table, ItemPointerGetBlockNumber(place)),
						place, &all_dead))
			return true;
		/* the index need not lead there again */
		probe->scan->kill_prior_tuple = all_dead && !probe->scan->xactStartedInRecovery;
	}
	return false;
}

static bool
is_heap(Relation table)
{
	return table->rd_tableam == GetHeapamTableAmRoutine();
}

static bool
next_row(Probe *probe, ScanDirection direction)
{
	if (probe->release == NoLock && is_heap(probe->table))
		return next_heap_row(probe, direction);
	return index_getnext_slot(probe->scan, direction, probe->slot);
}

/* Whether the first row is that of the last entry which the keys allow. */
static bool
first_is_last(const Probe *probe, ScanDirection direction)
{
	Form_pg_index form = probe->index->rd_index;
	int			last = probe->nkeys - 1;
	int			i;

	for (i = 0; i <= last; i++)
		if (probe->keys[i].sk_attno != i + 1 ||
			(i < last && probe->keys[i].sk_strategy != BTEqualStrategyNumber))
			return false;
	switch (probe->keys[last].sk_strategy)
	{
		case BTEqualStrategyNumber:
			return ScanDirectionIsBackward(direction) ||
				(form->indisunique && form->indnkeyatts == probe->nkeys);
		case BTLessEqualStrategyNumber:
			return ScanDirectionIsBackward(direction);
		default:
			return false;
	}
}

/* Finds the first row by one descent, where that can tell. */
static BtreeLast
find_directly(Probe *probe, ScanDirection direction)
{
	ItemPointerData place;
	BtreeLast	result;

	if (!first_is_last(probe, direction))
		return BTREE_LAST_UNKNOWN;
	ExecClearTuple(probe->slot);
	result = btree_last_place(probe->table, probe->index, probe->keys, probe->nkeys, &place);
	if (result == BTREE_LAST_FOUND &&
		!heap_row_at(probe, ReadBuffer(probe->table, ItemPointerGetBlockNumber(&place)),
					 &place, NULL))
		return BTREE_LAST_UNKNOWN;
	return result;
}

static bool
scan(Probe *probe, ScanDirection direction)
{
	if (probe->scan == NULL)
		probe->scan = begin_index_scan(probe->table, probe->index, probe->snapshot, probe->nkeys);
	probe->descended = false;
	index_rescan(probe->scan, probe->keys, probe->nkeys, NULL, 0);
	return next_row(probe, direction);
}

static Oid
index_of(Relation table, const char *name)
{
	return table->rd_rel->relpersistence == RELPERSISTENCE_TEMP ?
		get_relname_relid(name, RelationGetNamespace(table)) : fundes_relation(name);
}

static bool
begin(Probe *probe, Oid table, const char *index, LOCKMODE lock, Snapshot snapshot,
	  ScanDirection direction)
{
	probe->context = CurrentMemoryContext;
	probe->table = table_open(table, lock);
	probe->index = index_open(index_of(probe->table, index), lock);
	probe->slot = table_slot_create(probe->table, NULL);
	ItemPointerSetInvalid(&probe->place);
	probe->snapshot = RegisterSnapshot(snapshot);
	probe->scan = NULL;
	return probe_again(probe, direction);
}

bool
probe_begin(Probe *probe, Oid table, const char *index, ScanDirection direction)
{
	probe->release = AccessShareLock;
	return begin(probe, table, index, AccessShareLock, GetLatestSnapshot(), direction);
}

bool
probe_begin_active(Probe *probe, Oid table, const char *index, ScanDirection direction)
{
	probe->release = AccessShareLock;
	return begin(probe, table, index, AccessShareLock, GetActiveSnapshot(), direction);
}

bool
probe_begin_write(Probe *probe, Oid table, const char *index, ScanDirection direction)
{
	probe->release = NoLock;
	return begin(probe, table, index, RowExclusiveLock, GetLatestSnapshot(), direction);
}

/* The page of a place, if the table has it. */
static Buffer
page_at(Relation table, ItemPointer place, Buffer recent)
{
	BlockNumber block = ItemPointerGetBlockNumber(place);

	if (BufferIsValid(recent) && read_recent_buffer(table, block, recent))
		return recent;
	return block < RelationGetNumberOfBlocks(table) ? ReadBuffer(table, block) : InvalidBuffer;
}

bool
probe_begin_at(Probe *probe, Oid table, ItemPointer place, Buffer *buffer)
{
	probe->context = CurrentMemoryContext;
	probe->release = NoLock;
	probe->table = table_open(table, RowExclusiveLock);
	probe->index = NULL;
	probe->scan = NULL;
	probe->slot = table_slot_create(probe->table, NULL);
	probe->snapshot = RegisterSnapshot(GetLatestSnapshot());
	if (!is_heap(probe->table))
		return false;
	*buffer = page_at(probe->table, place, *buffer);
	return BufferIsValid(*buffer) && heap_row_at(probe, *buffer, place, NULL);
}

/* An index scan allocates as it goes on, for as long as it is open. */
bool
probe_again(Probe *probe, ScanDirection direction)
{
	MemoryContext old = MemoryContextSwitchTo(probe->context);
	BtreeLast	result = find_directly(probe, direction);
	bool		found = result == BTREE_LAST_FOUND;

	probe->descended = found;
	if (result == BTREE_LAST_UNKNOWN)
		found = scan(probe, direction);
	MemoryContextSwitchTo(old);
	return found;
}

bool
probe_next(Probe *probe, ScanDirection direction)
{
	MemoryContext old = MemoryContextSwitchTo(probe->context);
	bool		found;

	Assert(probe->descended || probe->scan != NULL);
	/* a scan comes to the row that was found without it, and goes on */
	found = (!probe->descended || scan(probe, direction)) && next_row(probe, direction);
	MemoryContextSwitchTo(old);
	return found;
}

/* A row of our own is known, whatever the command that wrote it. */
void
probe_require_known(Probe *probe)
{
	bool		isnull;
	Datum		xmin;

	if (!IsolationUsesXactSnapshot())
		return;
	xmin = slot_getsysattr(probe->slot, MinTransactionIdAttributeNumber, &isnull);
	if (!TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin)) &&
		!table_tuple_satisfies_snapshot(probe->table, probe->slot, GetTransactionSnapshot()))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update")));
}

Datum
probe_value(Probe *probe, int column)
{
	bool		isnull;
	Datum		value = slot_getattr(probe->slot, column, &isnull);

	return isnull ? (Datum) 0 : value;
}

void
probe_end(Probe *probe)
{
	if (probe->scan != NULL)
		index_endscan(probe->scan);
	UnregisterSnapshot(probe->snapshot);
	ExecDropSingleTupleTableSlot(probe->slot);
	if (probe->index != NULL)
		index_close(probe->index, probe->release);
	table_close(probe->table, probe->release);
}
