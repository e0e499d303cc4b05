/*-------------------------------------------------------------------------
 *
 * projection.c
 *	  Rows of the projection tables in memory, see projection.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fund/money.h"
#include "fund/projection.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "owner.h"
#include "probe.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

const Table tables[NTABLES] = {
	[TABLE_FUND] = {
		"fund", 1, false, 30, {
			{"fund_id", INT8OID}, {"name", TEXTOID}, {"status", TEXTOID},
			{"currency", TEXTOID}, {"time_zone", TEXTOID},
			{"cash_scale", INT4OID}, {"unit_scale", INT4OID},
			{"initial_price", NUMERICOID}, {"max_price_drift", NUMERICOID},
			{"max_price_age", INTERVALOID}, {"base_price", NUMERICOID},
			{"price_date", DATEOID}, {"price_since", TIMESTAMPTZOID},
			{"last_valuation_date", DATEOID}, {"capital_cash", NUMERICOID},
			{"asset_value", NUMERICOID}, {"liabilities", NUMERICOID},
			{"total_supply", NUMERICOID},
			{"accumulated_purchase_value", NUMERICOID},
			{"accumulated_sold_value", NUMERICOID},
			{"subscriptions", NUMERICOID}, {"redemptions", NUMERICOID},
			{"realised_gain", NUMERICOID}, {"royalty_income", NUMERICOID},
			{"fee_expense", NUMERICOID}, {"distributed", NUMERICOID},
			{"created_at", TIMESTAMPTZOID},
			{"last_effective_at", TIMESTAMPTZOID},
			{"last_version", INT8OID}, {"last_position", INT8OID}
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
		"investment", 2, false, 10, {
			{"fund_id", INT8OID}, {"investor_id", TEXTOID},
			{"units", NUMERICOID}, {"investment_amount", NUMERICOID},
			{"cost_basis", NUMERICOID}, {"withdrawn_amount", NUMERICOID},
			{"realised_gain", NUMERICOID}, {"distributions", NUMERICOID},
			{"last_version", INT8OID}, {"last_position", INT8OID}
		}
	},
	[TABLE_MCP] = {
		"mcp", 1, false, 16, {
			{"asset_id", INT8OID}, {"fund_id", INT8OID},
			{"copyright_code", TEXTOID}, {"registration_number", TEXTOID},
			{"music_id", TEXTOID}, {"acquisition_date", DATEOID},
			{"cost_cash", NUMERICOID}, {"estimated_value_cash", NUMERICOID},
			{"value_cash", NUMERICOID}, {"royalty_income", NUMERICOID},
			{"last_price_date", DATEOID}, {"is_stale", BOOLOID},
			{"purchased_at", TIMESTAMPTZOID}, {"sold_at", TIMESTAMPTZOID},
			{"sold_price_cash", NUMERICOID}, {"last_position", INT8OID}
		},
		"copyright_code, registration_number, music_id", "sold_at is null",
		ERRCODE_MCP_ALREADY_HELD, "MCP is held already",
		"A copyright is held by one fund; it must be sold before it is bought again."
	},
	[TABLE_FEE_ACCOUNT] = {
		"fee_account", 2, false, 5, {
			{"fund_id", INT8OID}, {"kind", TEXTOID}, {"accrued", NUMERICOID},
			{"paid", NUMERICOID}, {"last_position", INT8OID}
		}
	},
	[TABLE_VALUATION] = {
		"valuation", 3, true, 10, {
			{"fund_id", INT8OID}, {"valuation_date", DATEOID},
			{"revision", INT4OID}, {"nav", NUMERICOID},
			{"capital_cash", NUMERICOID}, {"asset_value", NUMERICOID},
			{"liabilities", NUMERICOID}, {"total_supply", NUMERICOID},
			{"base_price", NUMERICOID}, {"last_position", INT8OID}
		}
	},
	[TABLE_FUND_ENTRY] = {
		"fund_entry", 3, true, 19, {
			{"fund_id", INT8OID}, {"last_position", INT8OID},
			{"effective_at", TIMESTAMPTZOID}, {"recorded_at", TIMESTAMPTZOID},
			{"capital_cash", NUMERICOID}, {"asset_value", NUMERICOID},
			{"liabilities", NUMERICOID}, {"total_supply", NUMERICOID},
			{"accumulated_purchase_value", NUMERICOID},
			{"accumulated_sold_value", NUMERICOID},
			{"subscriptions", NUMERICOID}, {"redemptions", NUMERICOID},
			{"realised_gain", NUMERICOID}, {"royalty_income", NUMERICOID},
			{"fee_expense", NUMERICOID}, {"distributed", NUMERICOID},
			{"base_price", NUMERICOID}, {"price_date", DATEOID},
			{"price_since", TIMESTAMPTZOID}
		}
	},
	[TABLE_HOLDING_ENTRY] = {
		"holding_entry", 4, true, 10, {
			{"fund_id", INT8OID}, {"last_position", INT8OID},
			{"effective_at", TIMESTAMPTZOID}, {"investor_id", TEXTOID},
			{"units", NUMERICOID}, {"investment_amount", NUMERICOID},
			{"cost_basis", NUMERICOID}, {"withdrawn_amount", NUMERICOID},
			{"realised_gain", NUMERICOID}, {"distributions", NUMERICOID}
		}
	}
};

/* Rows are flushed when they take more memory than this. */
#define FLUSH_BYTES (64 * 1024 * 1024)

