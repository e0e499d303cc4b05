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

/*
 * What is left of the cost where no units are, at the state's moment or at the
 * end of any later one, once so many units and so much of the cost are taken
 * away; 0 where that never is so.
 */
extern Numeric cost_without_units(const FundState *state, Row *holding,
								  Numeric units, Numeric cost);

#endif							/* FUNDES_INVESTMENT_H */
