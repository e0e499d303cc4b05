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
#include "storage/lock.h"

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

/* 18: pg_noreturn stands before a declaration */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

#endif							/* FUNDES_COMPAT_H */
