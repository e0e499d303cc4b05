/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between PostgreSQL 15 and 18, each with the upstream
 *	  release that changed it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_COMPAT_H
#define FUNDES_COMPAT_H

#include "access/genam.h"
#include "access/tableam.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/shmem.h"

/* 16: varatt.h was split from postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 16: stringToQualifiedNameList() can report softly */
#if PG_VERSION_NUM >= 160000
#define qualified_name(text) stringToQualifiedNameList((text), NULL)
#else
#define qualified_name(text) stringToQualifiedNameList((text))
#endif

/* 16: an update can be one for summarizing indexes only */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes UpdatedIndexes;
#define NO_INDEXES TU_None
#define ALL_INDEXES TU_All
#define insert_index_tuples(target, slot, estate, update, which) \
	ExecInsertIndexTuples((target), (slot), (estate), (update), false, NULL, NIL, \
						  (which) == TU_Summarizing)
#else
typedef bool UpdatedIndexes;
#define NO_INDEXES false
#define ALL_INDEXES true
#define insert_index_tuples(target, slot, estate, update, which) \
	ExecInsertIndexTuples((target), (slot), (estate), (update), false, NULL, NIL)
#endif

/* 17: comparing integers, for qsort() */
#if PG_VERSION_NUM >= 170000
#include "common/int.h"
#else
static inline int
pg_cmp_s64(int64 a, int64 b)
{
	return (a > b) - (a < b);
}
#endif

/* 17: the finalizer of MurmurHash3 for 64 bits */
#if PG_VERSION_NUM < 170000
static inline uint64
murmurhash64(uint64 data)
{
	data = (data ^ data >> 33) * UINT64CONST(0xff51afd7ed558ccd);
	data = (data ^ data >> 33) * UINT64CONST(0xc4ceb9fe1a85ec53);
	return data ^ data >> 33;
}
#endif

/* 16: the locks of a process are in a list of another kind; NULL: the first, none */
#if PG_VERSION_NUM >= 160000
static inline PROCLOCK *
next_proclock(dlist_head *locks, PROCLOCK *after)
{
	dlist_node *node = after == NULL ? &locks->head : &after->procLink;

	return dlist_has_next(locks, node) ?
		dlist_container(PROCLOCK, procLink, dlist_next_node(locks, node)) : NULL;
}
#else
#define next_proclock(locks, after) \
	((PROCLOCK *) SHMQueueNext((locks), (after) == NULL ? (locks) : &(after)->procLink, \
							   offsetof(PROCLOCK, procLink)))
#endif

/* 16: a search of a B-tree is told the table; 17: and no snapshot */
#if PG_VERSION_NUM >= 170000
#define bt_search_leaf(table, index, key, leaf) \
	_bt_search((index), (table), (key), (leaf), BT_READ)
#elif PG_VERSION_NUM >= 160000
#define bt_search_leaf(table, index, key, leaf) \
	_bt_search((index), (table), (key), (leaf), BT_READ, NULL)
#else
#define bt_search_leaf(table, index, key, leaf) \
	_bt_search((index), (key), (leaf), BT_READ, NULL)
#endif

/* 16: a relation's files have another name */
#if PG_VERSION_NUM >= 160000
#define read_recent_buffer(relation, block, buffer) \
	ReadRecentBuffer((relation)->rd_locator, MAIN_FORKNUM, (block), (buffer))
#else
#define read_recent_buffer(relation, block, buffer) \
	ReadRecentBuffer((relation)->rd_node, MAIN_FORKNUM, (block), (buffer))
#endif

/* 17: LockHeldByMe() can also look for stronger modes */
#if PG_VERSION_NUM >= 170000
#define lock_held_by_me(tag, mode) LockHeldByMe((tag), (mode), false)
#else
#define lock_held_by_me(tag, mode) LockHeldByMe((tag), (mode))
#endif

/* 18: index_beginscan() takes a place for EXPLAIN's counters */
#if PG_VERSION_NUM >= 180000
#define begin_index_scan(heap, index, snapshot, nkeys) \
	index_beginscan((heap), (index), (snapshot), NULL, (nkeys), 0)
#else
#define begin_index_scan(heap, index, snapshot, nkeys) \
	index_beginscan((heap), (index), (snapshot), (nkeys), 0)
#endif

/* 18: generated columns may be virtual */
#if PG_VERSION_NUM >= 180000
#define has_generated_columns(constraints) \
	((constraints)->has_generated_stored || (constraints)->has_generated_virtual)
#else
#define has_generated_columns(constraints) ((constraints)->has_generated_stored)
#endif

/* 18: pg_noreturn stands before a declaration */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

#endif							/* FUNDES_COMPAT_H */
