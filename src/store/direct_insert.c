/*-------------------------------------------------------------------------
 *
 * direct_insert.c
 *	  Writing events into the log below the executor.
 *
 *	  A statement's start and end cost more than a row and its index entries:
 *	  so events go straight to the table and its indexes, many of them as COPY
 *	  brings them.  That is right as long as the table is what fundes made it,
 *	  and there is nothing more that an INSERT would do.  What is looked at:
 *
 *	  - the columns and their types; no defaults are left to fill in, as all
 *		columns are given; none is generated; NOT NULL stands on such only that
 *		always have a value; no CHECK
 *	  - the one check of the domain of payload and metadata, which callers have
 *		made: another one, or one more, and it is not ours
 *	  - no trigger fires on INSERT but the projector, always; no rule, no row
 *		security, no partition or child, a permanent table in a heap
 *	  - indexes are B-trees, checked at once; their expressions and predicates
 *		call functions of the server alone, as others might depend on settings
 *		that a statement would find made safe
 *	  - the owner may insert
 *
 *	  Where another session brings the same id for another stream at the same
 *	  time, the one that is later waits in the index of ids; if the other one
 *	  commits, it is refused there, and that becomes UF008.
 *
 *	  The result of that look is kept until the table, an index or the domain
 *	  changes.  Otherwise the events go by statement: see append_write.c.
 *
 *	  A row that ends in nulls is stored without them, as rows are that were
 *	  there before a column was added; it then has no null bitmap, either.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "owner.h"
#include "parser/parse_func.h"
#include "store/append_write.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/typcache.h"

/* The columns that every row has; the others are null as a rule. */
#define FULL_COLUMNS EVENT_PAYLOAD

#define JSON_CHECK "json_object_check"

/* More indexes than fundes makes, and then some. */
#define MAX_INDEXES 16

/* Events that are given to the table together. */
#define CHUNK 100

typedef struct KnownIndex
{
	Oid			oid;
	bool		given_only;		/* has entries only of ids that were given */
	bool		computed;		/* has other predicates, or expressions */
	IndexInfo  *info;
} KnownIndex;

/* What was found out about the table. */
typedef struct Shape
{
	bool		current;		/* nothing has changed since */
	bool		ours;
	Oid			table;
	MemoryContext context;
	TupleDesc	descs[EVENT_COLUMNS + 1];	/* by number of columns */
	DomainConstraintRef json;
	DomainConstraintCache *json_checks; /* that were looked at */
	int			nindexes;
	KnownIndex	indexes[MAX_INDEXES];
} Shape;

static Shape shape;

/* Counts all messages, so that none is missed while the table is looked at. */
static uint64 messages = 0;

/* The shape may be in use: so it is only marked. */
static void
on_invalidation(Datum arg, Oid relation)
{
	int			i;

	messages++;
	if (relation == InvalidOid || relation == shape.table)
		shape.current = false;
	for (i = 0; i < shape.nindexes; i++)
		if (relation == shape.indexes[i].oid)
			shape.current = false;
}

/*
 * The look at the table
 */

static bool
columns_are_ours(TupleDesc desc)
{
	static const Oid types[] = {
		INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID,
		InvalidOid, UUIDOID, InvalidOid
	};
	Oid			json = TupleDescAttr(desc, EVENT_PAYLOAD - 1)->atttypid;
	int			i;

	if (desc->natts != EVENT_COLUMNS)
		return false;
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || att->attgenerated != '\0' || att->attidentity != '\0')
			return false;
		if (att->atttypid != (OidIsValid(types[i]) ? types[i] : json))
			return false;
		if (att->attnotnull && i >= FULL_COLUMNS)
			return false;
	}
	return desc->constr == NULL || desc->constr->num_check == 0;
}

/* Whether a domain has the check that append() makes itself, and no other. */
static bool
json_domain_is_ours(Oid domain)
{
	DomainConstraintState *check;

	InitDomainConstraintRef(domain, &shape.json, shape.context, false);
	shape.json_checks = shape.json.dcc;
	if (list_length(shape.json.constraints) != 1)
		return false;
	check = linitial(shape.json.constraints);
	return check->constrainttype == DOM_CONSTRAINT_CHECK &&
		strcmp(check->name, JSON_CHECK) == 0;
}

