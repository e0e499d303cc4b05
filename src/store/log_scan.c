/*-------------------------------------------------------------------------
 *
 * log_scan.c
 *	  Walking through the log in the order of positions, see log_scan.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "owner.h"
#include "store/filter_index.h"
#include "store/log.h"
#include "store/log_scan.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Columns of fundes.event, in the order of sql/store/schema.sql. */
enum
{
	EVENT_POSITION = 1, EVENT_STREAM_ID, EVENT_VERSION, EVENT_EFFECTIVE_AT,
	EVENT_RECORDED_AT, EVENT_TYPE_ID, EVENT_ID_GIVEN, EVENT_EVENT_ID,
	EVENT_PAYLOAD, EVENT_METADATA
};

/* Columns of fundes.event_log. */
#define LOG_COLUMNS 9

/* Filters with more values than this walk the primary key. */
#define MAX_WALKS 64

/* Names of streams that are kept at hand. */
#define MAX_KEPT_NAMES 10000

typedef struct Category
{
	int64		key;
	const char *name;
	int			len;
} Category;

/* One index, from a position on; with a first column, one value of it. */
typedef struct Walk
{
	IndexScanDesc scan;
	TupleTableSlot *slot;
	int64		position;		/* of the event in slot; 0: at the end */
} Walk;

typedef struct KeptName
{
	int64		id;				/* hash key */
	char	   *name;
} KeptName;

struct LogScan
{
	const LogFilter *filter;
	Category   *categories;
	int			ncategories;
	int32	   *type_ids;
	int			ntypes;
	int64		correlation_hash;

	Relation	table;
	Relation	index;
	Snapshot	snapshot;
	Walk	   *walks;
	int			nwalks;
	Walk	   *current;		/* whose event was looked at last */

	int64		up_to;
	int64		looked_to;
	int64		looks;

	MemoryContext context;		/* of one row */
	MemoryContext name_context;
	HTAB	   *stream_names;
	HTAB	   *type_names;
};

/*
 * The filter
 */

void
check_filter(ArrayType *names, const char *what)
{
	if (ARR_NDIM(names) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must have one dimension", what),
				 errdetail("It has %d.", ARR_NDIM(names)),
				 errhint("Give the names as array['a', 'b'].")));
	if (array_contains_nulls(names))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain null", what)));
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The distinct elements. */
static char **
distinct_names(ArrayType *array, int *count)
{
	Datum	   *elements;
	char	  **names;
	int			n;
	int			i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
	names = palloc(sizeof(char *) * Max(n, 1));
	for (i = 0; i < n; i++)
		names[i] = TextDatumGetCString(elements[i]);
	qsort(names, n, sizeof(char *), compare_names);
	*count = 0;
	for (i = 0; i < n; i++)
		if (*count == 0 || strcmp(names[*count - 1], names[i]) != 0)
			names[(*count)++] = names[i];
	return names;
}

static void
set_categories(LogScan *scan, ArrayType *array)
{
	char	  **names = distinct_names(array, &scan->ncategories);
	int			i;

	scan->categories = palloc(sizeof(Category) * Max(scan->ncategories, 1));
	for (i = 0; i < scan->ncategories; i++)
	{
		scan->categories[i].name = names[i];
		scan->categories[i].len = strlen(names[i]);
		scan->categories[i].key = category_key(names[i], strlen(names[i]));
	}
}

/* A type that is not in the dictionary has no events below the watermark. */
static void
set_types(LogScan *scan, ArrayType *array)
{
	int			n;
	char	  **names = distinct_names(array, &n);
	int			i;

	scan->type_ids = palloc(sizeof(int32) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		int32		type_id = log_event_type(names[i]).type_id;

		if (type_id != 0)
			scan->type_ids[scan->ntypes++] = type_id;
	}
}

int
stream_partition(int64 stream_id, int partitions)
{
	uint64		hash = DatumGetUInt64(DirectFunctionCall2(hashint8extended,
														  Int64GetDatum(stream_id),
														  Int64GetDatum(0)));

	return (int) (hash % (uint64) partitions);
}

