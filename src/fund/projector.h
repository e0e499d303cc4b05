/*-------------------------------------------------------------------------
 *
 * projector.h
 *	  Folding events into the projections as they are written.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_PROJECTOR_H
#define FUNDES_PROJECTOR_H

#include "executor/tuptable.h"
#include "fund/fold.h"
#include "store/append.h"

/*
 * Begins a row set with what the fold of events to come will need, of funds that
 * are locked.  NULL where that is behind the log; where code of others may run
 * before the fold, as it may write; and above READ COMMITTED, where only events
 * that are written must be about what the snapshot knows.
 */
extern RowSet *projector_read(const NewEvent *events, int nevents);

/*
 * Does what the trigger does, for events that no statement wrote.  They are in
 * the order of positions, and their funds are locked.  known: a row set, its
 * rows as they stand in their tables, or NULL.
 */
extern void project_events(const NewEvent *events, int nevents, void *known);

/* Folds a row of fundes.event, unless its type is a user's. */
extern void fold_slot(FoldRun *run, TupleTableSlot *slot);

#endif							/* FUNDES_PROJECTOR_H */
