/*-------------------------------------------------------------------------
 *
 * fold.c
 *	  What each event does to the projections: state and event give the next
 *	  state, and nothing else is read.
 *
 *	  Figures: c capital_cash, a asset_value, l liabilities, s total_supply.
 *	  What must hold after every event, whatever path it took:
 *
 *		NAV = c + a - l = subscriptions - redemptions + realised + unrealised
 *						  + royalties - fees - distributed
 *		sum of units of the holdings = s
 *		sum of values of the copyrights held = a
 *		c, a, l, s >= 0
 *
 *	  The commands have checked all of it before they append.  Events that were
 *	  appended directly meet the rules here, as fences.
 *
 *	  Each event also leaves rows of fund_entry and holding_entry: what it added
 *	  to the figures, and the price if it struck one.  So the figures of any
 *	  moment can be told.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/fold.h"
#include "fund/fold_internal.h"
#include "fund/fund_lock.h"
#include "fund/market.h"
#include "fund/money.h"
#include "fund/pending.h"
#include "fund/timeline.h"
#include "json.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

void
refuse(const Fold *fold, int code, const char *message, const char *detail)
{
	ereport(ERROR,
			(errcode(code),
			 errmsg("%s", message),
			 errdetail("%s", detail),
			 errhint("An event that is appended directly must agree with the books; the commands see to that."),
			 errcontext("event at position " INT64_FORMAT " of the log: %s",
						fold->event->position, json_text(fold->event->payload->object))));
}

/* The balances of a fund and a holding follow on each other by position. */
static void
note_position(const Fold *fold, Row *row, int column)
{
	int64		position = fold->event->position;

	if (!row->nulls[column] && position < row_int64(row, column))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("events of a fund would be folded out of order"),
				 errdetail("The event has position " INT64_FORMAT "; the %s has come to " INT64_FORMAT ".",
						   position, row->table == TABLE_FUND ? "fund" : "holding",
						   row_int64(row, column)),
				 errhint("%s Load events in the order of their positions.", FOLLOWER_HINT)));
	row_set(row, column, Int64GetDatum(position));
}

void
refuse_payload(const Fold *fold, const char *detail)
{
	refuse(fold, ERRCODE_PAYLOAD_MISFIT, "payload contradicts the books", detail);
}

void
require_equal(const Fold *fold, const char *key, Numeric expected)
{
	if (num_cmp(number(fold, key), expected) != 0)
		refuse_payload(fold, psprintf("Key \"%s\" is %s, by the books it is %s.", key,
									  num_text(number(fold, key)), num_text(expected)));
}

static bool
is_in_fund_stream(int32 type_id)
{
	return type_id != INVESTMENT_CREATED && type_id != INVESTMENT_WITHDRAWN;
}

/*
 * Changing the fund
 */

/* The fund's entry of this event for a moment. */
static Row *
entry_at(Fold *fold, TimestampTz moment)
{
	Datum		keys[3];
	ListCell   *cell;
	Row		   *entry;

	foreach(cell, fold->entries)
		if (row_time(lfirst(cell), ENTRY_EFFECTIVE_AT) == moment)
			return lfirst(cell);
	keys[0] = fold->fund->values[FUND_ID];
	keys[1] = Int64GetDatum(fold->event->position);
	keys[2] = TimestampTzGetDatum(moment);
	entry = rows_add(fold->rows, TABLE_FUND_ENTRY, keys);
	row_set(entry, ENTRY_RECORDED_AT, TimestampTzGetDatum(fold->event->recorded_at));
	fold->entries = lappend(fold->entries, entry);
	return entry;
}

/* Adds to a figure of the fund, as of a moment. */
void
fund_add_at(Fold *fold, TimestampTz moment, int column, Numeric amount)
{
	if (num_sign(amount) == 0)
		return;
	if (column <= FUND_TOTAL_SUPPLY)
		fold->moves_books = true;
	if (!fold->pending)
	{
		fold->moved |= COLUMN_BIT(column);
		row_add(fold->fund, column, amount);
	}
	row_add(entry_at(fold, moment), ENTRY_CAPITAL_CASH + column - FIRST_FUND_FIGURE, amount);
}

