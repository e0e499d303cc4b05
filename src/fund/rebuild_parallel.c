/*-------------------------------------------------------------------------
 *
 * rebuild_parallel.c
 *	  Whether the projections are what the log comes to, found out by several
 *	  processes at once, see rebuild.h.
 *
 *	  Each process reads the whole log, but folds only a part of the funds: those
 *	  know nothing of each other.  Rows stay in memory, as parallel workers may not
 *	  write, and are compared by the sums of their hashes, which may be added up in
 *	  any order.  So what comes of it is a yes or a no: to see which rows differ,
 *	  the log is folded once more by one process, as it is where rows have no room.
 *
 *	  Parts are taken by the workers, tables to sum up by the leader, and by whoever
 *	  is free what is left of either; how many workers come does not matter.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "fund/projection_internal.h"
#include "fund/rebuild.h"
#include "miscadmin.h"
#include "optimizer/paths.h"
#include "owner.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#define KEY_SHARED_FOLD UINT64CONST(1)

typedef struct SharedSum
{
	pg_atomic_uint64 count;
	pg_atomic_uint64 hashes;
} SharedSum;

typedef struct SharedFold
{
	uint32		parts;
	uint64		seed;
	pg_atomic_uint64 room;
	pg_atomic_uint32 parts_taken;
	pg_atomic_uint32 tables_taken;
	pg_atomic_uint32 failed;	/* 1: what comes of it is of no use */
	SharedSum	folded[NTABLES];
	SharedSum	stored[NTABLES];
} SharedFold;

PGDLLEXPORT void fundes_fold_in_parallel(dsm_segment *segment, shm_toc *toc);

static void
add_sum(SharedSum *shared, const RowSum *sum)
{
	pg_atomic_fetch_add_u64(&shared->count, sum->count);
	pg_atomic_fetch_add_u64(&shared->hashes, sum->hashes);
}

static bool
sums_agree(SharedFold *shared)
{
	int			i;

	for (i = 0; i < NTABLES; i++)
		if (pg_atomic_read_u64(&shared->folded[i].count) != pg_atomic_read_u64(&shared->stored[i].count) ||
			pg_atomic_read_u64(&shared->folded[i].hashes) != pg_atomic_read_u64(&shared->stored[i].hashes))
			return false;
	return pg_atomic_read_u32(&shared->failed) == 0;
}

static bool
fold_part(SharedFold *shared, uint32 part)
{
	FoldRun		run;
	RowSum		sums[NTABLES];
	bool		folded;
	int			i;

	fold_begin(&run, rows_begin_confined(shared->seed, &shared->room));
	run.parts = shared->parts;
	run.part = part;
	run.pending = pending_funds(&run.npending);
	folded = fold_whole_log(&run);
	if (folded)
		rows_sums(run.rows, sums);
	fold_discard(&run);

	/* each part has all investors */
	for (i = 0; folded && i < NTABLES; i++)
		if (i != TABLE_INVESTOR || part == 0)
			add_sum(&shared->folded[i], &sums[i]);
	return folded;
}

static bool
sum_table(SharedFold *shared, TableId table)
{
	RowSum		sum;

	if (!row_sum_of_table(&sum, table, fundes_relation(tables[table].name), shared->seed))
		return false;
	add_sum(&shared->stored[table], &sum);
	return true;
}

static void
fold_parts(SharedFold *shared)
{
	uint32		part;

	while (pg_atomic_read_u32(&shared->failed) == 0 &&
		   (part = pg_atomic_fetch_add_u32(&shared->parts_taken, 1)) < shared->parts)
		if (!fold_part(shared, part))
			pg_atomic_write_u32(&shared->failed, 1);
}

static void
sum_tables(SharedFold *shared)
{
	uint32		table;

	while (pg_atomic_read_u32(&shared->failed) == 0 &&
		   (table = pg_atomic_fetch_add_u32(&shared->tables_taken, 1)) < NTABLES)
		if (!sum_table(shared, table))
			pg_atomic_write_u32(&shared->failed, 1);
}

