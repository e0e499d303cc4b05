/*-------------------------------------------------------------------------
 *
 * rate.c
 *	  The root search behind xirr, see rate.h: the one place with doubles.
 *	  No money is made of them, only a rate.
 *
 *	  With g = ln(1 + rate), the present value of the payments is
 *
 *		P(g) = sum of amount * exp(-g * years)
 *
 *	  Only its sign is asked for, so that each term may be divided by the
 *	  largest one and nothing overflows.  By Descartes' rule P has no more roots
 *	  than the payments have changes of sign, and an odd number where that
 *	  number is odd.  So with one change there is one root, and it lies between
 *	  0 and the side on which the sign changes.  With more, a grid around 0 is
 *	  looked through from the middle; two roots in one step of it are not seen.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include <math.h>

#include "fund/rate.h"
#include "miscadmin.h"

#define GRID_STEP 0.005
#define FARTHEST 1e6			/* more than a day's growth by 10^1000 */

static int
present_sign(const Payment *payments, int count, double growth)
{
	double		largest = -growth * payments[growth > 0 ? 0 : count - 1].years;
	double		sum = 0;
	int			i;

	CHECK_FOR_INTERRUPTS();
	for (i = 0; i < count; i++)
		sum += payments[i].amount * exp(-growth * payments[i].years - largest);
	return sum > 0 ? 1 : sum < 0 ? -1 : 0;
}

/* Halves the interval, at whose ends the signs differ, until nothing is left. */
static double
bisect(const Payment *payments, int count, double low, double high)
{
	int			low_sign = present_sign(payments, count, low);

	for (;;)
	{
		double		middle = low + (high - low) / 2;
		int			sign;

		if (middle <= low || middle >= high)
			return middle;
		sign = present_sign(payments, count, middle);
		if (sign == 0)
			return middle;
		if (sign == low_sign)
			low = middle;
		else
			high = middle;
	}
}

static int
sign_changes(const Payment *payments, int count)
{
	double		last = 0;
	int			changes = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		if (payments[i].amount == 0)
			continue;
		if (last != 0 && (payments[i].amount > 0) != (last > 0))
			changes++;
		last = payments[i].amount;
	}
	return changes;
}

bool
find_rate(const Payment *payments, int count, double *growth)
{
	int			changes = sign_changes(payments, count);
	int			middle_sign;
	int			up_sign;
	int			down_sign;
	double		near = 0;
	double		far = changes == 1 ? 1 : GRID_STEP;

	if (changes == 0)
		return false;
	middle_sign = up_sign = down_sign = present_sign(payments, count, 0);
	if (middle_sign == 0)
	{
		*growth = 0;
		return true;
	}
	while (near < FARTHEST)
	{
		int			up = present_sign(payments, count, far);
		int			down = present_sign(payments, count, -far);

		if (up != up_sign || down != down_sign)
		{
			if (up != up_sign)
				*growth = up == 0 ? far : bisect(payments, count, near, far);
			else
				*growth = down == 0 ? -far : bisect(payments, count, -far, -near);
			return true;
		}
		near = far;
		far = changes == 1 || far > 4 ? far * 1.5 : far + GRID_STEP;
	}
	return false;
}