void
fund_add(Fold *fold, int column, Numeric amount)
{
	fund_add_at(fold, fold->event->effective_at, column, amount);
}

void
fund_subtract(Fold *fold, int column, Numeric amount)
{
	fund_add(fold, column, num_negate(amount));
}

/*
 * Notes in the event's entry what the price is now and what it ages from.
 * Prices are struck in the order of time.
 */
void
note_price(Fold *fold)
{
	static const int columns[][2] = {
		{FUND_BASE_PRICE, ENTRY_BASE_PRICE},
		{FUND_PRICE_DATE, ENTRY_PRICE_DATE},
		{FUND_PRICE_SINCE, ENTRY_PRICE_SINCE}
	};
	Row		   *entry = entry_at(fold, fold->event->effective_at);
	int			i;

	if (!fold->fund->nulls[FUND_STRUCK_AT] &&
		fold->event->effective_at < row_time(fold->fund, FUND_STRUCK_AT))
		refuse_payload(fold, psprintf("The fund has a price that was struck later, at %s.",
									  timestamptz_to_str(row_time(fold->fund, FUND_STRUCK_AT))));
	row_set(fold->fund, FUND_STRUCK_AT, TimestampTzGetDatum(fold->event->effective_at));
	for (i = 0; i < lengthof(columns); i++)
	{
		if (fold->fund->nulls[columns[i][0]])
			row_set_null(entry, columns[i][1]);
		else
			row_set(entry, columns[i][1], fold->fund->values[columns[i][0]]);
	}
}

/* Refuses the amount that has more decimals than the fund, by its key. */
static void
require_keys_scale(const Fold *fold, bool units, int scale)
{
	static const char *const keys[2][5] = {
		{"amount", "cash_taken", "withdrawn_amount", "price_cash", "total"},
		{"units", "stock_quantity"}
	};
	int			i;

	for (i = 0; i < lengthof(keys[units]) && keys[units][i] != NULL; i++)
		if (payload_find(fold->event->payload, keys[units][i]) != NULL)
			require_scale(number(fold, keys[units][i]), scale,
						  psprintf("key \"%s\" of the payload", keys[units][i]));
}

static void
check_figures(const Fold *fold)
{
	int			i;

	for (i = FIRST_FUND_FIGURE; i <= LAST_FUND_FIGURE; i++)
	{
		const char *name = tables[TABLE_FUND].columns[i].name;
		bool		units = i == FUND_TOTAL_SUPPLY;
		int			scale = row_int32(fold->fund, units ? FUND_UNIT_SCALE : FUND_CASH_SCALE);
		Numeric		figure;

		if ((fold->moved & COLUMN_BIT(i)) == 0)
			continue;
		figure = row_numeric(fold->fund, i);
		if (num_sign(figure) < 0 && i != FUND_REALISED_GAIN)
			refuse(fold, ERRCODE_INSUFFICIENT_FUND, "Insufficient fund",
				   psprintf("%s of fund " INT64_FORMAT " would be %s.", name,
							row_int64(fold->fund, FUND_ID), num_text(figure)));
		(void) checked_range(figure, units ? QUANTITY_UNITS : QUANTITY_CASH);
		if (num_has_scale(figure, scale))
			continue;
		require_keys_scale(fold, units, scale);
		require_scale(figure, scale, name);
	}
}

/*
 * Funds
 */