/*
 * Columns of the event that was looked at last
 */

static Datum
column(const LogScan *scan, int attribute, bool *isnull)
{
	return slot_getattr(scan->current->slot, attribute, isnull);
}

static int64
int64_column(const LogScan *scan, int attribute)
{
	bool		isnull;

	return DatumGetInt64(column(scan, attribute, &isnull));
}

static int32
type_id_column(const LogScan *scan)
{
	bool		isnull;

	return DatumGetInt32(column(scan, EVENT_TYPE_ID, &isnull));
}

/* Names are kept, as few streams and types make many events. */
static HTAB *
make_names(const char *what, MemoryContext context)
{
	HASHCTL		ctl = {.keysize = sizeof(int64), .entrysize = sizeof(KeptName), .hcxt = context};

	return hash_create(what, 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
forget_names(LogScan *scan)
{
	MemoryContextReset(scan->name_context);
	scan->stream_names = make_names("fundes stream names", scan->name_context);
	scan->type_names = make_names("fundes type names", scan->name_context);
}

static char *
kept_name(LogScan *scan, bool of_stream, int64 id)
{
	HTAB	   *names = of_stream ? scan->stream_names : scan->type_names;
	KeptName   *entry = hash_search(names, &id, HASH_FIND, NULL);
	char	   *name;

	if (entry != NULL)
		return entry->name;
	name = of_stream ? log_stream_name(id) : log_type_name((int32) id);
	if (hash_get_num_entries(names) >= MAX_KEPT_NAMES)
	{
		forget_names(scan);
		names = of_stream ? scan->stream_names : scan->type_names;
	}
	entry = hash_search(names, &id, HASH_ENTER, NULL);
	entry->name = MemoryContextStrdup(scan->name_context, name);
	return entry->name;
}

static char *
stream_name(LogScan *scan)
{
	return kept_name(scan, true, int64_column(scan, EVENT_STREAM_ID));
}

/*
 * Whether the event matches
 */

static bool
category_matches(LogScan *scan)
{
	int64		key = int64_column(scan, EVENT_STREAM_ID) >> STREAM_SERIAL_BITS;
	int			i;

	for (i = 0; i < scan->ncategories; i++)
	{
		const Category *category = &scan->categories[i];
		const char *name;

		if (category->key != key)
			continue;
		name = stream_name(scan);
		if (category_length(name) == category->len &&
			memcmp(name, category->name, category->len) == 0)
			return true;
	}
	return false;
}

static bool
type_matches(LogScan *scan)
{
	int32		type_id = type_id_column(scan);
	int			i;

	for (i = 0; i < scan->ntypes; i++)
		if (scan->type_ids[i] == type_id)
			return true;
	return false;
}

static bool
correlation_matches(LogScan *scan)
{
	Datum		metadata;
	JsonbValue	value;
	JsonbValue *found;
	text	   *sought = scan->filter->correlation_id;
	Datum		id;
	bool		isnull;

	metadata = column(scan, EVENT_METADATA, &isnull);
	if (isnull)
		return false;
	found = getKeyJsonValueFromContainer(&DatumGetJsonbP(metadata)->root,
										 "correlation_id", strlen("correlation_id"),
										 &value);
	if (found == NULL || found->type == jbvNull)
		return false;
	/* as text, whatever it is */
	id = DirectFunctionCall2(jsonb_object_field_text, metadata,
							 CStringGetTextDatum("correlation_id"));
	return VARSIZE_ANY_EXHDR(id) == VARSIZE_ANY_EXHDR(sought) &&
		memcmp(VARDATA_ANY(id), VARDATA_ANY(sought), VARSIZE_ANY_EXHDR(sought)) == 0;
}

static bool
matches(LogScan *scan)
{
	const LogFilter *filter = scan->filter;
	int64		stream_id = int64_column(scan, EVENT_STREAM_ID);

	if (filter->partitions > 1 &&
		stream_partition(stream_id, filter->partitions) != filter->partition)
		return false;
	if (filter->types != NULL && !type_matches(scan))
		return false;
	if (filter->categories != NULL && !category_matches(scan))
		return false;
	if (filter->correlation_id != NULL && !correlation_matches(scan))
		return false;
	return filter->skip == NULL ||
		!filter->skip(filter->skip_arg, scan->current->position, stream_id);
}

/*
 * Walks
 */

static void
walk_step(Walk *walk)
{
	bool		isnull;

	if (index_getnext_slot(walk->scan, ForwardScanDirection, walk->slot))
		walk->position = DatumGetInt64(slot_getattr(walk->slot, EVENT_POSITION, &isnull));
	else
		walk->position = 0;
}

/* first is the key of the index's first column; without it, position is. */
static void
walk_begin(LogScan *scan, const ScanKeyData *first, int64 after)
{
	Walk	   *walk = &scan->walks[scan->nwalks++];
	ScanKeyData keys[3];
	int			n = 0;
	AttrNumber	attribute = first == NULL ? 1 : 2;

	if (first != NULL)
		keys[n++] = *first;
	ScanKeyInit(&keys[n++], attribute, BTGreaterStrategyNumber, F_INT8GT,
				Int64GetDatum(after));
	ScanKeyInit(&keys[n++], attribute, BTLessEqualStrategyNumber, F_INT8LE,
				Int64GetDatum(scan->up_to));
	walk->slot = table_slot_create(scan->table, NULL);
	walk->scan = begin_index_scan(scan->table, scan->index, scan->snapshot, n);
	index_rescan(walk->scan, keys, n, NULL, 0);
	walk_step(walk);
}

static void
begin_correlation_walk(LogScan *scan, int64 after)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ,
				DirectFunctionCall2Coll(hashtextextended, C_COLLATION_OID,
										PointerGetDatum(scan->filter->correlation_id),
										Int64GetDatum(0)));
	walk_begin(scan, &key, after);
}

