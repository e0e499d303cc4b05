/*-------------------------------------------------------------------------
 *
 * projection.h
 *	  Rows of the projection tables in memory: read by key, changed, flushed.
 *
 *	  A RowSet holds the rows that a fold touches.  A row is read from its
 *	  table at first use; rows_flush() writes the changed rows and the new ones,
 *	  past the executor (writer.h).
 *
 *	  The tables may be the projections themselves, or tables of the same shape
 *	  into which the log is folded anew (scratch.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_PROJECTION_H
#define FUNDES_PROJECTION_H

#include "nodes/pg_list.h"
#include "port/atomics.h"
#include "probe.h"
#include "storage/itemptr.h"
#include "utils/date.h"
#include "utils/hsearch.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

typedef enum TableId
{
	TABLE_FUND,
	TABLE_INVESTOR,
	TABLE_INVESTMENT,
	TABLE_MCP,
	TABLE_FEE_ACCOUNT,
	TABLE_VALUATION,
	TABLE_DISTRIBUTION,
	TABLE_MARKET_INDEX,
	TABLE_TRADING_HALT,
	TABLE_REVERSAL,
	TABLE_CLOSING,
	TABLE_FUND_ENTRY,
	TABLE_FUND_BALANCE,
	TABLE_FUND_LATE,
	TABLE_HOLDING_ENTRY,
	TABLE_HOLDING_BALANCE,
	TABLE_HOLDING_LATE
} TableId;

#define NTABLES (TABLE_HOLDING_LATE + 1)
#define MAX_COLUMNS 48
#define COLUMN_BIT(column) (UINT64CONST(1) << (column))

/* Columns in the order of sql/fund/projections.sql. */
enum
{
	FUND_ID, FUND_NAME, FUND_STATUS, FUND_CURRENCY, FUND_TIME_ZONE,
	FUND_CASH_SCALE, FUND_UNIT_SCALE, FUND_INITIAL_PRICE,
	FUND_MAX_PRICE_DRIFT, FUND_MAX_PRICE_AGE, FUND_BASE_PRICE,
	FUND_PRICE_DATE, FUND_PRICE_SINCE, FUND_LAST_VALUATION_DATE,
	FUND_CAPITAL_CASH, FUND_ASSET_VALUE, FUND_LIABILITIES, FUND_TOTAL_SUPPLY,
	FUND_ACCUMULATED_PURCHASE_VALUE, FUND_ACCUMULATED_SOLD_VALUE,
	FUND_SUBSCRIPTIONS, FUND_REDEMPTIONS, FUND_REALISED_GAIN,
	FUND_ROYALTY_INCOME, FUND_FEE_EXPENSE, FUND_DISTRIBUTED,
	FUND_CREATED_AT, FUND_LAST_EFFECTIVE_AT, FUND_STREAM_ID,
	FUND_LAST_VERSION, FUND_LAST_POSITION,
	FUND_LAST_RECORDED_AT, FUND_ENTRIES, FUND_LATE_ENTRIES, FUND_BALANCE_AT,
	FUND_LATE_BEFORE,
	FUND_CLOSED_THROUGH, FUND_CLOSED_UNTIL, FUND_LAST_DISTRIBUTION_ID,
	FUND_EX_AT, FUND_STRUCK_AT, FUND_HALTED
};

enum
{
	INVESTOR_ID, INVESTOR_NAME, INVESTOR_CREATED_AT, INVESTOR_LAST_VERSION,
	INVESTOR_LAST_POSITION
};

enum
{
	INVESTMENT_FUND_ID, INVESTMENT_INVESTOR_ID, INVESTMENT_UNITS,
	INVESTMENT_INVESTMENT_AMOUNT, INVESTMENT_COST_BASIS,
	INVESTMENT_WITHDRAWN_AMOUNT, INVESTMENT_REALISED_GAIN,
	INVESTMENT_DISTRIBUTIONS, INVESTMENT_STREAM_ID,
	INVESTMENT_LAST_VERSION, INVESTMENT_LAST_POSITION,
	INVESTMENT_LAST_EFFECTIVE_AT, INVESTMENT_ENTRIES,
	INVESTMENT_LATE_ENTRIES, INVESTMENT_BALANCE_AT, INVESTMENT_LATE_BEFORE
};

