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
 *	  0 and the side on which the sign changes.
 *
 *	  With more, a grid around 0 is looked through from the middle.  In a step
 *	  between two points P may have a root though its sign is the same at both:
 *	  where it touches 0, or has two roots.  Then it turns in between.  It is
 *	  the same for P times exp(g * t), whatever t; where t is on a day at which
 *	  payments change sign, the derivative
 *
 *		sum of amount * (t - years) * exp(-g * years) * exp(g * t)
 *
 *	  has one change of sign less.  So with two changes P turns once, and no root
 *	  is missed; with more, only where it turns twice within a step.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include <float.h>
#include <math.h>

#include "fund/rate.h"
#include "miscadmin.h"

#define GRID_STEP 0.005
#define GRID_GROWTH 1.05		/* of the steps beyond GRID_END */
#define GRID_END 4.0
#define FARTHEST 1e6			/* more than a day's growth by 10^1000 */

/*
 * The sign of P.  What rounding may have made of 0 counts as 0 where the caller
 * says so: where P turns.
 */
static int
sign_of_sum(const Payment *payments, int count, double growth, bool may_touch)
{
	double		largest = -growth * payments[growth > 0 ? 0 : count - 1].years;
	double		sum = 0;
	double		error = 0;
	int			i;

	CHECK_FOR_INTERRUPTS();
	for (i = 0; i < count; i++)
	{
		double		exponent = -growth * payments[i].years;
		double		term = payments[i].amount * exp(exponent - largest);

		sum += term;
		error += fabs(term) * (count + 2 * (fabs(exponent) + fabs(largest)));
	}
	if (may_touch && fabs(sum) <= error * DBL_EPSILON)
		return 0;
	return sum > 0 ? 1 : sum < 0 ? -1 : 0;
}

static int
present_sign(const Payment *payments, int count, double growth)
{
	return sign_of_sum(payments, count, growth, false);
}

/* Halves the interval, at whose ends the signs differ, until nothing is left. */
static double
bisect(const Payment *payments, int count, double from, double to)
{
	int			from_sign = present_sign(payments, count, from);

	for (;;)
	{
		double		middle = from + (to - from) / 2;
		int			sign;

		if (middle == from || middle == to)
			return middle;
		sign = present_sign(payments, count, middle);
		if (sign == 0)
			return middle;
		if (sign == from_sign)
			from = middle;
		else
			to = middle;
	}
}

static int
sign_changes(const Payment *payments, int count)
{
	int			changes = 0;
	int			i;

	for (i = 1; i < count; i++)
		if ((payments[i].amount > 0) != (payments[i - 1].amount > 0))
			changes++;
	return changes;
}

/* The payments whose P tells where that of others turns. */
static Payment *
slope_of(const Payment *payments, int count)
{
	Payment    *slope = palloc(sizeof(Payment) * count);
	int			change = 1;
	double		t;
	int			i;

	while ((payments[change].amount > 0) == (payments[0].amount > 0))
		change++;
	t = (payments[change - 1].years + payments[change].years) / 2;
	for (i = 0; i < count; i++)
	{
		slope[i].years = payments[i].years;
		slope[i].amount = payments[i].amount * (t - payments[i].years);
	}
	return slope;
}

/* One change of sign, one root. */
static bool
find_only_root(const Payment *payments, int count, double *growth)
{
	int			sign = present_sign(payments, count, 0);
	double		near = 0;
	double		far;

	for (far = 1; near < FARTHEST; near = far, far *= 1.5)
	{
		if (present_sign(payments, count, far) != sign)
			*growth = bisect(payments, count, near, far);
		else if (present_sign(payments, count, -far) != sign)
			*growth = bisect(payments, count, -near, -far);
		else
			continue;
		return true;
	}
	return false;
}

/* The root between two points that is nearest to the first, which is none. */
static bool
root_in_step(const Payment *payments, const Payment *slope, int count,
			 double near, double far, double *growth)
{
	int			sign = present_sign(payments, count, near);
	double		turn;
	int			sign_there;

	if (present_sign(payments, count, far) != sign)
	{
		*growth = bisect(payments, count, near, far);
		return true;
	}
	if (present_sign(slope, count, near) == present_sign(slope, count, far))
		return false;
	turn = bisect(slope, count, near, far);
	sign_there = sign_of_sum(payments, count, turn, true);
	if (sign_there == sign)
		return false;
	*growth = sign_there == 0 ? turn : bisect(payments, count, near, turn);
	return true;
}

/* Of several roots the one nearest to 0; of two as near the one above it. */
static bool
find_nearest_root(const Payment *payments, int count, double *growth)
{
	Payment    *slope = slope_of(payments, count);
	double		near = 0;
	double		far = GRID_STEP;

	while (near < FARTHEST)
	{
		double		up;
		double		down;
		bool		found_up = root_in_step(payments, slope, count, near, far, &up);
		bool		found_down = root_in_step(payments, slope, count, -near, -far, &down);

		if (found_up || found_down)
		{
			*growth = found_up && (!found_down || up <= -down) ? up : down;
			return true;
		}
		near = far;
		far = far > GRID_END ? far * GRID_GROWTH : far + GRID_STEP;
	}
	return false;
}

bool
find_rate(const Payment *payments, int count, double *growth)
{
	int			changes = sign_changes(payments, count);

	if (changes == 0)
		return false;
	if (present_sign(payments, count, 0) == 0)
	{
		*growth = 0;
		return true;
	}
	return changes == 1 ? find_only_root(payments, count, growth) :
		find_nearest_root(payments, count, growth);
}
