/*-------------------------------------------------------------------------
 *
 * tables.c
 *	  The projection tables: their columns and what those may hold, as in
 *	  sql/fund/projections.sql.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/pg_type.h"
#include "fund/projection.h"

/* Changes of figures, and sums of them. */
#define FUND_CHANGES \
	{"capital_cash", NUMERICOID, DOMAIN_CASH}, \
	{"asset_value", NUMERICOID, DOMAIN_CASH}, \
	{"liabilities", NUMERICOID, DOMAIN_CASH}, \
	{"total_supply", NUMERICOID, DOMAIN_UNITS}, \
	{"accumulated_purchase_value", NUMERICOID, DOMAIN_CASH}, \
	{"accumulated_sold_value", NUMERICOID, DOMAIN_CASH}, \
	{"subscriptions", NUMERICOID, DOMAIN_CASH}, \
	{"redemptions", NUMERICOID, DOMAIN_CASH}, \
	{"realised_gain", NUMERICOID, DOMAIN_CASH}, \
	{"royalty_income", NUMERICOID, DOMAIN_CASH}, \
	{"fee_expense", NUMERICOID, DOMAIN_CASH}, \
	{"distributed", NUMERICOID, DOMAIN_CASH}

#define HOLDING_CHANGES \
	{"units", NUMERICOID, DOMAIN_UNITS}, \
	{"investment_amount", NUMERICOID, DOMAIN_CASH}, \
	{"cost_basis", NUMERICOID, DOMAIN_CASH}, \
	{"withdrawn_amount", NUMERICOID, DOMAIN_CASH}, \
	{"realised_gain", NUMERICOID, DOMAIN_CASH}, \
	{"distributions", NUMERICOID, DOMAIN_CASH}