enum
{
	MCP_ASSET_ID, MCP_FUND_ID, MCP_COPYRIGHT_CODE, MCP_REGISTRATION_NUMBER,
	MCP_MUSIC_ID, MCP_ACQUISITION_DATE, MCP_COST_CASH,
	MCP_ESTIMATED_VALUE_CASH, MCP_VALUE_CASH, MCP_ROYALTY_INCOME,
	MCP_LAST_PRICE_DATE, MCP_IS_STALE, MCP_PURCHASED_AT, MCP_SOLD_AT,
	MCP_SOLD_PRICE_CASH, MCP_LAST_POSITION, MCP_REVERSED, MCP_GONE_AT,
	MCP_BACK_AT, MCP_HELD_UNTIL
};

enum
{
	ACCOUNT_FUND_ID, ACCOUNT_KIND, ACCOUNT_ACCRUED, ACCOUNT_PAID,
	ACCOUNT_LAST_POSITION
};

enum
{
	VALUATION_FUND_ID, VALUATION_VALUATION_DATE, VALUATION_REVISION,
	VALUATION_NAV, VALUATION_CAPITAL_CASH, VALUATION_ASSET_VALUE,
	VALUATION_LIABILITIES, VALUATION_TOTAL_SUPPLY, VALUATION_BASE_PRICE,
	VALUATION_LAST_POSITION, VALUATION_AS_OF, VALUATION_STRUCK,
	VALUATION_NEEDS_RESTATEMENT
};

enum
{
	DISTRIBUTION_FUND_ID, DISTRIBUTION_ID, DISTRIBUTION_RECORD_DATE,
	DISTRIBUTION_DECLARED_AT, DISTRIBUTION_AMOUNT, DISTRIBUTION_PER_UNIT,
	DISTRIBUTION_TOTAL, DISTRIBUTION_ENTITLEMENTS, DISTRIBUTION_STATUS,
	DISTRIBUTION_PAID_AT, DISTRIBUTION_LAST_POSITION,
	DISTRIBUTION_OPEN_SINCE, DISTRIBUTION_BOOKS_CHANGED
};

enum
{
	INDEX_NAME, INDEX_DATE, INDEX_LEVEL, INDEX_LAST_POSITION
};

enum
{
	HALT_FUND_ID, HALT_EFFECTIVE_AT, HALT_LAST_POSITION, HALT_HALTED,
	HALT_UNTIL, HALT_REASON, HALT_INDEX_NAME
};

enum
{
	REVERSAL_REVERSED_POSITION, REVERSAL_FUND_ID, REVERSAL_LAST_POSITION
};

enum
{
	CLOSING_FUND_ID, CLOSING_LAST_POSITION, CLOSING_EFFECTIVE_AT,
	CLOSING_RECORDED_AT, CLOSING_ENDS_FUND, CLOSING_CLOSED_THROUGH
};

enum
{
	ENTRY_FUND_ID, ENTRY_LAST_POSITION, ENTRY_EFFECTIVE_AT,
	ENTRY_RECORDED_AT,
	ENTRY_CAPITAL_CASH, ENTRY_ASSET_VALUE, ENTRY_LIABILITIES,
	ENTRY_TOTAL_SUPPLY, ENTRY_ACCUMULATED_PURCHASE_VALUE,
	ENTRY_ACCUMULATED_SOLD_VALUE, ENTRY_SUBSCRIPTIONS, ENTRY_REDEMPTIONS,
	ENTRY_REALISED_GAIN, ENTRY_ROYALTY_INCOME, ENTRY_FEE_EXPENSE,
	ENTRY_DISTRIBUTED,
	ENTRY_BASE_PRICE, ENTRY_PRICE_DATE, ENTRY_PRICE_SINCE
};

enum
{
	HOLDING_FUND_ID, HOLDING_INVESTOR_ID, HOLDING_LAST_POSITION,
	HOLDING_EFFECTIVE_AT,
	HOLDING_UNITS, HOLDING_INVESTMENT_AMOUNT, HOLDING_COST_BASIS,
	HOLDING_WITHDRAWN_AMOUNT, HOLDING_REALISED_GAIN, HOLDING_DISTRIBUTIONS
};

/* Kept by timeline.c, which knows that the figures stand together. */
enum
{
	BALANCE_FUND_ID, BALANCE_LAST_POSITION, BALANCE_EFFECTIVE_AT,
	BALANCE_RECORDED_AT, BALANCE_LATE_ENTRIES, BALANCE_CAPITAL_CASH
};

enum
{
	LATE_FUND_ID, LATE_LEVEL, LATE_BLOCK, LATE_EFFECTIVE_AT,
	LATE_LAST_POSITION, LATE_CAPITAL_CASH
};