/* The statements of a table. */
typedef struct TablePlans
{
	KeptPlan	update_one;
	KeptPlan	update_many;
	KeptPlan	insert_one;
	KeptPlan	insert_many;
} TablePlans;

/* Those of the projections are kept for the backend's life. */
static TablePlans projection_plans[NTABLES];

typedef struct RowKey
{
	char		text[320];		/* the key columns, as text */
} RowKey;

typedef struct RowEntry
{
	RowKey		key;
	Row		   *row;
} RowEntry;

struct RowSet
{
	MemoryContext context;		/* of the set, its plans included */
	const char *scratch;		/* prefix of the tables' names, or NULL */
	TablePlans *plans;
	MemoryContext row_context[NTABLES]; /* of the rows; emptied by a flush */
	HTAB	   *index[NTABLES];
	List	   *rows[NTABLES];	/* in the order of first use */
};

/*
 * Statements
 */

/* A list of columns: in the pattern, @ is the name and # the number. */
typedef enum Which
{
	ALL_COLUMNS,
	KEY_COLUMNS,
	OTHER_COLUMNS
} Which;

static char *
column_list(const Table *table, Which which, const char *pattern,
			const char *separator)
{
	StringInfoData list;
	const char *c;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < table->ncolumns; i++)
	{
		if (which != ALL_COLUMNS && (i < table->nkeys) != (which == KEY_COLUMNS))
			continue;
		appendStringInfoString(&list, list.len > 0 ? separator : "");
		for (c = pattern; *c != '\0'; c++)
		{
			if (*c == '@')
				appendStringInfoString(&list, table->columns[i].name);
			else if (*c == '#')
				appendStringInfo(&list, "%d", i + 1);
			else
				appendStringInfoChar(&list, *c);
		}
	}
	return list.data;
}

static void
set_plan(KeptPlan *plan, const Table *table, bool arrays, const char *sql)
{
	int			i;

	for (i = 0; i < table->ncolumns; i++)
		plan->argtypes[i] = arrays ? get_array_type(table->columns[i].type) :
			table->columns[i].type;
	plan->nargs = table->ncolumns;
	plan->sql = sql;
}

