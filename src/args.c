/*-------------------------------------------------------------------------
 *
 * args.c
 *	  Refusing arguments, see args.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"

void
invalid_argument(const char *message, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

void
require_value(bool isnull, const char *name)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errdetail("The value of %s is null.", name),
				 errhint("Give a value; only parameters whose default is null may be null.")));
}

static bool
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

void
refuse_control_characters(const char *s, int len, const char *name)
{
	if (has_control_character(s, len))
		invalid_argument(psprintf("%s must not contain control characters", name),
						 "It has a character below space, or DEL.",
						 "Take out line breaks, tabs and the like.");
}

char *
checked_name(text *value, const char *what)
{
	const char *s = VARDATA_ANY(value);
	int			len = VARSIZE_ANY_EXHDR(value);

	if (len == 0)
		invalid_argument(psprintf("%s must not be empty", what),
						 "It has 0 bytes.", "Give a name of 1 to 255 bytes.");
	if (len > MAX_NAME_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("%s is too long", what),
				 errdetail("It has %d bytes, the limit is %d.", len, MAX_NAME_BYTES),
				 errhint("Give a name of 1 to %d bytes.", MAX_NAME_BYTES)));
	refuse_control_characters(s, len, what);
	if (s[0] == '-')
		invalid_argument(psprintf("%s must not start with \"-\"", what),
						 psprintf("The value is \"%.*s\".", len, s),
						 "What stands before the first \"-\" is the category.");
	return pnstrdup(s, len);
}

void
check_finite(TimestampTz value, const char *name)
{
	if (TIMESTAMP_NOT_FINITE(value))
		invalid_argument(psprintf("%s must be finite", name),
						 psprintf("It is %s.", TIMESTAMP_IS_NOBEGIN(value) ? "-infinity" : "infinity"),
						 "Give a point in time.");
}
