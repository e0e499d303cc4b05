/*-------------------------------------------------------------------------
 *
 * number.h
 *	  What the first bytes of a numeric tell, without arithmetic.
 *
 *	  Most looks at a figure only ask for its sign, its scale or whether it is
 *	  small.  The server's functions take a call and the whole number apart for
 *	  that.  The form in which numerics lie on disk answers at once: it has been
 *	  the same since 9.1, as pg_upgrade keeps it.
 *
 *	  Read is the short form alone, which has up to 63 decimals and weights from
 *	  -64 to 63 of base 10,000.  Anything else, infinities and NaN among it, is
 *	  for the caller to ask the server about.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_NUMBER_H
#define FUNDES_NUMBER_H

#include "compat.h"
#include "utils/numeric.h"

#define NUMBER_BASE 10000
#define NUMBER_DIGITS 4			/* decimal ones in one of that base */

typedef struct Number
{
	bool		negative;
	int			scale;			/* digits that are written after the point */
	int			weight;			/* of the first digit, of base 10,000 */
	int			ndigits;		/* none at either end is 0; so 0 has none */
	const int16 *digits;
} Number;

/* False where the numeric is not in the short form. */
static inline bool
number_read(Numeric numeric, Number *number)
{
	const uint16 *data = (const uint16 *) VARDATA(numeric);
	uint16		head = data[0];

	if ((head & 0xC000) != 0x8000)
		return false;
	number->negative = (head & 0x2000) != 0;
	number->scale = (head & 0x1F80) >> 7;
	number->weight = (head & 0x003F) - (head & 0x0040);
	number->ndigits = (VARSIZE(numeric) - VARHDRSZ) / sizeof(uint16) - 1;
	number->digits = (const int16 *) (data + 1);
	return true;
}

/* An integer of up to 16 digits; false for any other number. */
static inline bool
number_small_int(Numeric numeric, int64 *value)
{
	Number		n;
	int64		sum = 0;
	int			i;

	if (!number_read(numeric, &n) || n.weight > 3 || n.ndigits > n.weight + 1)
		return false;
	for (i = 0; i <= n.weight; i++)
		sum = sum * NUMBER_BASE + (i < n.ndigits ? n.digits[i] : 0);
	*value = n.negative ? -sum : sum;
	return true;
}

#endif							/* FUNDES_NUMBER_H */
