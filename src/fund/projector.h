/*-------------------------------------------------------------------------
 *
 * projector.h
 *	  Folding events into the projections as they are written.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_PROJECTOR_H
#define FUNDES_PROJECTOR_H

#include "store/append.h"

/*
 * Does what the trigger does, for events that no statement wrote.  They are in
 * the order of positions, and their funds are locked.
 */
extern void project_events(const NewEvent *events, int nevents);

#endif							/* FUNDES_PROJECTOR_H */