enum
{
	HOLDING_BALANCE_FUND_ID, HOLDING_BALANCE_INVESTOR_ID,
	HOLDING_BALANCE_LAST_POSITION, HOLDING_BALANCE_EFFECTIVE_AT,
	HOLDING_BALANCE_LATE_ENTRIES, HOLDING_BALANCE_UNITS
};

enum
{
	HOLDING_LATE_FUND_ID, HOLDING_LATE_INVESTOR_ID, HOLDING_LATE_LEVEL,
	HOLDING_LATE_BLOCK, HOLDING_LATE_EFFECTIVE_AT,
	HOLDING_LATE_LAST_POSITION, HOLDING_LATE_UNITS
};

/* The figures of a fund and of a holding, whose changes are kept as entries. */
#define FIRST_FUND_FIGURE	FUND_CAPITAL_CASH
#define LAST_FUND_FIGURE	FUND_DISTRIBUTED
#define FIRST_HOLDING_FIGURE	INVESTMENT_UNITS
#define LAST_HOLDING_FIGURE	INVESTMENT_DISTRIBUTIONS

/* The domains of columns, as in sql/fund/domains.sql. */
typedef enum Domain
{
	DOMAIN_NONE,
	DOMAIN_CASH,
	DOMAIN_REQUIRED_CASH,
	DOMAIN_UNITS,
	DOMAIN_REQUIRED_UNITS,
	DOMAIN_PRICE,
	DOMAIN_INITIAL_PRICE,
	DOMAIN_CASH_SCALE,
	DOMAIN_UNIT_SCALE
} Domain;

typedef struct Column
{
	const char *name;
	Oid			type;			/* of a domain: its base type */
	Domain		domain;
} Column;

typedef struct Table
{
	const char *name;
	int			nkeys;			/* the primary key: so many columns, from the first */
	bool		journal;		/* rows are added, never changed */
	int			ncolumns;
	Column		columns[MAX_COLUMNS];

	/*
	 * Where two transactions may add rows that exclude each other: the error
	 * for the one that comes second.
	 */
	int			conflict_code;
	const char *conflict_message;
	const char *conflict_hint;
} Table;

extern const Table tables[NTABLES];

typedef struct RowSet RowSet;

/*
 * Rows that need not be kept to be compared: how many there are, and the sum of
 * a hash of each, by a seed that nobody knows before.  Other rows have the same
 * sum once in 2^64.
 */
typedef struct RowSum
{
	uint64		count;
	uint64		hashes;
} RowSum;

typedef struct Row
{
	RowSet	   *set;
	TableId		table;
	bool		seen;			/* by rows_equal_table() */
	bool		settled;		/* a fund's: see pending.h */
	bool		stored;			/* in its table already, */
	ItemPointerData tid;		/* there, */
	ItemPointerData place;		/* and where an index led, if that is known */
	uint64		changed;		/* columns, by COLUMN_BIT */
	uint64		placed;			/* those that had a value in the rows' room */
	uint64		owned;			/* those whose value is allocated by itself */
	struct Row *link;			/* to another one, as it suits the table; NULL at first */
	Datum	   *values;
	bool	   *nulls;
} Row;

/* Once for the backend's life. */
extern void rows_init(void);

/* The projections themselves, in a new memory context below the current. */
extern RowSet *rows_begin(void);

/*
 * In tables of its own (scratch.h), of which rows_settle() tells.  With sums,
 * entries, which a fold adds and never reads, are not kept, only their sums;
 * rows_sums_hold() tells whether those are the sums of what the projections have.
 * If not, the set is of no use, and all rows must be kept to see how they differ.
 */
extern RowSet *rows_begin_scratch(bool sums, uint64 seed);
extern bool rows_sums_hold(RowSet *set);

/*
 * The same with sums, and with no tables: where all sets of one room come to more
 * than maintenance_work_mem, rows_overflow() tells so, and the set is of no use.
 * The room, 0 at first, may be in shared memory.
 */
extern RowSet *rows_begin_confined(uint64 seed, pg_atomic_uint64 *room);
extern bool rows_overflow(const RowSet *set);

/* Of each table the sum of the set's rows, all of which are in memory. */
extern void rows_sums(RowSet *set, RowSum *sums);
extern bool rows_are_scratch(const RowSet *set);
extern void rows_flush(RowSet *set);
extern void rows_flush_table(RowSet *set, TableId table);
extern void rows_end(RowSet *set);

/*
 * The table that a set's rows are in, and the name of its index.  Those of a set
 * in tables of its own are made at first use; a key that is there twice is an error
 * then.
 */
extern Oid	rows_table_of(RowSet *set, TableId table);
extern const char *rows_index_of(RowSet *set, TableId table);