static bool
triggers_are_ours(const TriggerDesc *triggers, const char *project_trigger)
{
	List	   *name = list_make2(makeString("fundes"), makeString(pstrdup(project_trigger)));
	Oid			function = LookupFuncName(name, 0, NULL, true);
	int			projectors = 0;
	int			i;

	for (i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!TRIGGER_FOR_INSERT(trigger->tgtype))
			continue;
		if (trigger->tgfoid != function || TRIGGER_FOR_ROW(trigger->tgtype) ||
			!TRIGGER_FOR_AFTER(trigger->tgtype) ||
			trigger->tgenabled != TRIGGER_FIRES_ALWAYS || trigger->tgqual != NULL)
			return false;
		projectors++;
	}
	return projectors == 1;
}

/* Whether an index has entries only of events whose id was given. */
static bool
is_of_given_ids(Relation index)
{
	List	   *predicate = RelationGetIndexPredicate(index);
	NullTest   *test;

	if (list_length(predicate) != 1 || !IsA(linitial(predicate), NullTest))
		return false;
	test = linitial(predicate);
	return test->nulltesttype == IS_NOT_NULL && IsA(test->arg, Var) &&
		((Var *) test->arg)->varattno == EVENT_EVENT_ID;
}

static bool
is_not_builtin(Oid function, void *context)
{
	return function >= FirstNormalObjectId;
}

static bool
calls_other_functions(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return check_functions_in_node(node, is_not_builtin, NULL) ||
		expression_tree_walker(node, calls_other_functions, NULL);
}

static bool
index_is_ours(Relation index)
{
	Form_pg_index form = index->rd_index;
	KnownIndex *known = &shape.indexes[shape.nindexes];

	if (index->rd_rel->relam != BTREE_AM_OID || form->indisexclusion ||
		(form->indisunique && !form->indimmediate))
		return false;
	if (shape.nindexes == MAX_INDEXES)
		return false;
	known->oid = RelationGetRelid(index);
	known->info = BuildIndexInfo(index);
	known->given_only = is_of_given_ids(index) && known->info->ii_Expressions == NIL;
	known->computed = !known->given_only &&
		(known->info->ii_Expressions != NIL || known->info->ii_Predicate != NIL);
	if (calls_other_functions((Node *) known->info->ii_Expressions, NULL) ||
		calls_other_functions((Node *) known->info->ii_Predicate, NULL))
		return false;
	shape.nindexes++;
	return true;
}

static bool
indexes_are_ours(Relation table)
{
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(table))
	{
		Relation	index = index_open(lfirst_oid(cell), RowExclusiveLock);
		bool		ours = index_is_ours(index);

		index_close(index, NoLock);
		if (!ours)
			return false;
	}
	return true;
}

/* The first columns as a description of their own. */
static TupleDesc
first_columns(TupleDesc desc, int natts)
{
	TupleDesc	result = CreateTemplateTupleDesc(natts);
	int			i;

	for (i = 1; i <= natts; i++)
		TupleDescCopyEntry(result, i, desc, i);
	return result;
}

static void
look_at(Relation table, const char *project_trigger)
{
	static bool registered = false;
	Form_pg_class form = table->rd_rel;
	TupleDesc	desc = RelationGetDescr(table);
	uint64		before;
	MemoryContext old;
	int			i;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
		registered = true;
	}
	if (shape.context != NULL)
		MemoryContextDelete(shape.context);
	memset(&shape, 0, sizeof(shape));
	shape.table = RelationGetRelid(table);
	shape.context = AllocSetContextCreate(TopMemoryContext, "fundes log table",
										  ALLOCSET_SMALL_SIZES);

	before = messages;
	old = MemoryContextSwitchTo(shape.context);
	shape.ours = form->relkind == RELKIND_RELATION &&
		form->relpersistence == RELPERSISTENCE_PERMANENT &&
		form->relam == HEAP_TABLE_AM_OID &&
		!form->relispartition && !form->relhassubclass &&
		!form->relhasrules && !form->relrowsecurity &&
		columns_are_ours(desc) &&
		json_domain_is_ours(TupleDescAttr(desc, EVENT_PAYLOAD - 1)->atttypid) &&
		triggers_are_ours(table->trigdesc, project_trigger) &&
		indexes_are_ours(table) &&
		pg_class_aclcheck(shape.table, GetUserId(), ACL_INSERT) == ACLCHECK_OK;
	if (shape.ours)
		for (i = FULL_COLUMNS; i <= EVENT_COLUMNS; i++)
			shape.descs[i] = first_columns(desc, i);
	MemoryContextSwitchTo(old);
	shape.current = messages == before;
}

