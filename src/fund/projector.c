/*-------------------------------------------------------------------------
 *
 * projector.c
 *	  The projector: an AFTER INSERT statement trigger on the log that folds
 *	  the statement's events into the projections, in the order of their
 *	  positions.
 *
 *	  It reads nothing but the events and the projection rows that they touch,
 *	  so it does the same whatever path the events took: a command, append, a
 *	  batch, or COPY in a restore.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/xact.h"
#include "catalog/pg_operator.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "fund/fold.h"
#include "fund/projector.h"
#include "fund/streams.h"
#include "locks.h"
#include "miscadmin.h"
#include "owner.h"
#include "store/log.h"
#include "utils/rel.h"
#include "utils/tuplesort.h"

/* So many are worth reading in one go. */
#define MANY_FUNDS 16

static int64
slot_int64(TupleTableSlot *slot, int column)
{
	bool		isnull;

	return DatumGetInt64(slot_getattr(slot, column, &isnull));
}

static int32
slot_type_id(TupleTableSlot *slot)
{
	bool		isnull;

	return DatumGetInt32(slot_getattr(slot, EVENT_TYPE_ID, &isnull));
}

void
fold_slot(FoldRun *run, TupleTableSlot *slot)
{
	FoldEvent	event;
	bool		isnull;

	event.type_id = slot_type_id(slot);
	if (event.type_id >= FIRST_USER_TYPE_ID)
		return;
	event.position = slot_int64(slot, EVENT_POSITION);
	event.stream_id = slot_int64(slot, EVENT_STREAM_ID);
	event.version = slot_int64(slot, EVENT_VERSION);
	event.effective_at = DatumGetTimestampTz(slot_getattr(slot, EVENT_EFFECTIVE_AT, &isnull));
	event.recorded_at = DatumGetTimestampTz(slot_getattr(slot, EVENT_RECORDED_AT, &isnull));
	fold_next(run, &event, slot_getattr(slot, EVENT_PAYLOAD, &isnull));
}

/*
 * Whoever appends has locked the funds.  A COPY has not, and may be about more
 * of them than there is room for locks.
 */
static void
lock_for_copy(void)
{
	if (!append_locked_all() && !lock_held(LOCK_ALL_STREAMS, 0, LOCK_SHARED))
		append_lock_all();
}

/*
 * What the statement brought: whether there is anything for the fold, and
 * whether it is in the order of positions, as all but COPY bring it.
 */
static void
survey(Tuplestorestate *events, TupleTableSlot *slot, bool *any, bool *ordered)
{
	int64		last = 0;

	*any = false;
	*ordered = true;
	while (tuplestore_gettupleslot(events, true, false, slot))
	{
		int64		position = slot_int64(slot, EVENT_POSITION);

		*any |= slot_type_id(slot) < FIRST_USER_TYPE_ID;
		*ordered &= position > last;
		last = position;
	}
	tuplestore_rescan(events);
}

static void
fold_ordered(FoldRun *run, Tuplestorestate *events, TupleTableSlot *slot)
{
	while (tuplestore_gettupleslot(events, true, false, slot))
		fold_slot(run, slot);
}

static void
fold_sorted(FoldRun *run, Tuplestorestate *events, TupleTableSlot *slot)
{
	AttrNumber	column = EVENT_POSITION;
	Oid			operator = Int8LessOperator;
	Oid			collation = InvalidOid;
	bool		nulls_first = false;
	Tuplesortstate *sort;

	sort = tuplesort_begin_heap(slot->tts_tupleDescriptor, 1, &column, &operator,
								&collation, &nulls_first, work_mem, NULL, TUPLESORT_NONE);
	while (tuplestore_gettupleslot(events, true, false, slot))
		if (slot_type_id(slot) < FIRST_USER_TYPE_ID)
			tuplesort_puttupleslot(sort, slot);
	tuplesort_performsort(sort);
	while (tuplesort_gettupleslot(sort, true, false, slot, NULL))
		fold_slot(run, slot);
	ExecClearTuple(slot);
	tuplesort_end(sort);
}

