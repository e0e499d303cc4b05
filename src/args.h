/*-------------------------------------------------------------------------
 *
 * args.h
 *	  Checks at the top of each entry point.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_ARGS_H
#define FUNDES_ARGS_H

#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MAX_NAME_BYTES 255

/* Raises 22023. */
pg_noreturn extern void invalid_argument(const char *message, const char *detail,
										 const char *hint);

/* Raises 22004. */
extern void require_value(bool isnull, const char *name);

#define REQUIRE_ARG(n, name) require_value(PG_ARGISNULL(n), name)

/* Control characters are C0 and DEL. */
extern void refuse_control_characters(const char *s, int len, const char *name);

/* A stream's or a type's name: 1 to 255 bytes, as it is. */
extern char *checked_name(text *value, const char *what);

extern void check_finite(TimestampTz value, const char *name);

#endif							/* FUNDES_ARGS_H */
