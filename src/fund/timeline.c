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
#include "miscadmin.h"
#include "owner.h"
#include "probe.h"
#include "utils/memutils.h"

#define BLOCK_ENTRIES 16		/* between two balances */

/* Levels of the rows of late entries, see timeline.h. */
#define LATE_TOTAL (-1)
#define LATE_ENTRY 0
#define LATE_RADIX 4
#define LATE_RADIX_BITS 2
#define LATE_MAX_LEVEL (63 / LATE_RADIX_BITS)

/* So many rows of a block are written together. */
#define FLUSH_EVERY 4096

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

static inline int
late_bits(int level)
{
	return level * LATE_RADIX_BITS;
}

/* The block of a level up to which the first count entries are in blocks. */
static inline int64
late_block(int64 count, int level)
{
	return count >> late_bits(level);
}

/*
 * Keeping it
 */

/* The key of a row of the late entries' table, of up to 6 columns. */
static void
set_late_key(const Timeline *t, const Row *owner, int level, int64 block,
			 TimestampTz effective_at, int64 position, Datum *keys)
{
	memcpy(keys, owner->values, sizeof(Datum) * t->nkeys);
	keys += t->nkeys;
	keys[0] = Int32GetDatum(level);
	keys[1] = Int64GetDatum(block);
	keys[2] = TimestampTzGetDatum(effective_at);
	keys[3] = Int64GetDatum(position);
}

/* A new one, its figures not set yet. */
static Row *
add_late_row(const Timeline *t, Row *owner, int level, int64 block,
			 TimestampTz effective_at, int64 position)
{
	Datum		keys[6];

	set_late_key(t, owner, level, block, effective_at, position, keys);
	return rows_add(owner->set, t->late, keys);
}

/* What the late entries come to, from the first up to one. */
static Row *
find_late_total(const Timeline *t, Row *owner, int64 number)
{
	Datum		keys[6];
	Row		   *total;

	set_late_key(t, owner, LATE_TOTAL, number, DT_NOBEGIN, 0, keys);
	total = rows_find(owner->set, t->late, keys);
	if (total == NULL)
		elog(ERROR, "the total of the late entries is not there");
	return total;
}

/* What a block has of a late entry. */
typedef struct LateEntry
{
	TimestampTz effective_at;
	int64		position;
	Numeric		figures[MAX_FIGURES];
} LateEntry;

/* The last late entries that were added, of those that are in memory. */
static void
take_kept_entries(const Timeline *t, const Row *owner, LateEntry *entries, int count)
{
	const Row  *late = owner->link;
	int			i;

	while (count-- > 0)
	{
		entries[count].effective_at = row_time(late, t->late_figures - 2);
		entries[count].position = row_int64(late, t->late_figures - 1);
		for (i = 0; i < t->nfigures; i++)
			entries[count].figures[i] = row_numeric(late, t->late_figures + i);
		late = late->link;
	}
}

/* Those from a number on by the table, which then has all that were added. */
static void
read_late_entries(const Timeline *t, const Row *owner, int64 first, LateEntry *entries, int count)
{
	Probe		probe;
	bool		found;
	int			i = 0;
	int			j;

	rows_flush_table(owner->set, t->late);
	probe.nkeys = 0;
	for (j = 0; j < t->nkeys; j++)
		probe_key(&probe, tables[t->owner].columns[j].type, owner->values[j]);
	probe_key(&probe, INT4OID, Int32GetDatum(LATE_ENTRY));
	probe_key_between(&probe, first, first + count - 1);
	for (found = probe_begin_write(&probe, rows_table_of(owner->set, t->late),
								   rows_index_of(owner->set, t->late), ForwardScanDirection);
		 found && i < count; found = probe_next(&probe, ForwardScanDirection))
	{
		LateEntry  *entry = &entries[i++];

		probe_require_known(&probe);
		entry->effective_at = DatumGetTimestampTz(probe_value(&probe, t->late_figures - 1));
		entry->position = DatumGetInt64(probe_value(&probe, t->late_figures));
		for (j = 0; j < t->nfigures; j++)
			entry->figures[j] = DatumGetNumericCopy(probe_value(&probe, t->late_figures + j + 1));
	}
	if (found || i < count)
		elog(ERROR, "the late entries are not complete");
	probe_end(&probe);
}