const Table tables[NTABLES] = {
	[TABLE_FUND] = {
		"fund", 1, false, 42, {
			{"fund_id", INT8OID}, {"name", TEXTOID}, {"status", TEXTOID},
			{"currency", TEXTOID}, {"time_zone", TEXTOID},
			{"cash_scale", INT4OID, DOMAIN_CASH_SCALE},
			{"unit_scale", INT4OID, DOMAIN_UNIT_SCALE},
			{"initial_price", NUMERICOID, DOMAIN_INITIAL_PRICE},
			{"max_price_drift", NUMERICOID},
			{"max_price_age", INTERVALOID}, {"base_price", NUMERICOID, DOMAIN_PRICE},
			{"price_date", DATEOID}, {"price_since", TIMESTAMPTZOID},
			{"last_valuation_date", DATEOID},
			{"capital_cash", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"asset_value", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"liabilities", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"total_supply", NUMERICOID, DOMAIN_REQUIRED_UNITS},
			{"accumulated_purchase_value", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"accumulated_sold_value", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"subscriptions", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"redemptions", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"realised_gain", NUMERICOID, DOMAIN_CASH},
			{"royalty_income", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"fee_expense", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"distributed", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"created_at", TIMESTAMPTZOID},
			{"last_effective_at", TIMESTAMPTZOID}, {"stream_id", INT8OID},
			{"last_version", INT8OID}, {"last_position", INT8OID},
			{"last_recorded_at", TIMESTAMPTZOID}, {"entries", INT8OID},
			{"late_entries", INT8OID}, {"balance_at", TIMESTAMPTZOID},
			{"late_before", TIMESTAMPTZOID},
			{"closed_through", DATEOID}, {"closed_until", TIMESTAMPTZOID},
			{"last_distribution_id", INT8OID}, {"ex_at", TIMESTAMPTZOID},
			{"struck_at", TIMESTAMPTZOID}, {"halted", BOOLOID}
		}
	},
	[TABLE_INVESTOR] = {
		"investor", 1, false, 5, {
			{"investor_id", TEXTOID}, {"name", TEXTOID},
			{"created_at", TIMESTAMPTZOID}, {"last_version", INT8OID},
			{"last_position", INT8OID}
		}
	},
	[TABLE_INVESTMENT] = {
		"investment", 2, false, 16, {
			{"fund_id", INT8OID}, {"investor_id", TEXTOID},
			{"units", NUMERICOID, DOMAIN_REQUIRED_UNITS},
			{"investment_amount", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"cost_basis", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"withdrawn_amount", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"realised_gain", NUMERICOID, DOMAIN_CASH},
			{"distributions", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"stream_id", INT8OID}, {"last_version", INT8OID}, {"last_position", INT8OID},
			{"last_effective_at", TIMESTAMPTZOID}, {"entries", INT8OID},
			{"late_entries", INT8OID}, {"balance_at", TIMESTAMPTZOID},
			{"late_before", TIMESTAMPTZOID}
		}
	},
	[TABLE_MCP] = {
		"mcp", 1, false, 20, {
			{"asset_id", INT8OID}, {"fund_id", INT8OID},
			{"copyright_code", TEXTOID}, {"registration_number", TEXTOID},
			{"music_id", TEXTOID}, {"acquisition_date", DATEOID},
			{"cost_cash", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"estimated_value_cash", NUMERICOID, DOMAIN_CASH},
			{"value_cash", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"royalty_income", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"last_price_date", DATEOID}, {"is_stale", BOOLOID},
			{"purchased_at", TIMESTAMPTZOID}, {"sold_at", TIMESTAMPTZOID},
			{"sold_price_cash", NUMERICOID, DOMAIN_CASH}, {"last_position", INT8OID},
			{"reversed", BOOLOID}, {"gone_at", TIMESTAMPTZOID},
			{"back_at", TIMESTAMPTZOID}, {"held_until", TIMESTAMPTZOID}
		},
		ERRCODE_MCP_ALREADY_HELD, "MCP is held already",
		"A copyright is held by one fund; it must be sold before it is bought again."
	},
	[TABLE_FEE_ACCOUNT] = {
		"fee_account", 2, false, 5, {
			{"fund_id", INT8OID}, {"kind", TEXTOID},
			{"accrued", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"paid", NUMERICOID, DOMAIN_CASH}, {"last_position", INT8OID}
		}
	},
	[TABLE_VALUATION] = {
		"valuation", 3, false, 13, {
			{"fund_id", INT8OID}, {"valuation_date", DATEOID},
			{"revision", INT4OID}, {"nav", NUMERICOID, DOMAIN_CASH},
			{"capital_cash", NUMERICOID, DOMAIN_CASH},
			{"asset_value", NUMERICOID, DOMAIN_CASH},
			{"liabilities", NUMERICOID, DOMAIN_CASH},
			{"total_supply", NUMERICOID, DOMAIN_UNITS},
			{"base_price", NUMERICOID, DOMAIN_PRICE}, {"last_position", INT8OID},
			{"as_of", TIMESTAMPTZOID}, {"struck", BOOLOID},
			{"needs_restatement", BOOLOID}
		}
	},
	[TABLE_DISTRIBUTION] = {
		"distribution", 2, false, 13, {
			{"fund_id", INT8OID}, {"distribution_id", INT8OID},
			{"record_date", DATEOID}, {"declared_at", TIMESTAMPTZOID},
			{"amount", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"per_unit", NUMERICOID, DOMAIN_PRICE},
			{"total", NUMERICOID, DOMAIN_REQUIRED_CASH},
			{"entitlements", JSONBOID}, {"status", TEXTOID},
			{"paid_at", TIMESTAMPTZOID}, {"last_position", INT8OID},
			{"open_since", TIMESTAMPTZOID},
			{"books_changed", BOOLOID}
		}
	},
	[TABLE_MARKET_INDEX] = {
		"market_index", 2, false, 4, {
			{"index_name", TEXTOID}, {"index_date", DATEOID},
			{"level", NUMERICOID, DOMAIN_PRICE}, {"last_position", INT8OID}
		}
	},
	[TABLE_TRADING_HALT] = {
		"trading_halt", 3, true, 7, {
			{"fund_id", INT8OID}, {"effective_at", TIMESTAMPTZOID},
			{"last_position", INT8OID}, {"halted", BOOLOID},
			{"until", TIMESTAMPTZOID}, {"reason", TEXTOID},
			{"index_name", TEXTOID}
		}
	},
	[TABLE_REVERSAL] = {
		"reversal", 1, true, 3, {
			{"reversed_position", INT8OID}, {"fund_id", INT8OID},
			{"last_position", INT8OID}
		}
	},
	[TABLE_CLOSING] = {
		"closing", 2, true, 6, {
			{"fund_id", INT8OID}, {"last_position", INT8OID},
			{"effective_at", TIMESTAMPTZOID}, {"recorded_at", TIMESTAMPTZOID},
			{"ends_fund", BOOLOID}, {"closed_through", DATEOID}
		}
	},
	[TABLE_FUND_ENTRY] = {
		"fund_entry", 3, true, 19, {
			{"fund_id", INT8OID}, {"last_position", INT8OID},
			{"effective_at", TIMESTAMPTZOID}, {"recorded_at", TIMESTAMPTZOID},
			FUND_CHANGES,
			{"base_price", NUMERICOID, DOMAIN_PRICE}, {"price_date", DATEOID},
			{"price_since", TIMESTAMPTZOID}
		}
	},
	[TABLE_FUND_BALANCE] = {
		"fund_balance", 2, true, 17, {
			{"fund_id", INT8OID}, {"last_position", INT8OID},
			{"effective_at", TIMESTAMPTZOID}, {"recorded_at", TIMESTAMPTZOID},
			{"late_entries", INT8OID},
			FUND_CHANGES
		}
	},
	[TABLE_FUND_LATE] = {
		"fund_late", 5, true, 17, {
			{"fund_id", INT8OID}, {"level", INT4OID}, {"block", INT8OID},
			{"effective_at", TIMESTAMPTZOID}, {"last_position", INT8OID},
			FUND_CHANGES
		}
	},
	[TABLE_HOLDING_ENTRY] = {
		"holding_entry", 4, true, 10, {
			{"fund_id", INT8OID}, {"investor_id", TEXTOID},
			{"last_position", INT8OID}, {"effective_at", TIMESTAMPTZOID},
			HOLDING_CHANGES
		}
	},
	[TABLE_HOLDING_BALANCE] = {
		"holding_balance", 3, true, 11, {
			{"fund_id", INT8OID}, {"investor_id", TEXTOID},
			{"last_position", INT8OID}, {"effective_at", TIMESTAMPTZOID},
			{"late_entries", INT8OID},
			HOLDING_CHANGES
		}
	},
	[TABLE_HOLDING_LATE] = {
		"holding_late", 6, true, 12, {
			{"fund_id", INT8OID}, {"investor_id", TEXTOID},
			{"level", INT4OID}, {"block", INT8OID},
			{"effective_at", TIMESTAMPTZOID}, {"last_position", INT8OID},
			HOLDING_CHANGES
		}
	}
};