/* In a worker, which has the leader's snapshot and user. */
void
fundes_fold_in_parallel(dsm_segment *segment, shm_toc *toc)
{
	SharedFold *shared = shm_toc_lookup(toc, KEY_SHARED_FOLD, false);
	Owner		owner;

	owner_begin(&owner);
	fold_parts(shared);
	sum_tables(shared);
	owner_end(&owner);
}

static uint64
blocks_of(TableId table)
{
	Relation	relation = table_open(fundes_relation(tables[table].name), AccessShareLock);
	uint64		blocks = RelationGetNumberOfBlocks(relation);

	table_close(relation, AccessShareLock);
	return blocks;
}

/*
 * Rows take about half as much again in memory as in their tables, and three times
 * as much where those leave no room for updates; entries take none.  Where it is
 * more, that is found out on the way.
 */
static bool
rows_have_room(void)
{
	uint64		blocks = 0;
	int			i;

	for (i = 0; i < NTABLES; i++)
		if (!is_entry(i))
			blocks += tables[i].journal ? 2 * blocks_of(i) : blocks_of(i);
	return blocks * BLCKSZ / 2 * 3 <= maintenance_work_mem * UINT64CONST(1024);
}

/* What is not worth a parallel scan is not worth a parallel fold. */
static bool
log_is_large(void)
{
	Relation	log = table_open(fundes_relation("event"), AccessShareLock);
	BlockNumber blocks = RelationGetNumberOfBlocks(log);

	table_close(log, AccessShareLock);
	return blocks >= (BlockNumber) min_parallel_table_scan_size;
}

static void
share(SharedFold *shared, uint64 seed, int parts)
{
	int			i;

	shared->parts = parts;
	shared->seed = seed;
	pg_atomic_init_u64(&shared->room, 0);
	pg_atomic_init_u32(&shared->parts_taken, 0);
	pg_atomic_init_u32(&shared->tables_taken, 0);
	pg_atomic_init_u32(&shared->failed, 0);
	for (i = 0; i < NTABLES; i++)
	{
		pg_atomic_init_u64(&shared->folded[i].count, 0);
		pg_atomic_init_u64(&shared->folded[i].hashes, 0);
		pg_atomic_init_u64(&shared->stored[i].count, 0);
		pg_atomic_init_u64(&shared->stored[i].hashes, 0);
	}
}

bool
fold_in_parallel_agrees(uint64 seed)
{
	int			workers = max_parallel_maintenance_workers;
	bool		agrees = false;
	ParallelContext *context;

	if (workers == 0 || IsInParallelMode() || !log_is_large() || !rows_have_room())
		return false;
	EnterParallelMode();
	context = CreateParallelContext("fundes", "fundes_fold_in_parallel", workers);
	shm_toc_estimate_chunk(&context->estimator, sizeof(SharedFold));
	shm_toc_estimate_keys(&context->estimator, 1);
	InitializeParallelDSM(context);
	if (context->nworkers > 0)
	{
		SharedFold *shared = shm_toc_allocate(context->toc, sizeof(SharedFold));

		share(shared, seed, Max(context->nworkers, 2));
		shm_toc_insert(context->toc, KEY_SHARED_FOLD, shared);
		LaunchParallelWorkers(context);
		ereport(DEBUG1,
				(errmsg_internal("folding the log with %d parallel workers", context->nworkers_launched)));
		if (context->nworkers_launched > 0)
		{
			sum_tables(shared);
			fold_parts(shared);
			WaitForParallelWorkersToFinish(context);
			agrees = sums_agree(shared);
			if (!agrees)
				ereport(DEBUG1,
						(errmsg_internal("folding the log once more with one process")));
		}
	}
	DestroyParallelContext(context);
	ExitParallelMode();
	return agrees;
}