static int
compare_late_entries(const void *a, const void *b)
{
	const LateEntry *x = a;
	const LateEntry *y = b;

	if (x->effective_at != y->effective_at)
		return x->effective_at < y->effective_at ? -1 : 1;
	return pg_cmp_s64(x->position, y->position);
}

/*
 * Makes the block that ends with the last of so many late entries: sorted, with
 * running sums.
 */
static void
add_late_block(const Timeline *t, Row *owner, int64 count)
{
	int			level = 1;
	int64		first;
	int			n;
	bool		kept = rows_are_kept(owner->set, t->late);
	LateEntry  *entries;
	int			i;
	int			j;

	while (late_block(count, level) % LATE_RADIX == 0)
		level++;
	first = late_block(count, level + 1) << late_bits(level + 1);
	n = (int) (count - first);
	entries = MemoryContextAllocHuge(CurrentMemoryContext, mul_size(n, sizeof(LateEntry)));
	if (kept)
		take_kept_entries(t, owner, entries, n);
	else
		read_late_entries(t, owner, first, entries, n);
	qsort(entries, n, sizeof(LateEntry), compare_late_entries);
	for (i = 0; i < n; i++)
	{
		Row		   *row = add_late_row(t, owner, level, late_block(count, level),
									   entries[i].effective_at, entries[i].position);

		CHECK_FOR_INTERRUPTS();
		for (j = 0; j < t->nfigures; j++)
		{
			if (i > 0)
				entries[i].figures[j] = num_add(entries[i - 1].figures[j], entries[i].figures[j]);
			row_set(row, t->late_figures + j, NumericGetDatum(entries[i].figures[j]));
		}
		if (!kept && i % FLUSH_EVERY == FLUSH_EVERY - 1)
			rows_flush_table(owner->set, t->late);
	}
	pfree(entries);
}

static void
add_late(const Timeline *t, Row *owner, const Row *entry)
{
	int64		number = row_int64(owner, t->late_entries);
	Row		   *before = number == 0 ? NULL : find_late_total(t, owner, number - 1);
	Row		   *total = add_late_row(t, owner, LATE_TOTAL, number, DT_NOBEGIN, 0);
	Row		   *late = add_late_row(t, owner, LATE_ENTRY, number,
									row_time(entry, t->entry_effective_at),
									row_int64(entry, t->entry_effective_at - 1));
	int			i;

	for (i = 0; i < t->nfigures; i++)
	{
		Numeric		figure = entry->nulls[t->entry_figures + i] ? num_zero() :
			row_numeric(entry, t->entry_figures + i);

		row_set(late, t->late_figures + i, NumericGetDatum(figure));
		if (before != NULL)
			figure = num_add(row_numeric(before, t->late_figures + i), figure);
		row_set(total, t->late_figures + i, NumericGetDatum(figure));
	}
	if (rows_are_kept(owner->set, t->late))
	{
		late->link = owner->link;
		owner->link = late;
	}
	row_set(owner, t->late_entries, Int64GetDatum(++number));
	if (number % LATE_RADIX == 0)
		add_late_block(t, owner, number);
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
	int64		balance_late;	/* late entries up to the balance */
	bool		late;			/* later ones may be late: those from number */
	int64		first_late;
} Lookup;

/* An index of one of the owner's tables, by the end of its name. */
static const char *
index_named(TableId table, const char *suffix)
{
	return psprintf("%s%s", tables[table].name, suffix);
}