static void
build_plans(TablePlans *plans, const Table *t, const char *prefix)
{
	const char *all = column_list(t, ALL_COLUMNS, "@", ", ");
	const char *parameters = column_list(t, ALL_COLUMNS, "$#", ", ");
	const char *conflict = t->arbiter_columns == NULL ? "" :
		psprintf(" on conflict (%s) where %s do nothing",
				 t->arbiter_columns, t->arbiter_condition);

	set_plan(&plans->update_one, t, false,
			 psprintf("update %s%s set %s where %s", prefix, t->name,
					  column_list(t, OTHER_COLUMNS, "@ = $#", ", "),
					  column_list(t, KEY_COLUMNS, "@ = $#", " and ")));
	set_plan(&plans->update_many, t, true,
			 psprintf("update %s%s as r set %s from unnest(%s) as u(%s) where %s",
					  prefix, t->name,
					  column_list(t, OTHER_COLUMNS, "@ = u.@", ", "),
					  parameters, all,
					  column_list(t, KEY_COLUMNS, "r.@ = u.@", " and ")));
	set_plan(&plans->insert_one, t, false,
			 psprintf("insert into %s%s (%s) values (%s)%s",
					  prefix, t->name, all, parameters, conflict));
	/* the last: its text tells that all are built */
	set_plan(&plans->insert_many, t, true,
			 psprintf("insert into %s%s (%s) select * from unnest(%s)%s",
					  prefix, t->name, all, parameters, conflict));
}

static TablePlans *
plans_of(RowSet *set, TableId table)
{
	TablePlans *plans = &set->plans[table];

	if (plans->insert_many.sql == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		build_plans(plans, &tables[table], "fundes.");
		MemoryContextSwitchTo(old);
	}
	return plans;
}

/*
 * Sets
 */

RowSet *
rows_begin(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "fundes rows", ALLOCSET_SMALL_SIZES);
	RowSet	   *set = MemoryContextAllocZero(context, sizeof(RowSet));

	set->context = context;
	set->plans = projection_plans;
	return set;
}

RowSet *
rows_begin_in(const char *prefix)
{
	RowSet	   *set = rows_begin();
	MemoryContext old = MemoryContextSwitchTo(set->context);
	int			i;

	set->scratch = pstrdup(prefix);
	set->plans = palloc0(sizeof(TablePlans) * NTABLES);
	for (i = 0; i < NTABLES; i++)
		build_plans(&set->plans[i], &tables[i], psprintf("pg_temp.%s", prefix));
	MemoryContextSwitchTo(old);
	return set;
}

void
rows_end(RowSet *set)
{
	if (set->scratch)
	{
		int			i;

		for (i = 0; i < NTABLES; i++)
		{
			plan_forget(&set->plans[i].update_one);
			plan_forget(&set->plans[i].update_many);
			plan_forget(&set->plans[i].insert_one);
			plan_forget(&set->plans[i].insert_many);
		}
	}
	MemoryContextDelete(set->context);
}

/*
 * Rows
 */

static void
make_key(RowKey *key, TableId id, const Datum *keys)
{
	const Table *table = &tables[id];
	char	   *end = key->text;
	int			i;

	memset(key, 0, sizeof(*key));
	for (i = 0; i < table->nkeys; i++)
	{
		Size		left = sizeof(key->text) - (end - key->text);

		/* an id has no space in it, and a text stands last */
		if (table->columns[i].type == TEXTOID)
		{
			char	   *name = TextDatumGetCString(keys[i]);

			if (strlen(name) >= left)
				elog(ERROR, "key of fundes.%s is too long", table->name);
			strlcpy(end, name, left);
		}
		else
			snprintf(end, left, INT64_FORMAT " ", (int64) keys[i]);
		end += strlen(end);
	}
}

/* Made at first use: most sets touch few tables. */
static MemoryContext
context_of(RowSet *set, TableId table)
{
	if (set->row_context[table] == NULL)
		set->row_context[table] = AllocSetContextCreate(set->context, "fundes rows of a table",
														ALLOCSET_SMALL_SIZES);
	return set->row_context[table];
}

