/*-------------------------------------------------------------------------
 *
 * quote.h
 *	  Quotes of copyrights.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_QUOTE_H
#define FUNDES_QUOTE_H

#include "probe.h"
#include "utils/date.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* Looks up quotes for a day, of one copyright after the other. */
typedef struct QuoteReader
{
	DateADT		day;
	Timestamp	oldest;			/* by the setting fundes.max_quote_age */
	bool		begun;
	Probe		probe;
} QuoteReader;

extern void quotes_begin(QuoteReader *reader, DateADT day);

/*
 * Whether there is a quote up to the day, by the active snapshot, that is not too
 * old; date and price say something only then.  copyright: its code, registration
 * number and music id.
 */
extern bool quotes_find(QuoteReader *reader, const Datum *copyright,
						DateADT *date, Numeric *price);
extern void quotes_end(QuoteReader *reader);

#endif							/* FUNDES_QUOTE_H */
