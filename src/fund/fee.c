/*-------------------------------------------------------------------------
 *
 * fee.c
 *	  Commands about fees: accrue_fee, pay_fee.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/fee.h"
#include "fund/money.h"
#include "fund/streams.h"
#include "plan.h"
#include "utils/builtins.h"

/* What is owed of a kind now. */
static Numeric
owed_now(Command *cmd, const FundState *state, const char *kind)
{
	Datum		keys[2];
	Row		   *account;

	keys[0] = state->fund->values[FUND_ID];
	keys[1] = CStringGetTextDatum(kind);
	account = rows_find(cmd->rows, TABLE_FEE_ACCOUNT, keys);
	if (account == NULL)
		return num_int(0);
	return num_sub(row_numeric(account, ACCOUNT_ACCRUED), row_numeric(account, ACCOUNT_PAID));
}

/* The least that is owed of a kind at the moment or after any later event. */
static Numeric
least_owed(const FundState *state, const char *kind)
{
	static KeptPlan select = PLAN(
		"select least(min(owed), case when min(since) > $3 then 0 end) from ("
		"  select effective_at as since, lead(effective_at) over timeline as until,"
		"         sum((fee->>'amount')::numeric * case when adds then 1 else -1 end)"
		"           over timeline as owed"
		"    from fundes.event, lateral (select"
		"           case when type_id = $6 then payload->'reversed' else payload end as fee,"
		"           type_id = $4 or (type_id = $6 and payload->>'reversed_type' = 'FeePaid') as adds) f"
		"   where stream_id = (select s.stream_id from fundes.stream s where s.name = $1)"
		"     and (type_id in ($4, $5) or (type_id = $6 and payload->>'reversed_type' in ('FeeAccrued', 'FeePaid')))"
		"     and fee->>'kind' = $2"
		"  window timeline as (order by effective_at, version)) history"
		" where until > $3 or until is null",
		TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID, INT4OID, INT4OID);
	Datum		values[6];
	bool		isnull;
	Datum		least;

	values[0] = CStringGetTextDatum(fund_stream(row_int64(state->fund, FUND_ID)));
	values[1] = CStringGetTextDatum(kind);
	values[2] = TimestampTzGetDatum(state->at);
	values[3] = Int32GetDatum(FEE_ACCRUED);
	values[4] = Int32GetDatum(FEE_PAID);
	values[5] = Int32GetDatum(EVENT_REVERSED);
	(void) plan_fresh(&select, values, NULL);
	least = plan_value(1, NUMERICOID, &isnull);
	SPI_freetuptable(SPI_tuptable);
	return isnull ? num_int(0) : DatumGetNumeric(least);
}

Numeric
fee_owed(Command *cmd, const FundState *state, const char *kind)
{
	return state->is_past ? least_owed(state, kind) : owed_now(cmd, state, kind);
}

/* More than is accrued of the kind, less what was paid, cannot be paid. */
static void
require_accrued(Command *cmd, const FundState *state, const char *kind, Numeric amount)
{
	Numeric		owed = fee_owed(cmd, state, kind);

	if (num_cmp(owed, amount) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_FUND),
				 errmsg("Insufficient fund"),
				 errdetail("Of kind \"%s\" %s are accrued and not paid, to be paid are %s.",
						   kind, num_text(owed), num_text(amount)),
				 errhint("Accrue the fee with fundes.accrue_fee() first.")));
}

/* Both commands, which differ in their event and in what the books allow. */
static Datum
fee_command(FunctionCallInfo fcinfo, bool pay)
{
	const char *type = pay ? "FeePaid" : "FeeAccrued";
	Command		cmd;
	int64		fund_id = arg_int64(fcinfo, 0, "fund_id");
	Numeric		amount = arg_numeric(fcinfo, 1, "amount");
	char	   *kind;
	Row		   *fund;

	REQUIRE_ARG(2, "kind");
	amount = checked_amount(amount, QUANTITY_CASH, false, "amount");

	command_begin(&cmd, fcinfo);
	fund = command_lock_fund(&cmd, fund_id);
	if (fund != NULL)
		amount = at_scale(amount, row_int32(fund, FUND_CASH_SCALE), "amount");
	kind = arg_key(fcinfo, 2, "kind");
	command_options(&cmd, 3);
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_numeric(&cmd.arguments, "amount", amount);
	json_put_string(&cmd.arguments, "kind", kind);

	if (!command_replayed(&cmd, type))
	{
		FundState	state;

		(void) require_fund(fund, fund_id);
		if (!pay)
			require_open(fund);
		command_check_time(&cmd, fund);
		fund_state_at(&state, fund, cmd.effective_at);
		command_expect(&cmd, fund_stream(fund_id));
		if (pay)
		{
			require_accrued(&cmd, &state, kind, amount);
			require_liabilities(&state, amount);
		}
		else
			require_cash(&state, amount);
		command_append(&cmd, fund_stream(fund_id), type);
	}
	command_end(&cmd);
	return command_event_id(&cmd);
}

FUNDES_FUNCTION(fundes_accrue_fee);

Datum
fundes_accrue_fee(PG_FUNCTION_ARGS)
{
	return fee_command(fcinfo, false);
}

FUNDES_FUNCTION(fundes_pay_fee);

Datum
fundes_pay_fee(PG_FUNCTION_ARGS)
{
	return fee_command(fcinfo, true);
}