static RowEntry *
enter_key(RowSet *set, TableId table, const Datum *keys, bool *found)
{
	RowKey		key;

	if (set->index[table] == NULL)
	{
		HASHCTL		ctl = {
			.keysize = sizeof(RowKey),
			.entrysize = sizeof(RowEntry),
			.hcxt = context_of(set, table)
		};

		set->index[table] = hash_create(tables[table].name, 16, &ctl,
										HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	make_key(&key, table, keys);
	return hash_search(set->index[table], key.text, HASH_ENTER, found);
}

static Row *
new_row(RowSet *set, TableId table)
{
	MemoryContext old = MemoryContextSwitchTo(context_of(set, table));
	Row		   *row = palloc0(sizeof(Row));

	row->set = set;
	row->table = table;
	memset(row->nulls, true, sizeof(row->nulls));
	set->rows[table] = lappend(set->rows[table], row);
	MemoryContextSwitchTo(old);
	return row;
}

/* The table, or an index of it, that a set's rows are in. */
static Oid
relation_of(RowSet *set, TableId table, const char *suffix)
{
	if (set->scratch != NULL)
		return RangeVarGetRelid(makeRangeVar("pg_temp",
											 psprintf("%s%s%s", set->scratch,
													  tables[table].name, suffix), -1),
								NoLock, false);
	return fundes_relation(psprintf("%s%s", tables[table].name, suffix));
}

static Row *
read_row(RowSet *set, TableId table, TupleTableSlot *slot)
{
	Row		   *row = new_row(set, table);
	int			i;

	slot_getallattrs(slot);
	for (i = 0; i < tables[table].ncolumns; i++)
		if (!slot->tts_isnull[i])
			row_set(row, i, slot->tts_values[i]);
	row->stored = true;
	row->changed = false;
	return row;
}

Row *
rows_find(RowSet *set, TableId table, const Datum *keys)
{
	bool		found;
	RowEntry   *entry = enter_key(set, table, keys, &found);
	Probe		probe;
	int			i;

	if (found)
		return entry->row;
	entry->row = NULL;
	probe.nkeys = 0;
	for (i = 0; i < tables[table].nkeys; i++)
		probe_key(&probe, tables[table].columns[i].type, keys[i]);
	found = probe_begin(&probe, relation_of(set, table, ""),
						relation_of(set, table, "_pkey"), ForwardScanDirection);
	if (found && set->scratch == NULL)
		probe_require_known(&probe);
	if (found)
		entry->row = read_row(set, table, probe.slot);
	probe_end(&probe);
	return entry->row;
}

Row *
rows_add(RowSet *set, TableId table, const Datum *keys)
{
	bool		found;
	RowEntry   *entry = enter_key(set, table, keys, &found);
	Row		   *row = new_row(set, table);
	int			i;

	entry->row = row;
	for (i = 0; i < tables[table].ncolumns && !tables[table].journal; i++)
		if (tables[table].columns[i].type == NUMERICOID)
			row_set(row, i, NumericGetDatum(num_int(0)));
	for (i = 0; i < tables[table].nkeys; i++)
		row_set(row, i, keys[i]);
	return row;
}

/* Of the types that columns have: the length, -1 if it varies, 0 if by value. */
static inline int
length_by_reference(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case NUMERICOID:
			return -1;
		case INTERVALOID:
			return sizeof(Interval);
		default:
			return 0;
	}
}

void
row_set(Row *row, int column, Datum value)
{
	int			typlen = length_by_reference(tables[row->table].columns[column].type);
	MemoryContext old;

	if (typlen != 0)
	{
		Datum		previous = row->values[column];

		old = MemoryContextSwitchTo(row->set->row_context[row->table]);
		value = datumCopy(value, false, typlen);
		MemoryContextSwitchTo(old);
		if (!row->nulls[column])
			pfree(DatumGetPointer(previous));
	}
	row->values[column] = value;
	row->nulls[column] = false;
	row->changed = true;
}

void
row_set_null(Row *row, int column)
{
	row->nulls[column] = true;
	row->changed = true;
}

void
row_set_text(Row *row, int column, const char *value)
{
	row_set(row, column, CStringGetTextDatum(value));
}

void
row_add(Row *row, int column, Numeric amount)
{
	if (!row->nulls[column])
		amount = num_add(row_numeric(row, column), amount);
	row_set(row, column, NumericGetDatum(amount));
}

char *
row_text(const Row *row, int column)
{
	return TextDatumGetCString(row->values[column]);
}

/*
 * Flush
 */

static Datum
column_array(Row **rows, int n, int column)
{
	Oid			type = tables[rows[0]->table].columns[column].type;
	Datum	   *elements = palloc(sizeof(Datum) * n);
	bool	   *nulls = palloc(sizeof(bool) * n);
	int			dims[1];
	int			lbs[1] = {1};
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int			i;

	for (i = 0; i < n; i++)
	{
		elements[i] = rows[i]->values[column];
		nulls[i] = rows[i]->nulls[column];
	}
	dims[0] = n;
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(elements, nulls, 1, dims, lbs, type,
											  typlen, typbyval, typalign));
}

