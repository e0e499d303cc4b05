/*-------------------------------------------------------------------------
 *
 * timeline.c
 *	  The figures of a fund or a holding as of any moment, see timeline.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/pg_type.h"
#include "fund/money.h"
#include "fund/timeline.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "owner.h"
#include "plan.h"
#include "probe.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define BLOCK_ENTRIES 32		/* between two balances */
#define LATE_RADIX_BITS 2		/* late blocks grow by this power of two */
#define LATE_MAX_LEVEL (63 / LATE_RADIX_BITS)

/*
 * The tables of a timeline.  In each the keys of the owner stand first; entry,
 * balance and late have the figures in the same order as the owner.
 */
typedef struct Timeline
{
	TableId		owner;
	TableId		entry;
	TableId		balance;
	TableId		late;
	int			nkeys;
	int			nfigures;

	/* columns of the owner */
	int			figures;
	int			entries;		/* how many there are */
	int			late_entries;	/* how many of them came late */
	int			last_effective_at;
	int			balance_at;		/* last_effective_at at the last balance */
	int			late_before;	/* and at the one before */

	/* columns of the other tables; last_position stands before effective_at */
	int			entry_effective_at;
	int			entry_figures;
	int			balance_effective_at;
	int			balance_late_entries;
	int			balance_figures;
	int			late_figures;
} Timeline;

static const Timeline timelines[NTIMELINES] = {
	[FUND_TIMELINE] = {
		TABLE_FUND, TABLE_FUND_ENTRY, TABLE_FUND_BALANCE, TABLE_FUND_LATE,
		1, LAST_FUND_FIGURE - FIRST_FUND_FIGURE + 1,
		FIRST_FUND_FIGURE, FUND_ENTRIES, FUND_LATE_ENTRIES,
		FUND_LAST_EFFECTIVE_AT, FUND_BALANCE_AT, FUND_LATE_BEFORE,
		ENTRY_EFFECTIVE_AT, ENTRY_CAPITAL_CASH,
		BALANCE_EFFECTIVE_AT, BALANCE_LATE_ENTRIES, BALANCE_CAPITAL_CASH,
		LATE_CAPITAL_CASH
	},
	[HOLDING_TIMELINE] = {
		TABLE_INVESTMENT, TABLE_HOLDING_ENTRY, TABLE_HOLDING_BALANCE, TABLE_HOLDING_LATE,
		2, LAST_HOLDING_FIGURE - FIRST_HOLDING_FIGURE + 1,
		FIRST_HOLDING_FIGURE, INVESTMENT_ENTRIES, INVESTMENT_LATE_ENTRIES,
		INVESTMENT_LAST_EFFECTIVE_AT, INVESTMENT_BALANCE_AT, INVESTMENT_LATE_BEFORE,
		HOLDING_EFFECTIVE_AT, HOLDING_UNITS,
		HOLDING_BALANCE_EFFECTIVE_AT, HOLDING_BALANCE_LATE_ENTRIES, HOLDING_BALANCE_UNITS,
		HOLDING_LATE_UNITS
	}
};

/*
 * Text of statements
 */

/* The names of some columns in a pattern, in which @ stands for the name. */
static char *
columns(TableId table, int first, int count, const char *pattern,
		const char *separator)
{
	StringInfoData list;
	const char *c;
	int			i;

	initStringInfo(&list);
	for (i = first; i < first + count; i++)
	{
		appendStringInfoString(&list, i > first ? separator : "");
		for (c = pattern; *c != '\0'; c++)
		{
			if (*c == '@')
				appendStringInfoString(&list, tables[table].columns[i].name);
			else
				appendStringInfoChar(&list, *c);
		}
	}
	return list.data;
}

static char *
figures_list(const Timeline *t, const char *pattern)
{
	return columns(t->owner, t->figures, t->nfigures, pattern, ", ");
}

/*
 * Keeping it
 */

/*
 * Makes the block of a level that a late entry completes: sorted, with running
 * sums.  Each level is made from the entries themselves, those of level 0.
 */
