/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  SPI statements whose plans are kept for the life of the backend.
 *
 *	  One plan serves all values: none of the statements has values that would ask
 *	  for another.  The plan cache parses a kept statement again when what it names changes,
 *	  so a plan stays right through ALTER and DROP.  To be used between
 *	  owner_begin() and owner_end().
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_PLAN_H
#define FUNDES_PLAN_H

#include "executor/spi.h"
#include "utils/snapshot.h"

#define PLAN_MAX_ARGS 40

typedef struct KeptPlan
{
	const char *sql;
	int			nargs;
	Oid			argtypes[PLAN_MAX_ARGS];
	SPIPlanPtr	kept;			/* NULL until first used */
} KeptPlan;

#define PLAN(sql, ...) \
	{(sql), lengthof(((Oid[]) {__VA_ARGS__})), {__VA_ARGS__}, NULL}

/*
 * Each returns the number of rows; the rows are in SPI_tuptable.  nulls may
 * be NULL.
 *
 * plan_write	runs as a statement of a volatile function does
 * plan_read	reads with the caller's snapshot
 * plan_fresh	reads what is committed now, in any isolation level: for use
 *				under a lock that has just been waited for
 */
extern uint64 plan_write(KeptPlan *plan, const Datum *values, const char *nulls);
extern uint64 plan_read(KeptPlan *plan, const Datum *values, const char *nulls);
extern uint64 plan_fresh(KeptPlan *plan, const Datum *values, const char *nulls);
extern void plan_into(KeptPlan *plan, const Datum *values, const char *nulls,
					  DestReceiver *dest);

/* A statement that is not kept. */
extern uint64 plan_once(const char *sql, bool read_only);

/* A value of row 0 of the last result, copied to the current context. */
extern Datum plan_value(int column, Oid type, bool *isnull);

#endif							/* FUNDES_PLAN_H */
