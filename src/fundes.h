/*-------------------------------------------------------------------------
 *
 * fundes.h
 *	  Included first by every file: the server's headers, error codes,
 *	  what differs between server versions, the settings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_H
#define FUNDES_H

/*
 * Symbols are hidden unless marked.  PostgreSQL 16 and later say how to mark
 * them; 15 leaves the mark empty (upstream commit 089480c07705).
 */
#include "pg_config.h"
#if PG_VERSION_NUM < 160000
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#include "postgres.h"
#include "fmgr.h"

#include "compat.h"
#include "errors.h"

/* Makes a C function callable from SQL. */
#define FUNDES_FUNCTION(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

/* settings, see fundes.c */
extern bool fundes_direct_insert;
extern int	fundes_max_event_size;
extern char *fundes_max_quote_age;
extern char *fundes_price_function;
extern char *fundes_price_index;
extern char *fundes_halt_threshold;
extern char *fundes_halt_duration;

#endif							/* FUNDES_H */
