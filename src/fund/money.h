/*-------------------------------------------------------------------------
 *
 * money.h
 *	  Arithmetic with the server's numeric, and every rounding there is.
 *
 *	  Sums, differences and products of numerics are exact.  Quotients and
 *	  roundings have a name that says where they go and to how many decimals.
 *	  What is rounded here is never negative, so truncation is the floor.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_MONEY_H
#define FUNDES_MONEY_H

#include "utils/numeric.h"

#define PRICE_SCALE 4

/* The three quantities and their bounds, as in sql/fund/domains.sql. */
typedef enum Quantity
{
	QUANTITY_CASH,
	QUANTITY_UNITS,
	QUANTITY_PRICE
} Quantity;

/* Kept: not to be freed. */
extern Numeric num_zero(void);

extern Numeric num_int(int64 value);
extern Numeric num_parse(const char *text);
extern Numeric num_add(Numeric a, Numeric b);
extern Numeric num_sub(Numeric a, Numeric b);
extern Numeric num_mul(Numeric a, Numeric b);
extern Numeric num_abs(Numeric a);
extern Numeric num_negate(Numeric a);
extern int	num_cmp(Numeric a, Numeric b);
extern int	num_sign(Numeric a);
extern bool num_has_scale(Numeric a, int scale);
extern char *num_text(Numeric a);

extern Numeric num_floor(Numeric a, int scale);
extern Numeric num_ceil(Numeric a, int scale);
extern Numeric num_half_up(Numeric a, int scale);
extern Numeric num_div_floor(Numeric a, Numeric b, int scale);
extern Numeric num_div_half_up(Numeric a, Numeric b, int scale);

/*
 * Whether a figure is one that the domain of its kind takes, where negative ones
 * (least_sign -1), only those from 0 on (0) or above it (1) are allowed.
 */
extern bool num_fits(Numeric a, Quantity kind, int least_sign);

/* A price: NAV, which may be negative, by units; floor at PRICE_SCALE. */
extern Numeric num_price(Numeric nav, Numeric units);

/* Raises 22003 where a figure would be larger than its kind may be. */
extern Numeric checked_range(Numeric a, Quantity kind);

/*
 * Checks of an argument: UF005 where it is no number, negative, or zero
 * unless that is allowed; 22003 where it is too large.
 */
extern Numeric checked_amount(Numeric a, Quantity kind, bool zero_allowed,
							  const char *name);

/* UF005 where it has more decimals; at_scale returns it with just so many. */
extern void require_scale(Numeric a, int scale, const char *name);
extern Numeric at_scale(Numeric a, int scale, const char *name);

#endif							/* FUNDES_MONEY_H */
