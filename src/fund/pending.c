/*-------------------------------------------------------------------------
 *
 * pending.c
 *	  Pay-ins into a fund that do not wait for each other, see pending.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fund/fold.h"
#include "fund/fund_lock.h"
#include "fund/money.h"
#include "fund/pending.h"
#include "fund/timeline.h"
#include "miscadmin.h"
#include "number.h"
#include "owner.h"
#include "plan.h"
#include "store/log.h"
#include "store/watermark.h"

/*
 * When the log has grown by so much since the fund's row was written, a pay-in
 * brings the row up to date beside the others.  Where that does not help, as an
 * append in progress holds the watermark back, pay-ins ask for the fund alone
 * when it has grown by SETTLE_ALONE.  So a reader never has more to add.
 */
#define SETTLE_AFTER 512
#define SETTLE_ALONE 1024

/*
 * What is below these powers of 10,000 is far below the bounds of the figures
 * (sql/fund/domains.sql), whatever pay-ins are in progress.
 */
#define LARGE_AMOUNT 3			/* of one pay-in */
#define LARGE_UNITS 3
#define LARGE_FIGURE 4

/* Whether a number is below a power of 10,000; false where that is not known. */
static bool
is_below(Numeric a, int power)
{
	Number		n;

	return number_read(a, &n) && n.weight < power;
}

/* The same for a quotient of two positive numbers. */
static bool
quotient_is_below(Numeric a, Numeric b, int power)
{
	Number		n;
	Number		d;

	return number_read(a, &n) && number_read(b, &d) && n.weight - d.weight < power;
}

/*
 * Every pay-in moves NAV - price * units up by less than a coin, and widens
 * what the drift may be.  So many coins from the limit, no number of pay-ins
 * that may be pending or in progress reaches it.
 */
static bool
is_far_from_drift(const Row *fund, int64 pay_ins)
{
	Numeric		at_price;
	Numeric		nav;
	Numeric		apart;

	if (fund->nulls[FUND_MAX_PRICE_DRIFT])
		return true;
	at_price = num_mul(row_numeric(fund, FUND_BASE_PRICE), row_numeric(fund, FUND_TOTAL_SUPPLY));
	nav = num_sub(num_add(row_numeric(fund, FUND_CAPITAL_CASH),
						  row_numeric(fund, FUND_ASSET_VALUE)),
				  row_numeric(fund, FUND_LIABILITIES));
	apart = num_add(num_abs(num_sub(nav, at_price)), num_int(pay_ins));
	return num_cmp(apart, num_mul(row_numeric(fund, FUND_MAX_PRICE_DRIFT), at_price)) <= 0;
}

bool
pay_in_commutes(const Row *fund, Numeric amount)
{
	int64		behind = last_position_handed_out(fundes_relation("event_position")) -
		row_int64(fund, FUND_LAST_POSITION);

	return behind < SETTLE_ALONE &&
		num_sign(row_numeric(fund, FUND_TOTAL_SUPPLY)) > 0 &&
		num_sign(row_numeric(fund, FUND_BASE_PRICE)) > 0 &&
		is_below(amount, LARGE_AMOUNT) &&
		quotient_is_below(amount, row_numeric(fund, FUND_BASE_PRICE), LARGE_UNITS) &&
		is_below(row_numeric(fund, FUND_SUBSCRIPTIONS), LARGE_FIGURE) &&
		is_below(row_numeric(fund, FUND_CAPITAL_CASH), LARGE_FIGURE) &&
		is_below(row_numeric(fund, FUND_TOTAL_SUPPLY), LARGE_FIGURE) &&
		is_far_from_drift(fund, behind + MaxBackends);
}

typedef struct PendingSum
{
	Row		   *fund;
	int64		until;			/* the last position */
	bool		keep;
	bool		any;
} PendingSum;

/* Takes an entry of fund_entry into the fund's row. */
static bool
add_entry(Row *entry, void *arg)
{
	PendingSum *sum = arg;
	Row		   *fund = sum->fund;
	int			i;

	if (row_int64(entry, ENTRY_LAST_POSITION) > sum->until)
		return false;
	for (i = FIRST_FUND_FIGURE; i <= LAST_FUND_FIGURE; i++)
	{
		int			column = ENTRY_CAPITAL_CASH + i - FIRST_FUND_FIGURE;

		if (!entry->nulls[column])
			row_add(fund, i, row_numeric(entry, column));
	}
	row_note_latest(fund, FUND_LAST_EFFECTIVE_AT, row_time(entry, ENTRY_EFFECTIVE_AT));
	row_note_latest(fund, FUND_LAST_RECORDED_AT, row_time(entry, ENTRY_RECORDED_AT));
	row_set(fund, FUND_LAST_POSITION, entry->values[ENTRY_LAST_POSITION]);
	if (sum->keep)
		timeline_advance(FUND_TIMELINE, fund, list_make1(entry),
						 row_int64(entry, ENTRY_LAST_POSITION));
	sum->any = true;
	return true;
}

static bool
add_until(Row *fund, int64 until, bool keep)
{
	PendingSum	sum = {.fund = fund, .until = until, .keep = keep};

	rows_walk_from(fund->set, TABLE_FUND_ENTRY, fund->values[FUND_ID],
				   row_int64(fund, FUND_LAST_POSITION) + 1, add_entry, &sum);
	return sum.any;
}

bool
pending_add(Row *fund, bool keep)
{
	if (fund->settled)
		return false;
	fund->settled = true;
	return add_until(fund, PG_INT64_MAX, keep);
}

/*
 * Only one at a time does it, in rows of its own: what the fold has read of the
 * fund may be older than what the one before has written.
 */
void
pending_settle(const Row *fund, int64 position)
{
	int64		fund_id = row_int64(fund, FUND_ID);
	int64		until;
	RowSet	   *rows;
	Row		   *now;

	if (position - row_int64(fund, FUND_LAST_POSITION) < SETTLE_AFTER ||
		IsolationUsesXactSnapshot() || !lock_fund_to_settle(fund_id))
		return;
	until = watermark();
	rows = rows_begin();
	now = rows_find_int64(rows, TABLE_FUND, fund_id);
	if (until - row_int64(now, FUND_LAST_POSITION) >= SETTLE_AFTER / 2)
	{
		(void) add_until(now, until, true);
		rows_flush(rows);
	}
	rows_end(rows);
}

static int
compare_funds(const void *a, const void *b)
{
	return pg_cmp_s64(((const PendingFund *) a)->fund_id, ((const PendingFund *) b)->fund_id);
}

PendingFund *
pending_funds(int *count)
{
	static KeptPlan select = PLAN(
		"select f.fund_id, f.last_position from fundes.fund f,"
		"  lateral (select from fundes.fund_entry e"
		"            where e.fund_id = f.fund_id and e.last_position > f.last_position"
		"            order by e.last_position limit 1) e"
		" order by f.fund_id");
	PendingFund *funds;
	int			i;

	*count = (int) plan_read(&select, NULL, NULL);
	funds = palloc0(sizeof(PendingFund) * Max(*count, 1));
	for (i = 0; i < *count; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;

		funds[i].fund_id = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
		funds[i].after = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return funds;
}

PendingFund *
pending_find(PendingFund *funds, int count, int64 fund_id)
{
	PendingFund sought = {.fund_id = fund_id};

	return bsearch(&sought, funds, count, sizeof(PendingFund), compare_funds);
}
