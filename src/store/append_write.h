/*-------------------------------------------------------------------------
 *
 * append_write.h
 *	  Writing events into the log, once their places are known.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_APPEND_WRITE_H
#define FUNDES_APPEND_WRITE_H

#include "store/append.h"

/*
 * Writes events, all fields of which are set, and has the module project them.
 * Their streams are locked.  Raises UF008 where another session's event has
 * one of their ids since it was looked for.
 */
extern void append_write(OpenLog *log, const NewEvent *events, int nevents,
						 const AppendModule *module, void *known);

/*
 * The same below the executor: false, and nothing is done, where the log's
 * table is not as fundes made it.  To be called by append_write() alone; see
 * direct_insert.c.
 */
extern bool direct_insert(OpenLog *log, const NewEvent *events, int nevents,
						  const char *project_trigger);

#endif							/* FUNDES_APPEND_WRITE_H */
