/*-------------------------------------------------------------------------
 *
 * fund_state.h
 *	  A fund's figures now or as of a past moment, and what the rules of
 *	  pricing and of the timeline make of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_FUND_STATE_H
#define FUNDES_FUND_STATE_H

#include "fund/projection.h"

typedef struct FundState
{
	Row		   *fund;
	TimestampTz at;
	bool		is_past;		/* something happened later */
	Numeric		capital_cash;
	Numeric		asset_value;
	Numeric		liabilities;
	Numeric		total_supply;
	Numeric		nav;			/* cash + assets - liabilities */
	Numeric		base_price;
	bool		has_price_time;
	TimestampTz price_time;		/* what the price ages from */
} FundState;

/* A price in force, and what it ages from: the day it is for, or a moment. */
typedef struct FundPrice
{
	int64		position;		/* of the event that struck it */
	Numeric		base_price;
	bool		no_date;
	DateADT		date;
	bool		no_since;
	TimestampTz since;
} FundPrice;

/*
 * What a price without a date ages from: the last start anew that began an age,
 * or else the fund's first purchase of a copyright that it held (but for one),
 * up to a moment; false where there is neither.
 */
extern bool price_age_start(int64 fund_id, TimestampTz as_of, int64 without_asset,
							TimestampTz *since);

/* False where there was no price yet.  By the active snapshot. */
extern bool fund_price_at(FundPrice *price, int64 fund_id, TimestampTz as_of,
						  int64 known_position);

/* After all that was true up to a moment, that moment included. */
extern void fund_state_at(FundState *state, Row *fund, TimestampTz at);

/* Raises UF009 unless units may be dealt at base_price. */
extern void require_fair_price(const FundState *state);

/* Raises 0A000 where a price was struck later on the timeline. */
extern void require_no_later_price(const FundState *state);

/* What something that is recorded late adds to a fund from its moment on. */
typedef enum Addition
{
	ADDS_NOTHING,
	ADDS_VALUE,
	ADDS_UNITS
} Addition;

/*
 * What is said about a later event that builds on there being no units, or
 * nothing at all, which the addition would make untrue; NULL where there is none.
 */
extern char *find_emptiness(const Row *fund, TimestampTz at, Addition adds);

/* Raises UF017 where there is one. */
extern void require_emptiness(const Row *fund, TimestampTz at, Addition adds);

/* What may be spent, or is owed: the least of it then and at any later point. */
extern Numeric least_cash(const FundState *state);
extern Numeric least_liabilities(const FundState *state);

/*
 * Raises UF003 unless so much of the cash that is not owed may be spent, then
 * and at every later point of the timeline.
 */
extern void require_cash(const FundState *state, Numeric amount);

/* The same for paying what is owed. */
extern void require_liabilities(const FundState *state, Numeric amount);

#endif							/* FUNDES_FUND_STATE_H */
