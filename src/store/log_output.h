/*-------------------------------------------------------------------------
 *
 * log_output.h
 *	  Giving events to the caller: rows of fundes.event as rows of event_log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_LOG_OUTPUT_H
#define FUNDES_LOG_OUTPUT_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"

/* A name that was looked up last; events of one name often follow each other. */
typedef struct LastName
{
	int64		id;
	text	   *name;			/* or NULL */
} LastName;

typedef struct LogOutput
{
	ReturnSetInfo *result;
	MemoryContext row_context;	/* emptied after each row */
	MemoryContext context;
	LastName	stream;
	LastName	type;
} LogOutput;

/* The result is materialized. */
extern void log_output_begin(LogOutput *output, ReturnSetInfo *result);
extern void log_output(LogOutput *output, TupleTableSlot *event);
extern void log_output_end(LogOutput *output);

#endif							/* FUNDES_LOG_OUTPUT_H */
