/*-------------------------------------------------------------------------
 *
 * investment.h
 *	  The figures of a holding along its timeline.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_INVESTMENT_H
#define FUNDES_INVESTMENT_H

#include "fund/fund_state.h"

/* The least that the holding comes to, then or at any later moment. */
extern Numeric least_units(const FundState *state, Row *holding);
extern Numeric least_cost_basis(const FundState *state, Row *holding);

#endif							/* FUNDES_INVESTMENT_H */
