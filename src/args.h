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

/* C0 and DEL */
static inline bool
has_control_character(const char *s, int len)
{
	int			i;

	for (i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) s[i];

		if (c < 0x20 || c == 0x7f)
			return true;
	}
	return false;
}

static inline void
require_value(bool isnull, const char *name)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

#define REQUIRE_ARG(n, name) require_value(PG_ARGISNULL(n), name)

/* A stream's or a type's name: 1 to 255 bytes, as it is. */
static inline char *
checked_name(text *value, const char *what)
{
	const char *s = VARDATA_ANY(value);
	int			len = VARSIZE_ANY_EXHDR(value);

	if (len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", what)));
	if (len > MAX_NAME_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("%s is too long", what),
				 errdetail("It has %d bytes, the limit is %d.", len, MAX_NAME_BYTES)));
	if (has_control_character(s, len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not contain control characters", what)));
	if (s[0] == '-')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not start with \"-\"", what),
				 errdetail("The value is \"%.*s\".", len, s)));
	return pnstrdup(s, len);
}

static inline void
check_finite(TimestampTz value, const char *name)
{
	if (TIMESTAMP_NOT_FINITE(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite", name)));
}

#endif							/* FUNDES_ARGS_H */
