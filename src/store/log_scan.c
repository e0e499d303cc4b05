/*-------------------------------------------------------------------------
 *
 * log_scan.c
 *	  Walking through the log in the order of positions, see log_scan.h.
 *
 *	  A walk goes along one index, for one value of its first column.  The
 *	  walks for several values are a group, merged by position.  Where both
 *	  categories and types are sought and both have an index there are two
 *	  groups: the one that lags behind seeks to where the other one is, so that
 *	  the rarer of the two decides how much is read.  Whether an event matches
 *	  is decided by the event alone, whatever index led to it.
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
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Filters with more values than this walk the primary key. */
#define MAX_WALKS 64

typedef struct Category
{
	int64		key;
	const char *name;
	int			len;
} Category;

#define MAX_KEYS 3

typedef struct Walk
{
	IndexScanDesc scan;
	TupleTableSlot *slot;
	ScanKeyData keys[MAX_KEYS]; /* position > the start is the last but one */
	int			nkeys;
	int64		position;		/* of the event in slot; 0: at the end */
} Walk;

typedef struct WalkGroup
{
	Relation	index;
	Walk	   *walks;
	int			nwalks;
	Walk	   *nearest;		/* or NULL: all are at the end */
} WalkGroup;

#define MAX_GROUPS 2

/* So many steps are tried before a walk seeks: near by, they cost less. */
#define STEPS_BEFORE_SEEK 4

struct LogScan
{
	const LogFilter *filter;
	Category   *categories;
	int			ncategories;
	int32	   *type_ids;
	int			ntypes;
	int64		correlation_hash;

	Relation	table;
	Snapshot	snapshot;
	WalkGroup	groups[MAX_GROUPS];
	int			ngroups;
	Walk	   *current;		/* whose event was looked at last */

	int64		up_to;
	int64		looked_to;
	int64		looks;

	MemoryContext context;		/* of one row */
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
				 errmsg("%s must not contain null", what),
				 errdetail("One of the names is null."),
				 errhint("Leave it out.")));
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
		char	   *name;

		if (category->key != key)
			continue;
		name = text_to_cstring(log_stream_name(int64_column(scan, EVENT_STREAM_ID)));
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
walk_step(LogScan *scan, Walk *walk)
{
	bool		isnull;

	scan->looks++;
	if (index_getnext_slot(walk->scan, ForwardScanDirection, walk->slot))
		walk->position = DatumGetInt64(slot_getattr(walk->slot, EVENT_POSITION, &isnull));
	else
		walk->position = 0;
}

/* Goes on to the first event that is at a position or after it. */
static void
walk_seek(LogScan *scan, Walk *walk, int64 position)
{
	int			steps;

	for (steps = 0; walk->position > 0 && walk->position < position; steps++)
	{
		if (steps == STEPS_BEFORE_SEEK)
		{
			walk->keys[walk->nkeys - 2].sk_argument = Int64GetDatum(position - 1);
			index_rescan(walk->scan, walk->keys, walk->nkeys, NULL, 0);
		}
		walk_step(scan, walk);
	}
}

/* first is the key of the index's first column; without it, position is. */
static void
walk_begin(LogScan *scan, WalkGroup *group, const ScanKeyData *first, int64 after)
{
	Walk	   *walk = &group->walks[group->nwalks++];
	AttrNumber	attribute = first == NULL ? 1 : 2;

	if (first != NULL)
		walk->keys[walk->nkeys++] = *first;
	ScanKeyInit(&walk->keys[walk->nkeys++], attribute, BTGreaterStrategyNumber,
				F_INT8GT, Int64GetDatum(after));
	ScanKeyInit(&walk->keys[walk->nkeys++], attribute, BTLessEqualStrategyNumber,
				F_INT8LE, Int64GetDatum(scan->up_to));
	walk->slot = table_slot_create(scan->table, NULL);
	walk->scan = begin_index_scan(scan->table, group->index, scan->snapshot, walk->nkeys);
	index_rescan(walk->scan, walk->keys, walk->nkeys, NULL, 0);
	walk_step(scan, walk);
}

/*
 * Groups
 */

static WalkGroup *
group_begin(LogScan *scan, Oid index, int max_walks)
{
	WalkGroup  *group = &scan->groups[scan->ngroups++];

	group->index = index_open(index, AccessShareLock);
	group->walks = palloc0(sizeof(Walk) * Max(max_walks, 1));
	return group;
}

static void
group_find_nearest(WalkGroup *group)
{
	int			i;

	group->nearest = NULL;
	for (i = 0; i < group->nwalks; i++)
	{
		Walk	   *walk = &group->walks[i];

		if (walk->position > 0 &&
			(group->nearest == NULL || walk->position < group->nearest->position))
			group->nearest = walk;
	}
}

static void
group_seek(LogScan *scan, WalkGroup *group, int64 position)
{
	int			i;

	for (i = 0; i < group->nwalks; i++)
		walk_seek(scan, &group->walks[i], position);
	group_find_nearest(group);
}

