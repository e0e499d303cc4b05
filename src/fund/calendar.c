/*-------------------------------------------------------------------------
 *
 * calendar.c
 *	  Days in a fund's time zone, see calendar.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include <ctype.h>

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/calendar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/json.h"

/*
 * pg_tzset() takes any POSIX rule too, so that "+09" and "Asia/Seoul9" would be
 * zones nine hours west of Greenwich.  It spells a rule in capitals, which no
 * zone of the database with a slash in its name is; and without a slash, a
 * name with a digit is a rule or one of a few that are obsolete.
 */
static bool
is_rule(const char *spelled)
{
	const char *c;

	for (c = spelled; *c != '\0'; c++)
		if (strchr(spelled, '/') == NULL ? isdigit((unsigned char) *c) :
			islower((unsigned char) *c))
			break;
	return (strchr(spelled, '/') == NULL) == (*c != '\0');
}

const char *
checked_zone(const char *name)
{
	pg_tz	   *zone = strlen(name) <= TZ_STRLEN_MAX ? pg_tzset(name) : NULL;

	if (zone == NULL || is_rule(pg_get_timezone_name(zone)) || !pg_tz_acceptable(zone))
		invalid_argument("unknown time zone",
						 psprintf("It is \"%s\".", name),
						 "Use a name such as Asia/Seoul; view pg_timezone_names lists them.");
	return pg_get_timezone_name(zone);
}

static pg_tz *
zone_of(const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	if (zone == NULL)
		elog(ERROR, "time zone \"%s\" is gone", name);
	return zone;
}

DateADT
day_of(TimestampTz moment, const char *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;

	if (timestamp2tm(moment, &offset, &tm, &fsec, NULL, zone_of(zone)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
}

TimestampTz
day_end(DateADT day, const char *zone)
{
	struct pg_tm tm;
	TimestampTz result;
	int			offset;

	memset(&tm, 0, sizeof(tm));
	j2date(day + 1 + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	offset = DetermineTimeZoneOffset(&tm, zone_of(zone));
	if (tm2timestamp(&tm, 0, &offset, &result) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range: \"%s\"", date_text(day))));

	/* where clocks go back at midnight there are two, or it is not the end */
	if (day_of(result - USECS_PER_HOUR, zone) > day)
		result -= USECS_PER_HOUR;
	else if (day_of(result, zone) <= day)
		result += USECS_PER_HOUR;
	return result;
}

char *
date_text(DateADT date)
{
	return JsonEncodeDateTime(NULL, DateADTGetDatum(date), DATEOID, NULL);
}

bool
interval_is_age(const Interval *interval)
{
	return interval->time >= 0 && interval->day >= 0 && interval->month >= 0 &&
		interval->time <= INT64CONST(365000) * USECS_PER_DAY &&
		interval->day <= 365000 && interval->month <= 12000;
}

int64
interval_length(const Interval *interval)
{
	return interval->time +
		(interval->day + (int64) interval->month * DAYS_PER_MONTH) * USECS_PER_DAY;
}

char *
interval_text(const Interval *interval)
{
	char	   *text = palloc(MAXDATELEN + 1);
	struct pg_itm itm;

	interval2itm(*interval, &itm);
	EncodeInterval(&itm, INTSTYLE_ISO_8601, text);
	return text;
}
