/*-------------------------------------------------------------------------
 *
 * calendar.h
 *	  Days in a fund's time zone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_CALENDAR_H
#define FUNDES_CALENDAR_H

#include "utils/date.h"
#include "utils/timestamp.h"

/* The zone's name as the server spells it; 22023 where there is none. */
extern const char *checked_zone(const char *name);

/* The day on which a moment is, and the moment at which a day ends. */
extern DateADT day_of(TimestampTz moment, const char *zone);
extern TimestampTz day_end(DateADT day, const char *zone);

extern char *date_text(DateADT date);

/* Whether no part of it is negative, or beyond 1,000 years. */
extern bool interval_is_age(const Interval *interval);

/* A length of time in microseconds: a day is 24 hours, a month 30 days. */
extern int64 interval_length(const Interval *interval);

/* ISO 8601, whatever the session's IntervalStyle. */
extern char *interval_text(const Interval *interval);

#endif							/* FUNDES_CALENDAR_H */
