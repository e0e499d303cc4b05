/*-------------------------------------------------------------------------
 *
 * quote.h
 *	  Quotes of copyrights.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_QUOTE_H
#define FUNDES_QUOTE_H

/* The setting fundes.max_quote_age as an interval. */
extern Datum max_quote_age(void);

#endif							/* FUNDES_QUOTE_H */