static void
add_late_block(const Timeline *t, Row *owner, int level, int64 block)
{
	const char *late = rows_table_name(owner->set, t->late);
	StringInfoData keys;
	int64		first = block << (level * LATE_RADIX_BITS);
	int64		last = ((block + 1) << (level * LATE_RADIX_BITS)) - 1;
	int			i;

	initStringInfo(&keys);
	for (i = 0; i < t->nkeys; i++)
		appendStringInfo(&keys, "%s = %s and ", tables[t->owner].columns[i].name,
						 tables[t->owner].columns[i].type == TEXTOID ?
						 quote_literal_cstr(row_text(owner, i)) :
						 psprintf(INT64_FORMAT, row_int64(owner, i)));
	rows_flush_table(owner->set, t->late);
	(void) plan_once(psprintf("insert into %s select %s, %d, " INT64_FORMAT
							  ", last_position, effective_at, %s from %s"
							  " where %s level = 0 and block between " INT64_FORMAT " and " INT64_FORMAT
							  " window timeline as (order by effective_at, last_position"
							  " rows unbounded preceding)",
							  late, columns(t->owner, 0, t->nkeys, "@", ", "), level, block,
							  figures_list(t, "sum(@) over timeline"), late,
							  keys.data, first, last), false);
}

static void
add_late(const Timeline *t, Row *owner, const Row *entry)
{
	int64		number = row_int64(owner, t->late_entries);
	Datum		keys[6];
	Row		   *late;
	int			level;
	int			n = 0;
	int			i;

	for (i = 0; i < t->nkeys; i++)
		keys[n++] = owner->values[i];
	keys[n++] = Int32GetDatum(0);
	keys[n++] = Int64GetDatum(number);
	keys[n++] = entry->values[t->entry_effective_at - 1];
	keys[n++] = entry->values[t->entry_effective_at];
	late = rows_add(owner->set, t->late, keys);
	for (i = 0; i < t->nfigures; i++)
		row_set(late, t->late_figures + i,
				entry->nulls[t->entry_figures + i] ? NumericGetDatum(num_int(0)) :
				entry->values[t->entry_figures + i]);
	row_set(owner, t->late_entries, Int64GetDatum(++number));
	for (level = 1; level <= LATE_MAX_LEVEL; level++)
	{
		int			bits = level * LATE_RADIX_BITS;

		if ((number & ((INT64CONST(1) << bits) - 1)) != 0)
			break;
		add_late_block(t, owner, level, (number >> bits) - 1);
	}
}

static void
add_balance(const Timeline *t, Row *owner, int64 position)
{
	Datum		keys[3];
	Row		   *balance;
	int			i;

	for (i = 0; i < t->nkeys; i++)
		keys[i] = owner->values[i];
	keys[i] = Int64GetDatum(position);
	balance = rows_add(owner->set, t->balance, keys);
	row_set(balance, t->balance_effective_at, owner->values[t->last_effective_at]);
	row_set(balance, t->balance_late_entries, owner->values[t->late_entries]);
	for (i = 0; i < t->nfigures; i++)
		row_set(balance, t->balance_figures + i, owner->values[t->figures + i]);
	if (t->owner == TABLE_FUND)
		row_set(balance, BALANCE_RECORDED_AT, owner->values[FUND_LAST_RECORDED_AT]);

	if (owner->nulls[t->balance_at])
		row_set_null(owner, t->late_before);
	else
		row_set(owner, t->late_before, owner->values[t->balance_at]);
	row_set(owner, t->balance_at, owner->values[t->last_effective_at]);
}

void
timeline_advance(TimelineId id, Row *owner, List *entries, int64 position)
{
	const Timeline *t = &timelines[id];
	int64		before = row_int64(owner, t->entries);
	int64		after = before + list_length(entries);
	ListCell   *cell;

	foreach(cell, entries)
	{
		const Row  *entry = lfirst(cell);

		if (!owner->nulls[t->late_before] &&
			row_time(entry, t->entry_effective_at) < row_time(owner, t->late_before))
			add_late(t, owner, entry);
	}
	row_set(owner, t->entries, Int64GetDatum(after));
	if (before / BLOCK_ENTRIES != after / BLOCK_ENTRIES)
		add_balance(t, owner, position);
}

/*
 * Questions
 */

/* What a question is about, and what was found for it so far. */
typedef struct Lookup
{
	const Timeline *t;
	const Datum *keys;			/* of the owner */
	TimestampTz as_of;
	int64		known;			/* the last position that was known */
	Numeric    *figures;
	int64		from;			/* of the last balance before all that counts, or 0 */
	int64		until;			/* entries up to here are added one by one */
	bool		late;			/* later ones may be late: those from number */
	int64		first_late;
} Lookup;

