/*-------------------------------------------------------------------------
 *
 * market.h
 *	  Halts of dealing.
 *
 *	  A halt is of one fund or of the whole market.  It is in force at a moment
 *	  where the last event about it up to then is a halt that has not run out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_MARKET_H
#define FUNDES_MARKET_H

#include "fund/command.h"

/* What stands for all funds: in fundes.trading_halt, as a lock, as an index. */
#define WHOLE_MARKET 0
#define MARKET_NAME "market"

/*
 * Raises UF010 where dealing is halted at the command's effective_at, of the
 * fund or of the whole market.
 */
extern void require_trading(const Command *cmd, const Row *fund);

#endif							/* FUNDES_MARKET_H */
