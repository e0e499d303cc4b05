/*-------------------------------------------------------------------------
 *
 * fundes.c
 *	  The module: settings, and the fund domain put on top of the event store.
 *
 *	  The way of the data:
 *
 *		command -> log -> projector -> views
 *
 *	  A command (src/fund/, one file a concern) locks what it decides about,
 *	  checks the rules, computes every figure and appends events.  The store
 *	  (src/store/) writes them to the log.  A statement trigger
 *	  (src/fund/projector.c) folds them (src/fund/fold.c) into the projection
 *	  tables, which views show.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include <limits.h>

#include "fund/projection.h"
#include "fund/streams.h"
#include "store/append.h"
#include "utils/datetime.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

bool		fundes_direct_insert;
int			fundes_max_event_size;
char	   *fundes_max_quote_age;
char	   *fundes_price_function;
char	   *fundes_price_index;
char	   *fundes_halt_threshold;
char	   *fundes_halt_duration;

/* Whether a text is an interval from 0 to 1,000 years, told without an error. */
static bool
is_age(char *value)
{
	char		buffer[256];
	char	   *fields[MAXDATEFIELDS];
	int			types[MAXDATEFIELDS];
	int			nfields;
	int			kind;
	struct pg_itm_in itm;

	if (ParseDateTime(value, buffer, sizeof(buffer), fields, types,
					  MAXDATEFIELDS, &nfields) != 0)
		return false;
	return DecodeInterval(fields, types, nfields, INTERVAL_FULL_RANGE, &kind, &itm) == 0 &&
		kind == DTK_DELTA &&
		itm.tm_usec >= 0 && itm.tm_mday >= 0 && itm.tm_mon >= 0 && itm.tm_year >= 0 &&
		itm.tm_mday <= 365000 && itm.tm_mon <= 12000 && itm.tm_year <= 1000;
}

static bool
check_age(char **newval, void **extra, GucSource source)
{
	if (is_age(*newval))
		return true;
	GUC_check_errdetail("It must be an interval from 0 to 1,000 years, such as \"30 days\".");
	GUC_check_errhint("Write it without a sign, in PostgreSQL's own style or as in ISO 8601.");
	return false;
}

/* A fraction is told by its digits: 0 or 0.08, not 8 % and not 1. */
static bool
check_fraction(char **newval, void **extra, GucSource source)
{
	const char *digits = *newval;

	if (strspn(digits, "0") == 1 &&
		(digits[1] == '\0' ||
		 (digits[1] == '.' && digits[2] != '\0' && strlen(digits) <= 12 &&
		  digits[2 + strspn(digits + 2, "0123456789")] == '\0')))
		return true;
	GUC_check_errdetail("It must be a fraction from 0 to less than 1 with at most 10 decimals, such as \"0.08\".");
	GUC_check_errhint("8 %% is written 0.08.");
	return false;
}

void
_PG_init(void)
{
	DefineCustomBoolVariable("fundes.direct_insert",
							 "Whether events are written below the executor where they can be.",
							 "Both ways write the same. Where the log has triggers, rules or the like that are not of fundes, events are always written by a statement.",
							 &fundes_direct_insert,
							 true,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("fundes.max_event_size",
							"Largest payload and metadata of one event.",
							NULL,
							&fundes_max_event_size,
							1024 * 1024, 1024, INT_MAX,
							PGC_SUSET, GUC_UNIT_BYTE,
							NULL, NULL, NULL);
	DefineCustomStringVariable("fundes.max_quote_age",
							   "How old a quote of a copyright may be to be used in a valuation.",
							   "A quote of exactly that age still counts.",
							   &fundes_max_quote_age,
							   "30 days",
							   PGC_USERSET, 0,
							   check_age, NULL, NULL);
	/* what it names runs as the extension's owner */
	DefineCustomStringVariable("fundes.price_function",
							   "The function that valuations ask for prices, with get_mcp_index's signature.",
							   "It runs with the rights of the extension's owner. Where it returns NULL the last value is carried.",
							   &fundes_price_function,
							   "fundes.get_mcp_index",
							   PGC_SUSET, 0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("fundes.price_index",
							   "The index by which fundes.get_mcp_price_by_index tells prices.",
							   NULL,
							   &fundes_price_index,
							   "MCPI",
							   PGC_SUSET, 0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("fundes.halt_threshold",
							   "How far below the last day's level a published index halts dealing, as a fraction.",
							   "An index that is just so far below halts it.",
							   &fundes_halt_threshold,
							   "0.08",
							   PGC_SUSET, 0,
							   check_fraction, NULL, NULL);
	DefineCustomStringVariable("fundes.halt_duration",
							   "How long an index halts dealing.",
							   NULL,
							   &fundes_halt_duration,
							   "20 minutes",
							   PGC_SUSET, 0,
							   check_age, NULL, NULL);
	MarkGUCPrefixReserved("fundes");
	rows_init();
	append_init(&fund_module);
}