static bool
is_ours(Relation table, const char *project_trigger)
{
	if (shape.current && shape.ours)
	{
		UpdateDomainConstraintRef(&shape.json);
		if (shape.json.dcc != shape.json_checks)
			shape.current = false;
	}
	if (!shape.current || shape.table != RelationGetRelid(table))
		look_at(table, project_trigger);
	return shape.ours;
}

/*
 * Writing
 */

static void
event_values(const NewEvent *event, Datum *values)
{
	values[EVENT_POSITION - 1] = Int64GetDatum(event->position);
	values[EVENT_STREAM_ID - 1] = Int64GetDatum(event->stream_id);
	values[EVENT_VERSION - 1] = Int64GetDatum(event->version);
	values[EVENT_EFFECTIVE_AT - 1] = TimestampTzGetDatum(event->effective_at);
	values[EVENT_RECORDED_AT - 1] = TimestampTzGetDatum(event->recorded_at);
	values[EVENT_TYPE_ID - 1] = Int32GetDatum(event->event_type.type_id);
	values[EVENT_PAYLOAD - 1] = JsonbPGetDatum(event->payload);
	values[EVENT_EVENT_ID - 1] = UUIDPGetDatum(&event->event_id);
	values[EVENT_METADATA - 1] = PointerGetDatum(event->metadata);
}

static void
event_nulls(const NewEvent *event, bool *nulls)
{
	memset(nulls, 0, sizeof(bool) * EVENT_COLUMNS);
	nulls[EVENT_EVENT_ID - 1] = !event->id_given;
	nulls[EVENT_METADATA - 1] = event->metadata == NULL;
}

static HeapTuple
event_tuple(const NewEvent *event)
{
	Datum		values[EVENT_COLUMNS];
	bool		nulls[EVENT_COLUMNS];
	int			natts = EVENT_COLUMNS;

	event_values(event, values);
	event_nulls(event, nulls);
	while (nulls[natts - 1])
		natts--;
	return heap_form_tuple(shape.descs[natts], values, nulls);
}

static void
insert_index_entry(Relation table, Relation index, IndexInfo *info,
				   const NewEvent *event, ItemPointer tid)
{
	Datum		row[EVENT_COLUMNS];
	bool		row_nulls[EVENT_COLUMNS];
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	int			i;

	event_values(event, row);
	event_nulls(event, row_nulls);
	for (i = 0; i < info->ii_NumIndexAttrs; i++)
	{
		int			column = info->ii_IndexAttrNumbers[i] - 1;

		values[i] = row[column];
		nulls[i] = row_nulls[column];
	}
	(void) index_insert(index, values, nulls, tid, table,
						index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
						false, info);
}

/*
 * An id that another session has brought since it was looked for is UF008, not
 * a violation of an index.  Nothing goes on from here but the error.
 */
static void
insert_id_entry(Relation table, Relation index, IndexInfo *info,
				const NewEvent *event, ItemPointer tid)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		insert_index_entry(table, index, info, event, tid);
	}
	PG_CATCH();
	{
		if (geterrcode() != ERRCODE_UNIQUE_VIOLATION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		event_id_reused(&event->event_id, "stream");
	}
	PG_END_TRY();
}

/* As the executor does; which is less than a statement, but not little. */
static void
insert_computed_entries(Relation table, Relation index, IndexInfo *info,
						const NewEvent *events, int nevents, ItemPointer tids)
{
	EState	   *estate = CreateExecutorState();
	ExprContext *econtext = GetPerTupleExprContext(estate);
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
	ExprState  *predicate;
	int			i;

	/* what an earlier call, or one that failed, has left */
	info->ii_ExpressionsState = NIL;
	predicate = ExecPrepareQual(info->ii_Predicate, estate);
	econtext->ecxt_scantuple = slot;
	for (i = 0; i < nevents; i++)
	{
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS];

		ResetExprContext(econtext);
		ExecClearTuple(slot);
		event_values(&events[i], slot->tts_values);
		event_nulls(&events[i], slot->tts_isnull);
		ExecStoreVirtualTuple(slot);
		if (!ExecQual(predicate, econtext))
			continue;
		FormIndexDatum(info, slot, estate, values, nulls);
		(void) index_insert(index, values, nulls, &tids[i], table,
							index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
							false, info);
	}
	info->ii_ExpressionsState = NIL;
	MemoryContextSwitchTo(old);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