/* Runs the statement for one row or, with arrays, that for many. */
static uint64
write_rows(KeptPlan *one, KeptPlan *many, Row **rows, int n)
{
	Datum		values[MAX_COLUMNS];
	char		nulls[MAX_COLUMNS];
	int			i;

	if (n > 1)
	{
		for (i = 0; i < many->nargs; i++)
			values[i] = column_array(rows, n, i);
		return plan_write(many, values, NULL);
	}
	for (i = 0; i < one->nargs; i++)
		nulls[i] = rows[0]->nulls[i] ? 'n' : ' ';
	return plan_write(one, rows[0]->values, nulls);
}

/*
 * Writes what has changed of a table and forgets its rows.  Updates come
 * first: a new row may need a unique key that they set free.
 */
static void
flush_table(RowSet *set, TableId table)
{
	const Table *t = &tables[table];
	int			total = list_length(set->rows[table]);
	MemoryContext work;
	MemoryContext old;
	Row		  **changed;
	Row		  **added;
	int			nchanged = 0;
	int			nadded = 0;
	ListCell   *cell;

	if (set->row_context[table] == NULL)
		return;
	work = AllocSetContextCreate(set->context, "fundes flush", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	changed = palloc(sizeof(Row *) * Max(total, 1));
	added = palloc(sizeof(Row *) * Max(total, 1));
	foreach(cell, set->rows[table])
	{
		Row		   *row = lfirst(cell);

		if (!row->stored)
			added[nadded++] = row;
		else if (row->changed)
			changed[nchanged++] = row;
	}
	if (nchanged > 0 &&
		write_rows(&plans_of(set, table)->update_one, &plans_of(set, table)->update_many,
				   changed, nchanged) != nchanged)
		elog(ERROR, "rows of fundes.%s to update are gone", t->name);
	if (nadded > 0 &&
		write_rows(&plans_of(set, table)->insert_one, &plans_of(set, table)->insert_many,
				   added, nadded) != nadded)
		ereport(ERROR,
				(errcode(t->conflict_code),
				 errmsg("%s", t->conflict_message),
				 errdetail("A row of fundes.%s with the same (%s) excludes it.",
						   t->name, t->arbiter_columns),
				 errhint("%s", t->conflict_hint)));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	MemoryContextDelete(set->row_context[table]);
	set->row_context[table] = NULL;
	set->index[table] = NULL;
	set->rows[table] = NIL;
}

void
rows_flush(RowSet *set)
{
	int			i;

	for (i = 0; i < NTABLES; i++)
		flush_table(set, i);
}

void
rows_relieve(RowSet *set)
{
	int			i;

	if (MemoryContextMemAllocated(set->context, true) < FLUSH_BYTES)
		return;
	for (i = 0; i < NTABLES; i++)
		if (tables[i].journal)
			flush_table(set, i);
	if (MemoryContextMemAllocated(set->context, true) >= FLUSH_BYTES)
		rows_flush(set);
}
