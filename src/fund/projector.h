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
 * Does what the trigger does, for events that no statement wrote.  They are in
 * the order of positions, and their funds are locked.
 */
extern void project_events(const NewEvent *events, int nevents);

/* Folds a row of fundes.event, unless its type is a user's. */
extern void fold_slot(FoldRun *run, TupleTableSlot *slot);

#endif							/* FUNDES_PROJECTOR_H */