/* An index of one of the owner's tables, by the end of its name. */
static Oid
index_named(TableId table, const char *suffix)
{
	return fundes_relation(psprintf("%s%s", tables[table].name, suffix));
}

static void
owner_keys(Probe *probe, const Lookup *l)
{
	int			i;

	probe->nkeys = 0;
	for (i = 0; i < l->t->nkeys; i++)
		probe_key(probe, tables[l->t->owner].columns[i].type, l->keys[i]);
}

/* A bigint of the last row of an index before a limit that was set; 0: none. */
static int64
last_value(Probe *probe, TableId table, const char *index, int column)
{
	int64		value = 0;

	if (probe_begin_active(probe, fundes_relation(tables[table].name),
						   index_named(table, index), BackwardScanDirection))
		value = DatumGetInt64(probe_value(probe, column + 1));
	probe_end(probe);
	return value;
}

static void
add_figures(Lookup *l, Probe *probe, int first_column)
{
	int			i;

	for (i = 0; i < l->t->nfigures; i++)
	{
		Datum		value = probe_value(probe, first_column + i + 1);

		if (DatumGetPointer(value) != NULL)
			l->figures[i] = num_add(l->figures[i], DatumGetNumeric(value));
	}
}

/*
 * The last balance that is neither effective nor recorded too late; and the
 * second one after it, up to which entries are added one by one.
 */
static void
find_balances(Lookup *l)
{
	const Timeline *t = l->t;
	int			position = t->balance_effective_at - 1;
	int			after = 0;
	Probe		probe;
	bool		found;

	owner_keys(&probe, l);
	probe_key_until(&probe, l->as_of);
	l->from = last_value(&probe, t->balance, "_effective", position);
	if (l->known != ALL_POSITIONS)
	{
		int64		recorded;

		owner_keys(&probe, l);
		probe_key_up_to(&probe, l->known);
		recorded = last_value(&probe, t->balance, "_pkey", position);
		l->from = Min(l->from, recorded);
	}

	owner_keys(&probe, l);
	probe_key_from(&probe, l->from);
	for (found = probe_begin_active(&probe, fundes_relation(tables[t->balance].name),
									index_named(t->balance, "_pkey"), ForwardScanDirection);
		 found; found = probe_next(&probe, ForwardScanDirection))
	{
		if (DatumGetInt64(probe_value(&probe, position + 1)) == l->from)
			add_figures(l, &probe, t->balance_figures);
		else if (++after == 2)
		{
			l->until = Min(l->until, DatumGetInt64(probe_value(&probe, position + 1)));
			l->first_late = DatumGetInt64(probe_value(&probe, t->balance_late_entries + 1));
			l->late = true;
			break;
		}
	}
	probe_end(&probe);
}

static void
add_entries(Lookup *l)
{
	const Timeline *t = l->t;
	Probe		probe;
	bool		found;

	owner_keys(&probe, l);
	probe_key_from(&probe, l->from + 1);
	for (found = probe_begin_active(&probe, fundes_relation(tables[t->entry].name),
									index_named(t->entry, "_pkey"), ForwardScanDirection);
		 found && DatumGetInt64(probe_value(&probe, t->entry_effective_at)) <= l->until;
		 found = probe_next(&probe, ForwardScanDirection))
	{
		CHECK_FOR_INTERRUPTS();
		if (DatumGetTimestampTz(probe_value(&probe, t->entry_effective_at + 1)) <= l->as_of)
			add_figures(l, &probe, t->entry_figures);
	}
	probe_end(&probe);
}

/* How many late entries were known. */
static int64
known_late_entries(Lookup *l)
{
	int			block = l->t->late_figures - 3;
	Probe		probe;
	int64		count = 0;

	owner_keys(&probe, l);
	probe_key_up_to(&probe, l->known);
	if (probe_begin_active(&probe, fundes_relation(tables[l->t->late].name),
						   index_named(l->t->late, "_known"), BackwardScanDirection))
		count = DatumGetInt64(probe_value(&probe, block + 1)) + 1;
	probe_end(&probe);
	return count;
}

/*
 * Late entries
 */

/* A sum of late entries that is being made. */
typedef struct LateSum
{
	const Timeline *t;
	Probe		probe;			/* by the owner's keys, level, block, moment */
	bool		open;
	Numeric    *figures;
} LateSum;