static void
owner_keys(Probe *probe, const Lookup *l)
{
	int			i;

	probe->nkeys = 0;
	for (i = 0; i < l->t->nkeys; i++)
		probe_key(probe, tables[l->t->owner].columns[i].type, l->keys[i]);
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

/* Begins at the last balance, by an index, before a limit that was set. */
static bool
begin_balances(const Timeline *t, Probe *probe, const char *index)
{
	return probe_begin_active(probe, fundes_relation(tables[t->balance].name),
							  index_named(t->balance, index), BackwardScanDirection);
}

static int64
balance_value(const Timeline *t, Probe *probe, int column)
{
	return DatumGetInt64(probe_value(probe, column + 1));
}

static int64
balance_position(const Timeline *t, Probe *probe)
{
	return balance_value(t, probe, t->balance_effective_at - 1);
}

/* Counts from a balance. */
static void
take_balance(Lookup *l, Probe *probe)
{
	l->from = balance_position(l->t, probe);
	l->balance_late = balance_value(l->t, probe, l->t->balance_late_entries);
	add_figures(l, probe, l->t->balance_figures);
}

/* Counts from the last balance that was known, if it is not effective too late. */
static bool
find_known_balance(Lookup *l, int64 effective)
{
	Probe		probe;
	bool		found;
	bool		taken;

	owner_keys(&probe, l);
	probe_key_up_to(&probe, l->known);
	found = begin_balances(l->t, &probe, "_pkey");
	taken = !found || balance_position(l->t, &probe) <= effective;
	if (found && taken)
		take_balance(l, &probe);
	probe_end(&probe);
	return taken;
}

/*
 * The last balance that is neither effective nor recorded too late; and how far
 * entries are added one by one: up to the second balance after it.  What comes
 * after a balance is effective later, too, so these are the first two that are
 * effective after the moment.
 */
static void
find_balances(Lookup *l)
{
	const Timeline *t = l->t;
	Probe		probe;
	bool		found;

	owner_keys(&probe, l);
	probe_key_until(&probe, l->as_of);
	found = begin_balances(t, &probe, "_effective");
	if (l->known == ALL_POSITIONS ||
		!find_known_balance(l, found ? balance_position(t, &probe) : 0))
	{
		if (found)
			take_balance(l, &probe);
		probe.nkeys--;
		probe_key_after(&probe, l->as_of);
		if (probe_again(&probe, ForwardScanDirection) &&
			probe_next(&probe, ForwardScanDirection))
		{
			l->until = Min(l->until, balance_position(t, &probe));
			l->first_late = balance_value(t, &probe, t->balance_late_entries);
			l->late = true;
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
	probe_key_between(&probe, l->from + 1, l->until);
	probe_key_until(&probe, l->as_of);
	for (found = probe_begin_active(&probe, fundes_relation(tables[t->entry].name),
									index_named(t->entry, "_pkey"), ForwardScanDirection);
		 found; found = probe_next(&probe, ForwardScanDirection))
	{
		CHECK_FOR_INTERRUPTS();
		add_figures(l, &probe, t->entry_figures);
	}
	probe_end(&probe);
}

/*
 * Late entries
 */

/* How many late entries were known. */
static int64
known_late_entries(Lookup *l)
{
	const Timeline *t = l->t;
	Probe		probe;
	int64		count = 0;

	owner_keys(&probe, l);
	if (l->known == ALL_POSITIONS)
	{
		if (probe_begin_active(&probe, fundes_relation(tables[t->owner].name),
							   index_named(t->owner, "_pkey"), ForwardScanDirection))
			count = DatumGetInt64(probe_value(&probe, t->late_entries + 1));
	}
	else
	{
		probe_key_up_to(&probe, l->known);
		if (probe_begin_active(&probe, fundes_relation(tables[t->late].name),
							   index_named(t->late, "_known"), BackwardScanDirection))
			count = DatumGetInt64(probe_value(&probe, t->nkeys + 2)) + 1;
	}
	probe_end(&probe);
	return count;
}

static void
add_late_figures(Lookup *l, Probe *probe, int sign)
{
	int			i;

	for (i = 0; i < l->t->nfigures; i++)
	{
		Numeric		figure = DatumGetNumeric(probe_value(probe, l->t->late_figures + i + 1));

		l->figures[i] = sign > 0 ? num_add(l->figures[i], figure) :
			num_sub(l->figures[i], figure);
	}
}

/*
 * Adds the late entries with numbers from .. end - 1 that are not after the
 * moment, one by one, or takes them off.
 */
static void
add_late_entries(Lookup *l, int64 from, int64 end, int sign)
{
	const Timeline *t = l->t;
	Probe		probe;
	bool		found;

	if (from == end)
		return;
	owner_keys(&probe, l);
	probe_key(&probe, INT4OID, Int32GetDatum(LATE_ENTRY));
	probe_key_between(&probe, from, end - 1);
	probe_key_until(&probe, l->as_of);
	for (found = probe_begin_active(&probe, fundes_relation(tables[t->late].name),
									index_named(t->late, "_pkey"), ForwardScanDirection);
		 found; found = probe_next(&probe, ForwardScanDirection))
		add_late_figures(l, &probe, sign);
	probe_end(&probe);
}

/*
 * Adds the late entries that are not after the moment: all up to the last that
 * was known, less those that have been added already.  Before the balance all
 * are before the moment, too.
 */
static void
add_late_sums(Lookup *l, int64 end)
{
	const Timeline *t = l->t;
	Probe		probe;
	ScanKey		key = &probe.keys[t->nkeys];	/* level, block, moment */
	int			level;

	owner_keys(&probe, l);
	probe_key(&probe, INT4OID, Int32GetDatum(LATE_TOTAL));
	probe_key(&probe, INT8OID, Int64GetDatum(l->balance_late - 1));
	probe_key_until(&probe, l->as_of);
	if (probe_begin_active(&probe, fundes_relation(tables[t->late].name),
						   index_named(t->late, "_pkey"), BackwardScanDirection))
		add_late_figures(l, &probe, -1);
	for (level = LATE_MAX_LEVEL; level > 0; level--)
	{
		int64		block = late_block(end, level);

		if (block % LATE_RADIX == 0)
			continue;
		key[0].sk_argument = Int32GetDatum(level);
		key[1].sk_argument = Int64GetDatum(block);
		if (probe_again(&probe, BackwardScanDirection))
			add_late_figures(l, &probe, 1);
	}
	probe_end(&probe);
	add_late_entries(l, end - end % LATE_RADIX, end, 1);
	add_late_entries(l, l->balance_late, l->first_late, -1);
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
			add_late_sums(&l, end);
	}
}

int64
timeline_known_position(int64 fund_id, TimestampTz known_at)
{
	Datum		key = Int64GetDatum(fund_id);
	Lookup		l = {.t = &timelines[FUND_TIMELINE], .keys = &key};
	int64		known = ALL_POSITIONS;
	int64		balance;
	Probe		probe;
	bool		found;

	if (TIMESTAMP_IS_NOEND(known_at))
		return ALL_POSITIONS;
	owner_keys(&probe, &l);
	probe_key_until(&probe, known_at);
	balance = begin_balances(l.t, &probe, "_recorded") ? balance_position(l.t, &probe) : 0;
	probe_end(&probe);

	owner_keys(&probe, &l);
	probe_key_from(&probe, balance + 1);
	for (found = probe_begin_active(&probe, fundes_relation(tables[TABLE_FUND_ENTRY].name),
									index_named(TABLE_FUND_ENTRY, "_pkey"), ForwardScanDirection);
		 found; found = probe_next(&probe, ForwardScanDirection))
		if (DatumGetTimestampTz(probe_value(&probe, ENTRY_RECORDED_AT + 1)) > known_at)
		{
			known = DatumGetInt64(probe_value(&probe, ENTRY_LAST_POSITION + 1)) - 1;
			break;
		}
	probe_end(&probe);
	return known;
}