static void
begin_type_walks(LogScan *scan, int64 after)
{
	int			i;

	for (i = 0; i < scan->ntypes; i++)
	{
		ScanKeyData key;

		ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
					Int32GetDatum(scan->type_ids[i]));
		walk_begin(scan, &key, after);
	}
}

/* Categories that share a key share a walk. */
static void
begin_category_walks(LogScan *scan, int64 after)
{
	int			i;
	int			j;

	for (i = 0; i < scan->ncategories; i++)
	{
		ScanKeyData key;

		for (j = 0; j < i && scan->categories[j].key != scan->categories[i].key; j++)
			;
		if (j < i)
			continue;
		ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ,
					Int64GetDatum(scan->categories[i].key));
		walk_begin(scan, &key, after);
	}
}

/* The index that the filter has, the one that should match the least first. */
static void
begin_walks(LogScan *scan, int64 after)
{
	const LogFilter *filter = scan->filter;
	Oid			index;

	if (filter->correlation_id != NULL &&
		OidIsValid(index = filter_index(FILTER_CORRELATION)))
	{
		scan->index = index_open(index, AccessShareLock);
		begin_correlation_walk(scan, after);
	}
	else if (filter->types != NULL && scan->ntypes <= MAX_WALKS &&
			 OidIsValid(index = filter_index(FILTER_TYPE)))
	{
		scan->index = index_open(index, AccessShareLock);
		begin_type_walks(scan, after);
	}
	else if (filter->categories != NULL && scan->ncategories <= MAX_WALKS &&
			 OidIsValid(index = filter_index(FILTER_CATEGORY)))
	{
		scan->index = index_open(index, AccessShareLock);
		begin_category_walks(scan, after);
	}
	else
	{
		scan->index = index_open(fundes_relation("event_pkey"), AccessShareLock);
		walk_begin(scan, NULL, after);
	}
}

