/*-------------------------------------------------------------------------
 *
 * copyright.h
 *	  Copyrights that leave the books at a moment in the past.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_COPYRIGHT_H
#define FUNDES_COPYRIGHT_H

#include "fund/command.h"

/*
 * Whether a sale of the copyright was reversed from a moment on that is later
 * than both: in between the fund did not have it.
 */
extern bool came_back_after(const Row *mcp, TimestampTz at);

/*
 * Puts into the figures of the command what valuations after its effective_at
 * added to the copyright's value, to be taken back where it was added.
 */
extern void put_taken_back(Command *cmd, const Row *mcp);

#endif							/* FUNDES_COPYRIGHT_H */