static void
group_end(WalkGroup *group)
{
	int			i;

	for (i = 0; i < group->nwalks; i++)
	{
		index_endscan(group->walks[i].scan);
		ExecDropSingleTupleTableSlot(group->walks[i].slot);
	}
	index_close(group->index, AccessShareLock);
}

static void
begin_correlation_group(LogScan *scan, Oid index, int64 after)
{
	WalkGroup  *group = group_begin(scan, index, 1);
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ,
				DirectFunctionCall2Coll(hashtextextended, C_COLLATION_OID,
										PointerGetDatum(scan->filter->correlation_id),
										Int64GetDatum(0)));
	walk_begin(scan, group, &key, after);
}

static void
begin_type_group(LogScan *scan, Oid index, int64 after)
{
	WalkGroup  *group = group_begin(scan, index, scan->ntypes);
	int			i;

	for (i = 0; i < scan->ntypes; i++)
	{
		ScanKeyData key;

		ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
					Int32GetDatum(scan->type_ids[i]));
		walk_begin(scan, group, &key, after);
	}
}

/* Categories that share a key share a walk. */
static void
begin_category_group(LogScan *scan, Oid index, int64 after)
{
	WalkGroup  *group = group_begin(scan, index, scan->ncategories);
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
		walk_begin(scan, group, &key, after);
	}
}

/* A group for each part of the filter that has an index, or the primary key. */
static void
begin_groups(LogScan *scan, int64 after)
{
	const LogFilter *filter = scan->filter;
	Oid			index;
	int			i;

	if (filter->correlation_id != NULL &&
		OidIsValid(index = filter_index(FILTER_CORRELATION)))
		begin_correlation_group(scan, index, after);
	if (filter->types != NULL && scan->ntypes <= MAX_WALKS &&
		OidIsValid(index = filter_index(FILTER_TYPE)))
		begin_type_group(scan, index, after);
	if (filter->categories != NULL && scan->ncategories <= MAX_WALKS &&
		OidIsValid(index = filter_index(FILTER_CATEGORY)))
		begin_category_group(scan, index, after);
	if (scan->ngroups == 0)
		walk_begin(scan, group_begin(scan, fundes_relation("event_pkey"), 1), NULL, after);
	for (i = 0; i < scan->ngroups; i++)
		group_find_nearest(&scan->groups[i]);
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
	if (filter->categories != NULL)
		set_categories(scan, filter->categories);
	if (filter->types != NULL)
		set_types(scan, filter->types);
	if (after >= up_to || matches_nothing(scan))
		return scan;

	scan->table = table_open(fundes_relation("event"), AccessShareLock);
	/* R3, see watermark.c */
	scan->snapshot = RegisterSnapshot(GetLatestSnapshot());
	begin_groups(scan, after);
	return scan;
}

void
log_scan_end(LogScan *scan)
{
	int			i;

	for (i = 0; i < scan->ngroups; i++)
		group_end(&scan->groups[i]);
	if (scan->table != NULL)
	{
		UnregisterSnapshot(scan->snapshot);
		table_close(scan->table, AccessShareLock);
	}
	MemoryContextDelete(scan->context);
	pfree(scan);
}

/* Where the group that is furthest is; 0 where one is at its end. */
static int64
furthest_group(const LogScan *scan)
{
	int64		result = 0;
	int			i;

	for (i = 0; i < scan->ngroups; i++)
	{
		if (scan->groups[i].nearest == NULL)
			return 0;
		result = Max(result, scan->groups[i].nearest->position);
	}
	return result;
}

/*
 * Lets all groups seek the furthest one; whether they are at one event then.
 * Nothing before that can match.
 */
static bool
meet(LogScan *scan, int64 position)
{
	bool		met = true;
	int			i;

	for (i = 0; i < scan->ngroups; i++)
	{
		WalkGroup  *group = &scan->groups[i];

		group_seek(scan, group, position);
		met &= group->nearest != NULL && group->nearest->position == position;
	}
	return met;
}

int64
log_scan_next(LogScan *scan, int64 max_looks)
{
	int64		limit = max_looks > PG_INT64_MAX - scan->looks ?
		PG_INT64_MAX : scan->looks + max_looks;

	while (scan->looks < limit)
	{
		MemoryContext old;
		int64		position;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scan->context);
		/* an index scan keeps memory of the context it is stepped in */
		if (scan->current != NULL)
			group_seek(scan, &scan->groups[0], scan->current->position + 1);
		scan->current = NULL;
		position = furthest_group(scan);
		if (position == 0)
		{
			scan->looked_to = Max(scan->looked_to, scan->up_to);
			break;
		}
		scan->looked_to = position - 1;
		if (!meet(scan, position))
			continue;
		scan->looked_to = position;
		scan->current = scan->groups[0].nearest;
		old = MemoryContextSwitchTo(scan->context);
		found = matches(scan);
		MemoryContextSwitchTo(old);
		if (found)
			return position;
	}
	return 0;
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

TupleTableSlot *
log_scan_event(LogScan *scan)
{
	return scan->current->slot;
}