/* Nothing can match an empty filter, or types that have never been used. */
static bool
matches_nothing(const LogScan *scan)
{
	return (scan->filter->types != NULL && scan->ntypes == 0) ||
		(scan->filter->categories != NULL && scan->ncategories == 0);
}

LogScan *
log_scan_begin(const LogFilter *filter, int64 after, int64 up_to)
{
	LogScan    *scan = palloc0(sizeof(LogScan));

	scan->filter = filter;
	scan->up_to = up_to;
	scan->looked_to = after;
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "fundes row",
										  ALLOCSET_DEFAULT_SIZES);
	scan->name_context = AllocSetContextCreate(CurrentMemoryContext, "fundes names",
											   ALLOCSET_DEFAULT_SIZES);
	forget_names(scan);
	if (filter->categories != NULL)
		set_categories(scan, filter->categories);
	if (filter->types != NULL)
		set_types(scan, filter->types);
	if (after >= up_to || matches_nothing(scan))
		return scan;

	scan->table = table_open(fundes_relation("event"), AccessShareLock);
	/* R3, see watermark.c */
	scan->snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan->walks = palloc0(sizeof(Walk) * MAX_WALKS);
	begin_walks(scan, after);
	return scan;
}

void
log_scan_end(LogScan *scan)
{
	int			i;

	for (i = 0; i < scan->nwalks; i++)
	{
		index_endscan(scan->walks[i].scan);
		ExecDropSingleTupleTableSlot(scan->walks[i].slot);
	}
	if (scan->table != NULL)
	{
		UnregisterSnapshot(scan->snapshot);
		index_close(scan->index, AccessShareLock);
		table_close(scan->table, AccessShareLock);
	}
	MemoryContextDelete(scan->context);
	MemoryContextDelete(scan->name_context);
	pfree(scan);
}

/* The walk whose event comes next, or NULL. */
static Walk *
nearest_walk(LogScan *scan)
{
	Walk	   *nearest = NULL;
	int			i;

	for (i = 0; i < scan->nwalks; i++)
	{
		Walk	   *walk = &scan->walks[i];

		if (walk->position > 0 &&
			(nearest == NULL || walk->position < nearest->position))
			nearest = walk;
	}
	return nearest;
}

int64
log_scan_next(LogScan *scan, int64 max_looks)
{
	int64		result = 0;

	while (result == 0 && max_looks-- > 0)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scan->context);
		/* an index scan keeps memory of the context it is stepped in */
		if (scan->current != NULL)
			walk_step(scan->current);
		scan->current = nearest_walk(scan);
		if (scan->current == NULL)
		{
			scan->looked_to = Max(scan->looked_to, scan->up_to);
			break;
		}
		scan->looks++;
		scan->looked_to = scan->current->position;
		old = MemoryContextSwitchTo(scan->context);
		if (matches(scan))
			result = scan->current->position;
		MemoryContextSwitchTo(old);
	}
	return result;
}

int64
log_scan_looked_to(const LogScan *scan)
{
	return scan->looked_to;
}

int64
log_scan_looks(const LogScan *scan)
{
	return scan->looks;
}

void
log_scan_emit(LogScan *scan, Tuplestorestate *store, TupleDesc desc)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS] = {0};

	values[0] = column(scan, EVENT_POSITION, &nulls[0]);
	values[1] = CStringGetTextDatum(stream_name(scan));
	values[2] = column(scan, EVENT_VERSION, &nulls[2]);
	values[3] = column(scan, EVENT_EVENT_ID, &nulls[3]);
	values[4] = CStringGetTextDatum(kept_name(scan, false, type_id_column(scan)));
	values[5] = column(scan, EVENT_PAYLOAD, &nulls[5]);
	values[6] = column(scan, EVENT_METADATA, &nulls[6]);
	values[7] = column(scan, EVENT_EFFECTIVE_AT, &nulls[7]);
	values[8] = column(scan, EVENT_RECORDED_AT, &nulls[8]);
	tuplestore_putvalues(store, desc, values, nulls);
	MemoryContextSwitchTo(old);
}
