/*-------------------------------------------------------------------------
 *
 * append_write.c
 *	  Writing events into the log, see append_write.h.
 *
 *	  There are two ways, which write the same.  The direct one is taken where
 *	  it may be (direct_insert.c); the other is a statement.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/pg_type.h"
#include "owner.h"
#include "plan.h"
#include "store/append_write.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

#define COLUMN_NAMES \
	"position, stream_id, version, effective_at, recorded_at," \
	" type_id, payload, event_id, metadata"
#define INSERT_ONE \
	"insert into fundes.event (" COLUMN_NAMES ")" \
	" values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
#define INSERT_MANY \
	"insert into fundes.event (" COLUMN_NAMES ")" \
	" select e.position, e.stream_id, e.version, e.effective_at, $5," \
	"        e.type_id, e.payload, e.event_id, e.metadata" \
	"   from unnest($1, $2, $3, $4, $6, $7, $8, $9)" \
	"     as e(position, stream_id, version, effective_at," \
	"          type_id, payload, event_id, metadata)"
#define SKIP_KNOWN_IDS " on conflict (event_id) where event_id is not null do nothing"

/* Types of the columns of one row, and of arrays of them. */
#define ONE_TYPES INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, \
	INT4OID, JSONBOID, UUIDOID, JSONBOID
#define MANY_TYPES INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, \
	TIMESTAMPTZARRAYOID, TIMESTAMPTZOID, INT4ARRAYOID, JSONBARRAYOID, \
	UUIDARRAYOID, JSONBARRAYOID

/* Place of a column in the parameters. */
#define PARAM(attribute) ((attribute) - 1)

static uint64
insert_one(const NewEvent *event)
{
	static KeptPlan plain = PLAN(INSERT_ONE, ONE_TYPES);
	static KeptPlan skipping = PLAN(INSERT_ONE SKIP_KNOWN_IDS, ONE_TYPES);
	Datum		values[EVENT_COLUMNS];
	char		nulls[EVENT_COLUMNS];

	memset(nulls, ' ', sizeof(nulls));
	values[PARAM(EVENT_POSITION)] = Int64GetDatum(event->position);
	values[PARAM(EVENT_STREAM_ID)] = Int64GetDatum(event->stream_id);
	values[PARAM(EVENT_VERSION)] = Int64GetDatum(event->version);
	values[PARAM(EVENT_EFFECTIVE_AT)] = TimestampTzGetDatum(event->effective_at);
	values[PARAM(EVENT_RECORDED_AT)] = TimestampTzGetDatum(event->recorded_at);
	values[PARAM(EVENT_TYPE_ID)] = Int32GetDatum(event->event_type.type_id);
	values[PARAM(EVENT_PAYLOAD)] = JsonbPGetDatum(event->payload);
	values[PARAM(EVENT_EVENT_ID)] = UUIDPGetDatum(&event->event_id);
	values[PARAM(EVENT_METADATA)] = PointerGetDatum(event->metadata);
	if (!event->id_given)
		nulls[PARAM(EVENT_EVENT_ID)] = 'n';
	if (event->metadata == NULL)
		nulls[PARAM(EVENT_METADATA)] = 'n';
	return plan_write(event->id_given ? &skipping : &plain, values, nulls);
}

static Datum
array_of(Datum *elements, bool *nulls, int n, Oid type)
{
	int			dims[1];
	int			lbs[1] = {1};
	int16		typlen;
	bool		typbyval;
	char		typalign;

	dims[0] = n;
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(elements, nulls, 1, dims, lbs, type,
											  typlen, typbyval, typalign));
}

