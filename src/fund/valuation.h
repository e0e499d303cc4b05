/*-------------------------------------------------------------------------
 *
 * valuation.h
 *	  A valuation of a fund at the end of a day, as it goes into FundValued.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_VALUATION_H
#define FUNDES_VALUATION_H

#include "fund/fund_state.h"
#include "funcapi.h"
#include "json.h"

/* The values found, as they go into the payload. */
typedef struct Values
{
	Numeric		total;
	Jsonb	   *values;			/* asset_id: value */
	Jsonb	   *sources;		/* asset_id: the day that its price is of */
	Jsonb	   *stale;			/* asset_ids whose value is carried */
} Values;

typedef struct Valuation
{
	DateADT		day;
	TimestampTz end;			/* of the day: the first moment that does not count */
	bool		strikes;		/* the price; otherwise it is history only */
	FundState	state;			/* at the end */
	Values		found;
	Jsonb	   *known;			/* the payload of the day's last revision, or NULL */
	int32		revisions;		/* that the day has */
} Valuation;

/* Finds the values of a day that has ended, under the fund's lock. */
extern void valuation_find(Valuation *v, Row *fund, DateADT day, TimestampTz end,
						   bool strikes);

/* Puts all that a payload has but fund_id and valuation_date. */
extern void valuation_put(JsonObject *object, const Valuation *v);

/* Whether it found the same as the day's last revision. */
extern bool valuation_is_known(const Valuation *v);

/* Whether two payloads found the same; where quotes came from is no matter. */
extern bool valuations_agree(const Jsonb *a, const Jsonb *b);

/* Adds a row of fundes.fund_valuation; without a payload one of a fund in trouble. */
extern void valuation_result(ReturnSetInfo *rsinfo, int64 fund_id,
							 const Jsonb *payload, const char *status);

#endif							/* FUNDES_VALUATION_H */
