/*-------------------------------------------------------------------------
 *
 * rate.h
 *	  The rate of return at which dated payments come to nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_RATE_H
#define FUNDES_RATE_H

/* A payment so many years after the first: negative paid, positive received. */
typedef struct Payment
{
	double		years;
	double		amount;
} Payment;

/*
 * The growth of a year as a logarithm, ln(1 + rate), at which the payments'
 * present values add up to 0; false where there is none.  Payments are in the
 * order of time, one a day, none of 0.  Where there are several it is the one
 * nearest to 0, of two as near the one above.  One at which the sum touches 0
 * and turns counts, as far as doubles can tell.  Always ends.
 */
extern bool find_rate(const Payment *payments, int count, double *growth);

#endif							/* FUNDES_RATE_H */