static void
insert_index_entries(Relation table, Relation index, const KnownIndex *known,
					 const NewEvent *events, int nevents, ItemPointer tids)
{
	int			i;

	if (known->computed)
	{
		insert_computed_entries(table, index, known->info, events, nevents, tids);
		return;
	}
	for (i = 0; i < nevents; i++)
	{
		if (!known->given_only)
			insert_index_entry(table, index, known->info, &events[i], &tids[i]);
		else if (events[i].id_given)
			insert_id_entry(table, index, known->info, &events[i], &tids[i]);
	}
}

/* Gives some events to the table, and sets where each of them is. */
static void
insert_chunk(Relation table, const NewEvent *events, int nevents,
			 TupleTableSlot **slots, ItemPointer tids)
{
	CommandId	command = GetCurrentCommandId(true);
	HeapTuple	tuples[CHUNK];
	int			i;

	for (i = 0; i < nevents; i++)
		tuples[i] = event_tuple(&events[i]);
	if (nevents == 1)
	{
		heap_insert(table, tuples[0], command, 0, NULL);
		tids[0] = tuples[0]->t_self;
	}
	else
	{
		for (i = 0; i < nevents; i++)
		{
			if (slots[i] == NULL)
				slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsHeapTuple);
			ExecStoreHeapTuple(tuples[i], slots[i], false);
		}
		heap_multi_insert(table, slots, nevents, command, 0, NULL);
		for (i = 0; i < nevents; i++)
		{
			tids[i] = slots[i]->tts_tid;
			ExecClearTuple(slots[i]);
		}
	}
	for (i = 0; i < nevents; i++)
		heap_freetuple(tuples[i]);
}

/* NULL where an index gets no entry of these events. */
static Relation
open_index(OpenLog *log, const KnownIndex *known, bool any_given)
{
	if (log->versions != NULL && known->oid == RelationGetRelid(log->versions))
		return log->versions;
	return known->given_only && !any_given ? NULL : index_open(known->oid, RowExclusiveLock);
}

static void
insert_events(OpenLog *log, const NewEvent *events, int nevents)
{
	Relation	table = log_table(log);
	Relation	indexes[MAX_INDEXES];
	TupleTableSlot *slots[CHUNK] = {NULL};
	ItemPointerData tids[CHUNK];
	bool		any_given = false;
	int			done;
	int			i;

	for (i = 0; i < nevents && !any_given; i++)
		any_given = events[i].id_given;
	for (i = 0; i < shape.nindexes; i++)
		indexes[i] = open_index(log, &shape.indexes[i], any_given);
	for (done = 0; done < nevents; done += CHUNK)
	{
		const NewEvent *chunk = &events[done];
		int			n = Min(nevents - done, CHUNK);

		CHECK_FOR_INTERRUPTS();
		insert_chunk(table, chunk, n, slots, tids);
		for (i = 0; i < shape.nindexes; i++)
		{
			/* CREATE INDEX CONCURRENTLY says when entries are to be made */
			if (indexes[i] != NULL && indexes[i]->rd_index->indisready)
				insert_index_entries(table, indexes[i], &shape.indexes[i],
									 chunk, n, tids);
		}
	}
	for (i = 0; i < shape.nindexes; i++)
		if (indexes[i] != NULL && indexes[i] != log->versions)
			index_close(indexes[i], NoLock);
	for (i = 0; i < CHUNK && slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
}

bool
direct_insert(OpenLog *log, const NewEvent *events, int nevents, const char *project_trigger)
{
	if (!is_ours(log_table(log), project_trigger))
		return false;
	PreventCommandIfReadOnly("an append");
	PreventCommandIfParallelMode("an append");
	insert_events(log, events, nevents);

	/* as after a statement: what comes next sees the events */
	CommandCounterIncrement();
	return true;
}
