/*-------------------------------------------------------------------------
 *
 * fee.c
 *	  Commands about fees: accrue_fee, pay_fee.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "fund/command.h"
#include "fund/fund_state.h"
#include "fund/money.h"
#include "fund/streams.h"
#include "utils/builtins.h"

/* More than is accrued of the kind, less what was paid, cannot be paid. */
static void
require_accrued(Command *cmd, Row *fund, const char *kind, Numeric amount)
{
	Datum		keys[2];
	Row		   *account;
	Numeric		owed = num_int(0);

	keys[0] = fund->values[FUND_ID];
	keys[1] = CStringGetTextDatum(kind);
	account = rows_find(cmd->rows, TABLE_FEE_ACCOUNT, keys);
	if (account != NULL)
		owed = num_sub(row_numeric(account, ACCOUNT_ACCRUED),
					   row_numeric(account, ACCOUNT_PAID));
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
	kind = arg_text(fcinfo, 2, "kind");

	command_begin(&cmd, fcinfo, 3);
	fund = command_lock_fund(&cmd, fund_id);
	if (fund != NULL)
		amount = at_scale(amount, row_int32(fund, FUND_CASH_SCALE), "amount");
	json_put_int64(&cmd.arguments, "fund_id", fund_id);
	json_put_numeric(&cmd.arguments, "amount", amount);
	json_put_string(&cmd.arguments, "kind", kind);

	if (!command_replayed(&cmd, type))
	{
		FundState	state;

		(void) require_fund(fund, fund_id);
		command_check_time(&cmd);
		fund_state_at(&state, fund, cmd.effective_at);
		command_expect(&cmd, fund_stream(fund_id));
		if (pay)
		{
			require_accrued(&cmd, fund, kind, amount);
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