/* Adds the part of a block that is not after the moment, or takes it off. */
static void
add_block(LateSum *sum, int level, int64 block, int sign)
{
	const Timeline *t = sum->t;
	bool		found;
	int			i;

	CHECK_FOR_INTERRUPTS();
	sum->probe.keys[t->nkeys].sk_argument = Int32GetDatum(level);
	sum->probe.keys[t->nkeys + 1].sk_argument = Int64GetDatum(block);
	if (sum->open)
		found = probe_again(&sum->probe, BackwardScanDirection);
	else
		found = probe_begin(&sum->probe, fundes_relation(tables[t->late].name),
							fundes_relation(psprintf("%s_pkey", tables[t->late].name)),
							BackwardScanDirection);
	sum->open = true;
	for (i = 0; found && i < t->nfigures; i++)
	{
		Numeric		part = DatumGetNumeric(probe_value(&sum->probe, t->late_figures + i + 1));

		sum->figures[i] = sign > 0 ? num_add(sum->figures[i], part) :
			num_sub(sum->figures[i], part);
	}
}

/* The blocks of up to a level that entries from a multiple of its size on make up. */
static void
add_blocks(LateSum *sum, int64 from, int64 end, int level, int sign)
{
	for (; level >= 0; level--)
	{
		int			bits = level * LATE_RADIX_BITS;

		for (; end - from >= INT64CONST(1) << bits; from += INT64CONST(1) << bits)
			add_block(sum, level, from >> bits, sign);
	}
}

/*
 * Adds the late entries from number first on, up to before number end: all up
 * to end less all up to first, from where their blocks are no longer the same.
 */
static void
add_late_figures(const Timeline *t, const Datum *keys, TimestampTz as_of,
				 int64 first, int64 end, Numeric *figures)
{
	LateSum		sum = {.t = t, .figures = figures};
	int64		same = 0;
	int			level = LATE_MAX_LEVEL;
	int			i;

	for (i = 0; i < t->nkeys; i++)
		probe_key(&sum.probe, tables[t->owner].columns[i].type, keys[i]);
	probe_key(&sum.probe, INT4OID, Int32GetDatum(0));
	probe_key(&sum.probe, INT8OID, Int64GetDatum(0));
	probe_key_until(&sum.probe, as_of);
	for (;; level--)
	{
		int64		size = INT64CONST(1) << (level * LATE_RADIX_BITS);

		while (first - same >= size)
			same += size;
		if (end - same >= size || level == 0)
			break;
	}
	add_blocks(&sum, same, end, level, 1);
	add_blocks(&sum, same, first, level, -1);
	if (sum.open)
		probe_end(&sum.probe);
}

void
timeline_figures(TimelineId id, const Datum *keys, TimestampTz as_of,
				 int64 known_position, Numeric *figures)
{
	Lookup		l = {.t = &timelines[id], .keys = keys, .as_of = as_of,
		.known = known_position, .figures = figures, .until = known_position};
	int			i;

	for (i = 0; i < l.t->nfigures; i++)
		figures[i] = num_int(0);
	find_balances(&l);
	add_entries(&l);
	if (l.late)
	{
		int64		end = known_late_entries(&l);

		if (l.first_late < end)
			add_late_figures(l.t, keys, as_of, l.first_late, end, figures);
	}
}

int64
timeline_known_position(int64 fund_id, TimestampTz known_at)
{
	static KeptPlan select = PLAN(
		"select last_position - 1 from fundes.fund_entry"
		" where fund_id = $1 and recorded_at > $2 and last_position > coalesce("
		"   (select last_position from fundes.fund_balance"
		"     where fund_id = $1 and recorded_at <= $2"
		"     order by recorded_at desc, last_position desc limit 1), 0)"
		" order by last_position limit 1",
		INT8OID, TIMESTAMPTZOID);
	Datum		values[2];
	int64		position;
	bool		isnull;

	values[0] = Int64GetDatum(fund_id);
	values[1] = TimestampTzGetDatum(known_at);
	if (TIMESTAMP_IS_NOEND(known_at) || plan_read(&select, values, NULL) == 0)
		return ALL_POSITIONS;
	position = DatumGetInt64(plan_value(1, INT8OID, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return position;
}
