/*-------------------------------------------------------------------------
 *
 * rebuild.h
 *	  Folding the whole log anew.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_REBUILD_H
#define FUNDES_REBUILD_H

#include "fund/fold.h"

/*
 * Folds the log, as the active snapshot sees it.  False where it ended early, as
 * the run is of no use.
 */
extern bool fold_whole_log(FoldRun *run);

/*
 * Whether the projections are what the log comes to, by parallel workers and sums of
 * hashes with the seed.  False where they are not, but also where that cannot be found out so, or would not be
 * worth it.
 */
extern bool fold_in_parallel_agrees(uint64 seed);

#endif							/* FUNDES_REBUILD_H */