/*
 * Where a batch is about many funds that lie close together, their rows are read
 * in the order of the index, which takes a sixth of looking each of them up.
 */
static void
read_funds(RowSet *rows, const NewEvent *events, int nevents)
{
	int64		first = PG_INT64_MAX;
	int64		last = 0;
	int64		distinct = 0;
	bool	   *named;
	int			i;

	for (i = 0; i < nevents; i++)
	{
		int64		fund_id = fund_of_stream(events[i].stream);

		if (fund_id <= 0)
			continue;
		first = Min(first, fund_id);
		last = Max(last, fund_id);
	}
	if (last < first || last - first >= nevents)
		return;
	named = palloc0(sizeof(bool) * (last - first + 1));
	for (i = 0; i < nevents; i++)
	{
		int64		fund_id = fund_of_stream(events[i].stream);

		if (fund_id <= 0 || named[fund_id - first])
			continue;
		named[fund_id - first] = true;
		distinct++;
	}
	pfree(named);
	if (distinct >= MANY_FUNDS && distinct > (last - first) / 2)
		rows_read_range(rows, TABLE_FUND, first, last);
}

RowSet *
projector_read(const NewEvent *events, int nevents)
{
	RowSet	   *rows;
	int			i;

	if (append_awaits_projection() || IsolationUsesXactSnapshot())
		return NULL;
	for (i = 0; i < nevents; i++)
		if (events[i].event_type.type_id == 0 ||
			events[i].event_type.type_id >= FIRST_USER_TYPE_ID)
			return NULL;
	rows = rows_begin();
	if (nevents >= MANY_FUNDS)
		read_funds(rows, events, nevents);
	return rows;
}

void
project_events(const NewEvent *events, int nevents, void *known)
{
	FoldRun	run;
	Owner		owner;
	int			i = 0;

	while (i < nevents && events[i].event_type.type_id >= FIRST_USER_TYPE_ID)
		i++;
	if (i == nevents)
		return;
	owner_begin(&owner);
	fold_begin(&run, known != NULL ? known : rows_begin());
	for (; i < nevents; i++)
	{
		FoldEvent	event;

		if (events[i].event_type.type_id >= FIRST_USER_TYPE_ID)
			continue;
		event.position = events[i].position;
		event.stream_id = events[i].stream_id;
		event.version = events[i].version;
		event.effective_at = events[i].effective_at;
		event.recorded_at = events[i].recorded_at;
		event.type_id = events[i].event_type.type_id;
		fold_next(&run, &event, JsonbPGetDatum(events[i].payload));
	}
	fold_end(&run);
	if (known == NULL)
		rows_end(run.rows);
	owner_end(&owner);
}

FUNDES_FUNCTION(fundes_project);

Datum
fundes_project(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Tuplestorestate *events;
	TupleTableSlot *slot;
	bool		any;
	bool		ordered;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		trigger->tg_newtable == NULL ||
		RelationGetRelid(trigger->tg_relation) != fundes_relation("event"))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("fundes.project() must be called as an AFTER INSERT trigger of fundes.event for each statement, with the new rows")));
	append_projected();
	events = trigger->tg_newtable;
	slot = MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation),
									&TTSOpsMinimalTuple);
	tuplestore_rescan(events);
	survey(events, slot, &any, &ordered);
	if (any)
	{
		Owner		owner;
		FoldRun	run;

		lock_for_copy();
		owner_begin(&owner);
		fold_begin(&run, rows_begin());
		if (ordered)
			fold_ordered(&run, events, slot);
		else
			fold_sorted(&run, events, slot);
		fold_end(&run);
		rows_end(run.rows);
		owner_end(&owner);
	}
	ExecDropSingleTupleTableSlot(slot);
	return PointerGetDatum(NULL);
}