static void
fold_fund_created(Fold *fold)
{
	const Payload *p = fold->event->payload;
	Datum		key = Int64GetDatum(payload_int64(p, "fund_id"));
	Row		   *fund;

	if (rows_find(fold->rows, TABLE_FUND, &key) != NULL)
		refuse(fold, ERRCODE_INVALID_PARAMETER_VALUE, "fund exists already",
			   psprintf("Its fund_id is " INT64_FORMAT ".", DatumGetInt64(key)));
	fund = fold->fund = rows_add(fold->rows, TABLE_FUND, &key);
	take_string(fund, FUND_NAME, p, "name");
	row_set_text(fund, FUND_STATUS, "open");
	take_string(fund, FUND_CURRENCY, p, "currency");
	take_string(fund, FUND_TIME_ZONE, p, "time_zone");
	row_set(fund, FUND_CASH_SCALE, Int32GetDatum(payload_int64(p, "cash_scale")));
	row_set(fund, FUND_UNIT_SCALE, Int32GetDatum(payload_int64(p, "unit_scale")));
	row_set(fund, FUND_INITIAL_PRICE, NumericGetDatum(number(fold, "initial_price")));
	row_set(fund, FUND_BASE_PRICE, NumericGetDatum(number(fold, "initial_price")));
	row_set(fund, FUND_MAX_PRICE_DRIFT,
			DirectFunctionCall3(numeric_in, CStringGetDatum("0.02"),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	row_set(fund, FUND_MAX_PRICE_AGE,
			DirectFunctionCall3(interval_in, CStringGetDatum("7 days"),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	row_set(fund, FUND_ENTRIES, Int64GetDatum(0));
	row_set(fund, FUND_LATE_ENTRIES, Int64GetDatum(0));
	row_set(fund, FUND_CREATED_AT, TimestampTzGetDatum(fold->event->effective_at));
	row_set(fund, FUND_LAST_DISTRIBUTION_ID, Int64GetDatum(0));
	row_set(fund, FUND_HALTED, BoolGetDatum(false));
	note_price(fold);
}

static void
fold_price_limits_set(Fold *fold)
{
	JsonbValue *drift = payload_find(fold->event->payload, "max_price_drift");

	if (drift == NULL)
		row_set_null(fold->fund, FUND_MAX_PRICE_DRIFT);
	else
		row_set(fold->fund, FUND_MAX_PRICE_DRIFT, NumericGetDatum(drift->val.numeric));
	if (payload_find(fold->event->payload, "max_price_age") == NULL)
		row_set_null(fold->fund, FUND_MAX_PRICE_AGE);
	else
		row_set(fold->fund, FUND_MAX_PRICE_AGE,
				DirectFunctionCall3(interval_in,
									CStringGetDatum(payload_string(fold->event->payload, "max_price_age")),
									ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

Row *
fee_account(Fold *fold, const Payload *payload)
{
	Datum		keys[2];
	Row		   *row;

	keys[0] = fold->fund->values[FUND_ID];
	keys[1] = CStringGetTextDatum(payload_string(payload, "kind"));
	row = rows_find(fold->rows, TABLE_FEE_ACCOUNT, keys);
	if (row == NULL)
		row = rows_add(fold->rows, TABLE_FEE_ACCOUNT, keys);
	row_set(row, ACCOUNT_LAST_POSITION, Int64GetDatum(fold->event->position));
	return row;
}

static void
fold_fee_accrued(Fold *fold)
{
	Numeric		amount = number(fold, "amount");

	fund_add(fold, FUND_LIABILITIES, amount);
	fund_add(fold, FUND_FEE_EXPENSE, amount);
	row_add(fee_account(fold, fold->event->payload), ACCOUNT_ACCRUED, amount);
}

static void
fold_fee_paid(Fold *fold)
{
	Numeric		amount = number(fold, "amount");
	Row		   *account = fee_account(fold, fold->event->payload);

	fund_subtract(fold, FUND_LIABILITIES, amount);
	fund_subtract(fold, FUND_CAPITAL_CASH, amount);
	row_add(account, ACCOUNT_PAID, amount);
	if (num_cmp(row_numeric(account, ACCOUNT_PAID), row_numeric(account, ACCOUNT_ACCRUED)) > 0)
		refuse(fold, ERRCODE_INSUFFICIENT_FUND, "Insufficient fund",
			   "More would be paid than is accrued of that kind.");
}

/*
 * Investors and their holdings
 */

static void
fold_investor_created(Fold *fold)
{
	Datum		key = CStringGetTextDatum(payload_string(fold->event->payload, "investor_id"));
	Row		   *investor;

	if (rows_find(fold->rows, TABLE_INVESTOR, &key) != NULL)
		refuse(fold, ERRCODE_INVESTOR_ID_TAKEN, "Investor id is taken",
			   psprintf("The id is \"%s\".", TextDatumGetCString(key)));
	investor = rows_add(fold->rows, TABLE_INVESTOR, &key);
	take_string(investor, INVESTOR_NAME, fold->event->payload, "name");
	row_set(investor, INVESTOR_CREATED_AT, TimestampTzGetDatum(fold->event->effective_at));
	row_set(investor, INVESTOR_LAST_VERSION, Int64GetDatum(fold->event->version));
	row_set(investor, INVESTOR_LAST_POSITION, Int64GetDatum(fold->event->position));
}

/* The entries of the holding that the event was about so far are complete. */
static void
leave_holding(Fold *fold)
{
	if (fold->holding != NULL)
		timeline_advance(HOLDING_TIMELINE, fold->holding, fold->holding_entries,
						 fold->event->position);
	fold->holding = NULL;
	fold->holding_entries = NIL;
}

/*
 * The stream of a holding begins with the pay-in that makes it.  A log that was
 * loaded from elsewhere may have it otherwise, so a rebuild does not rely on it.
 */
static bool
begins_holding(const Fold *fold)
{
	return fold->event->type_id == INVESTMENT_CREATED && fold->event->version == 1 &&
		!rows_are_scratch(fold->rows);
}

void
find_holding(Fold *fold, const char *investor_id, bool create)
{
	Datum		keys[2];
	Row		   *holding;

	leave_holding(fold);
	keys[0] = fold->fund->values[FUND_ID];
	keys[1] = CStringGetTextDatum(investor_id);
	holding = begins_holding(fold) ?
		rows_find_known(fold->rows, TABLE_INVESTMENT, keys) :
		rows_find(fold->rows, TABLE_INVESTMENT, keys);
	/* investors are never removed: who has a holding is one */
	if (holding == NULL && rows_find(fold->rows, TABLE_INVESTOR, &keys[1]) == NULL)
		refuse(fold, ERRCODE_INVESTOR_NOT_FOUND, "Investor not found",
			   psprintf("investor_id is \"%s\".", investor_id));
	if (holding == NULL && !create)
		refuse(fold, ERRCODE_INVESTMENT_NOT_FOUND, "Investment not found",
			   psprintf("Investor \"%s\" has no investment in fund " INT64_FORMAT ".",
						investor_id, row_int64(fold->fund, FUND_ID)));
	if (holding == NULL)
	{
		holding = rows_add(fold->rows, TABLE_INVESTMENT, keys);
		row_set(holding, INVESTMENT_ENTRIES, Int64GetDatum(0));
		row_set(holding, INVESTMENT_LATE_ENTRIES, Int64GetDatum(0));
	}
	if (!is_in_fund_stream(fold->event->type_id))
	{
		row_set(holding, INVESTMENT_STREAM_ID, Int64GetDatum(fold->event->stream_id));
		row_set(holding, INVESTMENT_LAST_VERSION, Int64GetDatum(fold->event->version));
	}
	note_position(fold, holding, INVESTMENT_LAST_POSITION);
	row_note_latest(holding, INVESTMENT_LAST_EFFECTIVE_AT, fold->event->effective_at);
	fold->holding = holding;
}

/* The holding's entry of this event for a moment. */
static Row *
holding_entry_at(Fold *fold, TimestampTz moment)
{
	Datum		keys[4];
	ListCell   *cell;
	Row		   *entry;

	foreach(cell, fold->holding_entries)
		if (row_time(lfirst(cell), HOLDING_EFFECTIVE_AT) == moment)
			return lfirst(cell);
	keys[0] = fold->fund->values[FUND_ID];
	keys[1] = fold->holding->values[INVESTMENT_INVESTOR_ID];
	keys[2] = Int64GetDatum(fold->event->position);
	keys[3] = TimestampTzGetDatum(moment);
	entry = rows_add(fold->rows, TABLE_HOLDING_ENTRY, keys);
	fold->holding_entries = lappend(fold->holding_entries, entry);
	return entry;
}

/* Adds to a figure of the holding, as of a moment. */
static void
holding_add_at(Fold *fold, TimestampTz moment, int column, Numeric amount)
{
	if (num_sign(amount) == 0)
		return;
	row_add(fold->holding, column, amount);
	row_add(holding_entry_at(fold, moment), HOLDING_UNITS + column - FIRST_HOLDING_FIGURE, amount);
}

void
holding_add(Fold *fold, int column, Numeric amount)
{
	holding_add_at(fold, fold->event->effective_at, column, amount);
}

/*
 * The cost that a withdrawal relieves (sign 1), or that its reversal restores.
 * The part that stands under relieved_later goes at its own moment, if that is
 * after the event's.
 */
void
move_cost(Fold *fold, const Payload *payload, int sign)
{
	Numeric		cost = payload_numeric(payload, "cost_relieved");
	Numeric		gain = payload_numeric(payload, "realised_gain");
	TimestampTz at;

	if (payload_find_moment(payload, "relieved_at", &at))
	{
		Numeric		later = payload_numeric(payload, "relieved_later");

		if (at > row_time(fold->holding, INVESTMENT_LAST_EFFECTIVE_AT) ||
			num_sign(later) < 0 || num_cmp(later, cost) > 0)
			refuse_payload(fold, "relieved_later is more than the cost, or later than all that happened.");
		if (at > fold->event->effective_at)
		{
			holding_add_at(fold, at, INVESTMENT_COST_BASIS, sign > 0 ? num_negate(later) : later);
			holding_add_at(fold, at, INVESTMENT_REALISED_GAIN, sign > 0 ? num_negate(later) : later);
			cost = num_sub(cost, later);
			gain = num_add(gain, later);
		}
	}
	holding_add(fold, INVESTMENT_COST_BASIS, sign > 0 ? num_negate(cost) : cost);
	holding_add(fold, INVESTMENT_REALISED_GAIN, sign > 0 ? gain : num_negate(gain));
}

/*
 * Whether there were no units at the moment of a deal.  Of a moment in the past
 * the payload tells; where it does not, there were.
 */
static bool
strikes_anew(const Fold *fold)
{
	JsonbValue *struck = payload_find(fold->event->payload, "struck");
	TimestampTz at = fold->event->effective_at;

	if (struck == NULL || !struck->val.boolean)
		return struck == NULL &&
			num_sign(row_numeric(fold->fund, FUND_TOTAL_SUPPLY)) == 0 &&
			at >= row_time(fold->fund, FUND_LAST_EFFECTIVE_AT);
	if (at < row_time(fold->fund, FUND_STRUCK_AT))
		refuse_payload(fold, "A later price is struck already.");
	return true;
}

/*
 * Where there were no units, the price of the deal is struck anew: the fund
 * starts again, and a price that had an age begins one.  Days that ended before
 * say nothing about it.
 */
static void
strike_anew(Fold *fold)
{
	Row		   *fund = fold->fund;

	if (num_sign(row_numeric(fund, FUND_SUBSCRIPTIONS)) > 0)
		row_note_latest(fund, FUND_EX_AT, fold->event->effective_at);
	if (fund->nulls[FUND_PRICE_DATE] && fund->nulls[FUND_PRICE_SINCE] &&
		num_cmp(row_numeric(fund, FUND_BASE_PRICE), number(fold, "unit_price")) == 0)
		return;
	row_set(fund, FUND_BASE_PRICE, NumericGetDatum(number(fold, "unit_price")));
	if (!fund->nulls[FUND_PRICE_DATE] || !fund->nulls[FUND_PRICE_SINCE])
		row_set(fund, FUND_PRICE_SINCE, TimestampTzGetDatum(fold->event->effective_at));
	row_set_null(fund, FUND_PRICE_DATE);
	note_price(fold);
}

static void
fold_investment_created(Fold *fold)
{
	Numeric		units = number(fold, "units");
	Numeric		taken = number(fold, "cash_taken");

	find_holding(fold, payload_string(fold->event->payload, "investor_id"), true);
	require_equal(fold, "investment_amount", num_add(taken, number(fold, "refund_cash")));
	if (strikes_anew(fold))
		strike_anew(fold);
	fund_add(fold, FUND_CAPITAL_CASH, taken);
	fund_add(fold, FUND_TOTAL_SUPPLY, units);
	fund_add(fold, FUND_SUBSCRIPTIONS, taken);
	holding_add(fold, INVESTMENT_UNITS, units);
	holding_add(fold, INVESTMENT_INVESTMENT_AMOUNT, taken);
	holding_add(fold, INVESTMENT_COST_BASIS, taken);
}

static void
fold_investment_withdrawn(Fold *fold)
{
	Row		   *holding;
	Numeric		units = number(fold, "stock_quantity");
	Numeric		paid = number(fold, "withdrawn_amount");
	Numeric		cost = number(fold, "cost_relieved");

	find_holding(fold, payload_string(fold->event->payload, "investor_id"), false);
	holding = fold->holding;
	require_equal(fold, "realised_gain", num_sub(paid, cost));
	if (num_cmp(row_numeric(holding, INVESTMENT_UNITS), units) < 0)
		refuse(fold, ERRCODE_NOT_ENOUGH_STOCK, "Not enough stock quantity",
			   psprintf("The investor holds %s units.",
						num_text(row_numeric(holding, INVESTMENT_UNITS))));
	if (num_cmp(row_numeric(holding, INVESTMENT_COST_BASIS), cost) < 0)
		refuse_payload(fold, psprintf("cost_relieved is more than the cost basis, %s.",
									  num_text(row_numeric(holding, INVESTMENT_COST_BASIS))));
	fund_subtract(fold, FUND_CAPITAL_CASH, paid);
	fund_subtract(fold, FUND_TOTAL_SUPPLY, units);
	fund_add(fold, FUND_REDEMPTIONS, paid);
	holding_add(fold, INVESTMENT_UNITS, num_negate(units));
	holding_add(fold, INVESTMENT_WITHDRAWN_AMOUNT, paid);
	move_cost(fold, fold->event->payload, 1);
}

/*
 * Dispatch
 */

/* Folding the log anew leaves pending what is so in the projections. */
static bool
was_pending(const Fold *fold, int64 fund_id)
{
	FoldRun    *run = fold->run;
	PendingFund *found = pending_find(run->pending, run->npending, fund_id);

	if (found == NULL || found->wrong || fold->event->position <= found->after)
		return false;
	if (fold->event->type_id == INVESTMENT_CREATED)
		return true;
	run->pending_wrong = found->wrong = true;
	return false;
}

/* A pay-in under the shared lock leaves the fund's row alone. */
static bool
is_pending(const Fold *fold, int64 fund_id)
{
	if (rows_are_scratch(fold->rows))
		return was_pending(fold, fund_id);
	return fold->event->type_id == INVESTMENT_CREATED && fund_is_shared(fund_id);
}

/* False where the run is of no use any more: only what is wrong is looked for. */
static bool
find_fund(Fold *fold)
{
	int64		fund_id = payload_int64(fold->event->payload, "fund_id");

	fold->pending = is_pending(fold, fund_id);
	if (fold->run->pending_wrong)
		return false;
	if (!rows_are_scratch(fold->rows))
		lock_fund_to_fold(fund_id);
	fold->fund = rows_find_int64(fold->rows, TABLE_FUND, fund_id);
	if (fold->fund == NULL)
		refuse(fold, ERRCODE_FUND_NOT_FOUND, "Fund not found",
			   psprintf("fund_id is " INT64_FORMAT ".", fund_id));
	if (!rows_are_scratch(fold->rows))
	{
		if (fold->pending)
			pending_settle(fold->fund, fold->event->position);
		else
			(void) pending_add(fold->fund, true);
	}
	return true;
}

/* Others are about an investor or the market. */
static bool
is_about_fund(const FoldEvent *event)
{
	switch ((FundEventType) event->type_id)
	{
		case INVESTOR_CREATED:
		case INDEX_PUBLISHED:
			return false;
		case TRADING_HALTED:
		case TRADING_RESUMED:
			return payload_find(event->payload, "fund_id") != NULL;
		default:
			return true;
	}
}

static void
advance_fund(Fold *fold)
{
	const FoldEvent *event = fold->event;

	check_figures(fold);
	flag_valuations(fold);
	flag_distributions(fold);
	if (is_in_fund_stream(event->type_id))
	{
		row_set(fold->fund, FUND_STREAM_ID, Int64GetDatum(event->stream_id));
		row_set(fold->fund, FUND_LAST_VERSION, Int64GetDatum(event->version));
	}
	note_position(fold, fold->fund, FUND_LAST_POSITION);
	row_note_latest(fold->fund, FUND_LAST_EFFECTIVE_AT, event->effective_at);
	row_note_latest(fold->fund, FUND_LAST_RECORDED_AT, event->recorded_at);
	timeline_advance(FUND_TIMELINE, fold->fund, fold->entries, event->position);
}

static void
fold_by_type(Fold *fold)
{
	switch ((FundEventType) fold->event->type_id)
	{
		case FUND_CREATED:
			fold_fund_created(fold);
			break;
		case PRICE_LIMITS_SET:
			fold_price_limits_set(fold);
			break;
		case INVESTOR_CREATED:
			fold_investor_created(fold);
			break;
		case INVESTMENT_CREATED:
			fold_investment_created(fold);
			break;
		case INVESTMENT_WITHDRAWN:
			fold_investment_withdrawn(fold);
			break;
		case MCP_PURCHASED:
			fold_mcp_purchased(fold);
			break;
		case MCP_SOLD:
			fold_mcp_sold(fold);
			break;
		case FUND_VALUED:
			fold_fund_valued(fold);
			break;
		case ROYALTY_RECEIVED:
			fold_royalty_received(fold);
			break;
		case FEE_ACCRUED:
			fold_fee_accrued(fold);
			break;
		case FEE_PAID:
			fold_fee_paid(fold);
			break;
		case PERIOD_CLOSED:
			fold_period_closed(fold);
			break;
		case PERIOD_REOPENED:
			fold_period_reopened(fold);
			break;
		case DISTRIBUTION_DECLARED:
			fold_distribution_declared(fold);
			break;
		case DISTRIBUTION_PAID:
			fold_distribution_paid(fold);
			break;
		case INDEX_PUBLISHED:
			fold_index_published(fold);
			break;
		case TRADING_HALTED:
		case TRADING_RESUMED:
			fold_trading(fold, fold->event->type_id == TRADING_HALTED);
			break;
		case RESIDUAL_SWEPT:
			fold_residual_swept(fold);
			break;
		case FUND_CLOSED:
			fold_fund_closed(fold);
			break;
		case EVENT_REVERSED:
			fold_event_reversed(fold);
			break;
	}
}

static void
fold_event(FoldRun *run, const FoldEvent *event)
{
	Fold		fold = {.run = run, .rows = run->rows, .event = event};

	if (event->effective_at > event->recorded_at)
		refuse(&fold, ERRCODE_EFFECTIVE_IN_FUTURE, "effective date is in the future",
			   psprintf("effective_at is %s, recorded at %s.",
						pstrdup(timestamptz_to_str(event->effective_at)),
						pstrdup(timestamptz_to_str(event->recorded_at))));
	if (event->type_id != FUND_CREATED && is_about_fund(event))
	{
		if (!find_fund(&fold))
			return;
		check_open(&fold);
		check_time(&fold);
	}
	fold_by_type(&fold);
	if (fold.fund == NULL)
		return;

	if (!fold.pending)
		advance_fund(&fold);
	leave_holding(&fold);
}

/*
 * Runs of events
 */

void
fold_begin(FoldRun *run, RowSet *rows)
{
	memset(run, 0, sizeof(*run));
	run->rows = rows;
	run->event_context = AllocSetContextCreate(CurrentMemoryContext, "fundes event",
											   ALLOCSET_DEFAULT_SIZES);
}

/* Funds know nothing of each other, but all of them know the investors. */
static bool
is_of_part(const FoldRun *run, const FoldEvent *event)
{
	uint64		fund_id;

	if (run->parts == 0 || event->type_id == INVESTOR_CREATED)
		return true;
	fund_id = is_about_fund(event) ? payload_int64(event->payload, "fund_id") : WHOLE_MARKET;
	return fund_id % run->parts == run->part;
}

void
fold_next(FoldRun *run, FoldEvent *event, Datum payload)
{
	MemoryContext old = MemoryContextSwitchTo(run->event_context);
	Payload		opened;

	CHECK_FOR_INTERRUPTS();
	payload_open(&opened, DatumGetJsonbP(payload));
	event->payload = &opened;
	if (is_of_part(run, event))
		fold_event(run, event);
	MemoryContextSwitchTo(old);
	MemoryContextReset(run->event_context);
	rows_relieve(run->rows);
}

void
fold_end(FoldRun *run)
{
	rows_flush(run->rows);
	MemoryContextDelete(run->event_context);
}

void
fold_discard(FoldRun *run)
{
	rows_end(run->rows);
	MemoryContextDelete(run->event_context);
}