/* Whether all rows that there are of a table are in memory: of a set in tables of its own. */
extern bool rows_are_kept(const RowSet *set, TableId table);

/*
 * Of a set in tables of its own: whether its rows are just those of the
 * projection.  If they are, there is no scratch table afterwards; if not, all of
 * them are in it.
 */
extern bool rows_settle(RowSet *set, TableId table);

/* After an event: sums up entries, and flushes where memory runs short, journals first. */
extern void rows_relieve(RowSet *set);

/* A row by the values of its key columns; NULL where there is none. */
extern Row *rows_find(RowSet *set, TableId table, const Datum *keys);

/*
 * The same of the rows in memory, without a look into the projection: where it
 * is enough to know those, or the key is new, as the unique index will tell.  A
 * scratch table that has none yet gets it when it is settled: with one row too
 * many it cannot have the projection's sum.
 */
extern Row *rows_find_known(RowSet *set, TableId table, const Datum *keys);

/*
 * Reads the rows whose key, a bigint, is in a range, to spare the look-ups.  The
 * set has none of the table yet, and they need not be known to the transaction.
 */
extern void rows_read_range(RowSet *set, TableId table, int64 first, int64 last);

/*
 * The rows that have a value in the first column of one of the table's indexes, and
 * that are wanted.
 */
extern List *rows_select(RowSet *set, TableId table, const char *index, Datum first,
						 bool (*wanted) (TupleTableSlot *stored, void *arg), void *arg);

/* A new row: key columns set, numbers 0, all else null. */
extern Row *rows_add(RowSet *set, TableId table, const Datum *keys);

/*
 * Visits the rows of a table whose key begins with a value and goes on with a
 * bigint of at least from, in ascending order, until the visitor says false.
 * None may be in the set already.
 */
extern void rows_walk_from(RowSet *set, TableId table, Datum first, int64 from,
						   bool (*visit) (Row *row, void *arg), void *arg);

/*
 * Visits the rows of a table whose key begins with a value, from the last key
 * to the first, until the visitor says false.  It may change the row.  Pointers
 * to other rows of the table are void afterwards.
 */
extern void rows_walk_back(RowSet *set, TableId table, Datum first,
						   bool (*visit) (Row *row, void *arg), void *arg);

static inline Row *
rows_find_int64(RowSet *set, TableId table, int64 key)
{
	Datum		keys[1];

	keys[0] = Int64GetDatum(key);
	return rows_find(set, table, keys);
}

/* Of each table the columns whose values are passed by reference, by COLUMN_BIT. */
extern uint64 by_reference[NTABLES];

extern void row_set_copy(Row *row, int column, Datum value);
extern void row_set_text(Row *row, int column, const char *value);
extern void row_set_characters(Row *row, int column, const char *value, int length);

static inline void
row_set(Row *row, int column, Datum value)
{
	if ((by_reference[row->table] & COLUMN_BIT(column)) != 0)
	{
		row_set_copy(row, column, value);
		return;
	}
	row->values[column] = value;
	row->nulls[column] = false;
	row->changed |= COLUMN_BIT(column);
}

static inline void
row_set_null(Row *row, int column)
{
	row->nulls[column] = true;
	row->changed |= COLUMN_BIT(column);
}

/* Whether a text is just this one, which is too short to be compressed. */
extern bool row_text_is(const Row *row, int column, const char *value);
extern void row_add(Row *row, int column, Numeric amount);

/* Whether a column was set since the row was read. */
static inline bool
row_has_changed(const Row *row, int column)
{
	return (row->changed & COLUMN_BIT(column)) != 0;
}

static inline Numeric
row_numeric(const Row *row, int column)
{
	Assert(!row->nulls[column]);
	return DatumGetNumeric(row->values[column]);
}

static inline int64
row_int64(const Row *row, int column)
{
	return DatumGetInt64(row->values[column]);
}

static inline int32
row_int32(const Row *row, int column)
{
	return DatumGetInt32(row->values[column]);
}

static inline TimestampTz
row_time(const Row *row, int column)
{
	return DatumGetTimestampTz(row->values[column]);
}

static inline DateADT
row_date(const Row *row, int column)
{
	return DatumGetDateADT(row->values[column]);
}

/* Of the moments that it is given the column keeps the latest. */
static inline void
row_note_latest(Row *row, int column, TimestampTz moment)
{
	if (row->nulls[column] || moment > row_time(row, column))
		row_set(row, column, TimestampTzGetDatum(moment));
}

extern char *row_text(const Row *row, int column);

#endif							/* FUNDES_PROJECTION_H */