static uint64
insert_many(const NewEvent *events, int nevents, bool skip_known)
{
	static const Oid types[EVENT_COLUMNS] = {ONE_TYPES};
	static KeptPlan plain = PLAN(INSERT_MANY, MANY_TYPES);
	static KeptPlan skipping = PLAN(INSERT_MANY SKIP_KNOWN_IDS, MANY_TYPES);
	Datum	   *columns[EVENT_COLUMNS];
	bool	   *nulls[EVENT_COLUMNS] = {NULL};
	Datum		values[EVENT_COLUMNS];
	int			i;

	for (i = 0; i < EVENT_COLUMNS; i++)
		columns[i] = palloc(sizeof(Datum) * nevents);
	nulls[PARAM(EVENT_EVENT_ID)] = palloc(sizeof(bool) * nevents);
	nulls[PARAM(EVENT_METADATA)] = palloc(sizeof(bool) * nevents);
	for (i = 0; i < nevents; i++)
	{
		const NewEvent *event = &events[i];

		columns[PARAM(EVENT_POSITION)][i] = Int64GetDatum(event->position);
		columns[PARAM(EVENT_STREAM_ID)][i] = Int64GetDatum(event->stream_id);
		columns[PARAM(EVENT_VERSION)][i] = Int64GetDatum(event->version);
		columns[PARAM(EVENT_EFFECTIVE_AT)][i] = TimestampTzGetDatum(event->effective_at);
		columns[PARAM(EVENT_TYPE_ID)][i] = Int32GetDatum(event->event_type.type_id);
		columns[PARAM(EVENT_PAYLOAD)][i] = JsonbPGetDatum(event->payload);
		columns[PARAM(EVENT_EVENT_ID)][i] = UUIDPGetDatum(&event->event_id);
		columns[PARAM(EVENT_METADATA)][i] = PointerGetDatum(event->metadata);
		nulls[PARAM(EVENT_EVENT_ID)][i] = !event->id_given;
		nulls[PARAM(EVENT_METADATA)][i] = event->metadata == NULL;
	}
	for (i = 0; i < EVENT_COLUMNS; i++)
	{
		/* one clock reading for all */
		if (i == PARAM(EVENT_RECORDED_AT))
			values[i] = TimestampTzGetDatum(events[0].recorded_at);
		else
			values[i] = array_of(columns[i], nulls[i], nevents, types[i]);
		pfree(columns[i]);
	}
	return plan_write(skip_known ? &skipping : &plain, values, NULL);
}

/* An insert skipped a row: somebody else's event has its id since. */
static void
raise_skipped(const NewEvent *events, int nevents)
{
	int			i;

	for (i = 0; i < nevents; i++)
	{
		StoredEvent stored;

		if (events[i].id_given && log_find_event(&events[i].event_id, &stored) &&
			stored.position != events[i].position)
			event_id_reused(&events[i].event_id, "stream");
	}
	elog(ERROR, "fewer events were written than were asked for");
}

/*
 * Whether the module's trigger has still to come to events that a statement
 * writes; and whether that was so before this statement, of a trigger itself.
 */
static bool projection_awaited = false;
static bool projection_awaited_before = false;

void
append_projected(void)
{
	projection_awaited = projection_awaited_before;
}

bool
append_awaits_projection(void)
{
	return projection_awaited;
}

/* By a statement; raises UF008 where it skipped an event. */
static void
write_by_statement(const NewEvent *events, int nevents)
{
	bool		any_id = false;
	bool		any_builtin = false;
	bool		awaited = projection_awaited;
	bool		awaited_before = projection_awaited_before;
	uint64		written = 0;
	Owner		owner;
	int			i;

	for (i = 0; i < nevents; i++)
	{
		any_id |= events[i].id_given;
		any_builtin |= events[i].event_type.type_id < FIRST_USER_TYPE_ID;
	}
	owner_begin(&owner);
	PG_TRY();
	{
		projection_awaited_before = awaited;
		projection_awaited |= any_builtin;
		written = nevents == 1 ? insert_one(&events[0]) : insert_many(events, nevents, any_id);
	}
	PG_FINALLY();
	{
		projection_awaited = awaited;
		projection_awaited_before = awaited_before;
	}
	PG_END_TRY();
	owner_end(&owner);
	if (written != nevents)
		raise_skipped(events, nevents);
}

/*
 * A version that is taken, though the stream is locked, was one after that of a
 * row of the module's.
 */
pg_noreturn static void
raise_behind(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION || error->constraint_name == NULL ||
		strcmp(error->constraint_name, "event_stream_id_version_key") != 0)
		PG_RE_THROW();
	FlushErrorState();
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the projections are behind the log"),
			 errdetail("They do not have the last event of a stream, as when the trigger that folds events is disabled."),
			 errhint("Enable trigger \"project\" of fundes.event ALWAYS, and call fundes.rebuild_projections().")));
}

void
append_write(OpenLog *log, const NewEvent *events, int nevents,
			 const AppendModule *module, void *known)
{
	MemoryContext context = CurrentMemoryContext;
	bool		directly = false;

	PG_TRY();
	{
		directly = fundes_direct_insert &&
			direct_insert(log, events, nevents, module->project_trigger);
		if (!directly)
			write_by_statement(events, nevents);
	}
	PG_CATCH();
	{
		raise_behind(context);
	}
	PG_END_TRY();
	if (directly)
		module->project(events, nevents, known);
}
