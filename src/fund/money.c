/*-------------------------------------------------------------------------
 *
 * money.c
 *	  Arithmetic with the server's numeric, see money.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/money.h"
#include "number.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

/* Digits before and after the point, by Quantity. */
static const int whole_digits[] = {20, 18, 16};
static const int decimals[] = {4, 6, 4};

static inline Numeric
call1(PGFunction function, Numeric a)
{
	return DatumGetNumeric(DirectFunctionCall1(function, NumericGetDatum(a)));
}

static inline Numeric
call2(PGFunction function, Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(function, NumericGetDatum(a),
											   NumericGetDatum(b)));
}

static inline Numeric
call_scale(PGFunction function, Numeric a, int scale)
{
	return DatumGetNumeric(DirectFunctionCall2(function, NumericGetDatum(a),
											   Int32GetDatum(scale)));
}

Numeric
num_parse(const char *text)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid),
											   Int32GetDatum(-1)));
}

#define LEAST_POWER -7
#define GREATEST_POWER 20

/*
 * 10 to the power of exponent, exactly.  Each is made once and kept for the
 * backend's life.
 */
static Numeric
power_of_ten(int exponent)
{
	static Numeric powers[GREATEST_POWER - LEAST_POWER + 1];
	Numeric    *power = &powers[exponent - LEAST_POWER];

	if (exponent < LEAST_POWER || exponent > GREATEST_POWER)
		elog(ERROR, "no power %d of ten is kept", exponent);
	if (*power == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
		char		text[16];

		snprintf(text, sizeof(text), "1e%d", exponent);
		*power = num_parse(text);
		MemoryContextSwitchTo(old);
	}
	return *power;
}

Numeric
num_zero(void)
{
	static Numeric zero = NULL;

	if (zero == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		zero = int64_to_numeric(0);
		MemoryContextSwitchTo(old);
	}
	return zero;
}

Numeric
num_int(int64 value)
{
	return int64_to_numeric(value);
}

Numeric
num_add(Numeric a, Numeric b)
{
	return numeric_add_opt_error(a, b, NULL);
}

Numeric
num_sub(Numeric a, Numeric b)
{
	return numeric_sub_opt_error(a, b, NULL);
}

Numeric
num_mul(Numeric a, Numeric b)
{
	return numeric_mul_opt_error(a, b, NULL);
}

Numeric
num_abs(Numeric a)
{
	return call1(numeric_abs, a);
}

Numeric
num_negate(Numeric a)
{
	return call1(numeric_uminus, a);
}

int
num_cmp(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(b)));
}

int
num_sign(Numeric a)
{
	Number		n;

	if (!number_read(a, &n))
		return num_cmp(a, num_zero());
	return n.ndigits == 0 ? 0 : n.negative ? -1 : 1;
}

char *
num_text(Numeric a)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(a)));
}

Numeric
num_floor(Numeric a, int scale)
{
	Assert(num_sign(a) >= 0);
	return call_scale(numeric_trunc, a, scale);
}

Numeric
num_ceil(Numeric a, int scale)
{
	Numeric		floor = num_floor(a, scale);

	return num_cmp(floor, a) == 0 ? floor : num_add(floor, power_of_ten(-scale));
}

/* The server's round() goes away from zero at the half. */
Numeric
num_half_up(Numeric a, int scale)
{
	Assert(num_sign(a) >= 0);
	return call_scale(numeric_round, a, scale);
}

/*
 * a / b, floor at scale.  numeric's quotient is itself rounded, which could
 * lift it over the edge; div() is not.
 */
Numeric
num_div_floor(Numeric a, Numeric b, int scale)
{
	Numeric		shifted = num_mul(a, power_of_ten(scale));

	Assert(num_sign(a) >= 0 && num_sign(b) > 0);
	return num_mul(call2(numeric_div_trunc, shifted, b), power_of_ten(-scale));
}

Numeric
num_price(Numeric nav, Numeric units)
{
	Numeric		worth = num_abs(nav);
	Numeric		price = num_div_floor(worth, units, PRICE_SCALE);

	if (num_sign(nav) >= 0)
		return price;
	if (num_cmp(num_mul(price, units), worth) < 0)
		price = num_add(price, power_of_ten(-PRICE_SCALE));
	return num_negate(price);
}

/* a / b, half up at scale: the floor of half a digit more. */
Numeric
num_div_half_up(Numeric a, Numeric b, int scale)
{
	Numeric		half = num_mul(num_int(5), power_of_ten(-scale - 1));

	return num_div_floor(num_add(a, num_mul(half, b)), b, scale);
}

/* Zeros at the end count, but few figures have any: so a look often suffices. */
bool
num_has_scale(Numeric a, int scale)
{
	Number		n;

	if (number_read(a, &n) && n.scale <= scale)
		return true;
	if (numeric_is_nan(a) || numeric_is_inf(a))
		return false;
	return num_cmp(call_scale(numeric_trunc, a, scale), a) == 0;
}

/* sign is that of the number. */
static inline bool
in_range(Numeric a, int sign, Quantity kind)
{
	Number		n;

	if (number_read(a, &n) && (n.weight + 1) * NUMBER_DIGITS <= whole_digits[kind])
		return true;
	return num_cmp(sign < 0 ? num_negate(a) : a, power_of_ten(whole_digits[kind])) < 0;
}

bool
num_fits(Numeric a, Quantity kind, int least_sign)
{
	int			sign = num_sign(a);

	return sign >= least_sign &&
		(sign == 0 || in_range(a, sign, kind)) && num_has_scale(a, decimals[kind]);
}

static void
out_of_range(const char *name, Quantity kind)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s is too large", name),
			 errdetail("It must be less than 10^%d.", whole_digits[kind]),
			 kind == QUANTITY_PRICE ? errhint("Give a smaller number, or look for a mistake.") :
			 errhint("Split it, or look for a mistake.")));
}

Numeric
checked_range(Numeric a, Quantity kind)
{
	static const char *const names[] =
	{"an amount of cash", "a number of units", "a price"};

	if (!in_range(a, num_sign(a), kind))
		out_of_range(names[kind], kind);
	return a;
}

Numeric
checked_amount(Numeric a, Quantity kind, bool zero_allowed, const char *name)
{
	int			sign = num_sign(a);

	if (numeric_is_nan(a) || numeric_is_inf(a) || sign < 0 ||
		(sign == 0 && !zero_allowed))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AMOUNT),
				 errmsg("Invalid amount or quantity"),
				 errdetail("%s is %s.", name, num_text(a)),
				 zero_allowed ? errhint("Give a number that is not negative.") :
				 errhint("Give a number greater than 0.")));
	if (!in_range(a, sign, kind))
		out_of_range(name, kind);
	return a;
}

void
require_scale(Numeric a, int scale, const char *name)
{
	if (!num_has_scale(a, scale))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AMOUNT),
				 errmsg("Invalid amount or quantity"),
				 errdetail("%s is %s, which has more than %d decimals.",
						   name, num_text(a), scale),
				 errhint("Amounts are never rounded on the way in: give at most %d decimals.", scale)));
}

Numeric
at_scale(Numeric a, int scale, const char *name)
{
	require_scale(a, scale, name);
	return call_scale(numeric_trunc, a, scale);
}
