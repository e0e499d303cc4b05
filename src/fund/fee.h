/*-------------------------------------------------------------------------
 *
 * fee.h
 *	  What is owed of each kind of fee.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_FEE_H
#define FUNDES_FEE_H

#include "fund/command.h"
#include "fund/fund_state.h"

/* What is accrued of a kind and not paid: the least, then and at any later moment. */
extern Numeric fee_owed(Command *cmd, const FundState *state, const char *kind);

#endif							/* FUNDES_FEE_H */
