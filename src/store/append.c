/*-------------------------------------------------------------------------
 *
 * append.c
 *	  Appending to the log, see append.h.
 *
 *	  The order of the rules: replay, payload fits its type and its stream,
 *	  expectations, write.  They run under the locks of all streams that the call
 *	  names, there or not yet, taken in ascending order of their keys; so the
 *	  versions that are found stay true until the transaction ends, and two calls
 *	  over the same streams cannot deadlock each other.  Where a lock of the module's
 *	  keeps all others off a stream, it needs none of its own.  Only whether a payload
 *	  fits its type depends on nothing that the locks guard: where nothing can be
 *	  a replay, which comes first, it is found out before, so that nobody waits.
 *
 *	  A call over more than MAX_STREAM_LOCKS streams, or a transaction that comes
 *	  to very many in several calls, takes one lock that stands for all streams,
 *	  which every other call shares, so that the lock table does not run out.
 *
 *	  Two sessions that bring the same event id at the same time meet at the
 *	  stream's lock where the stream is the same: the later one finds a replay.
 *	  Where the streams differ, the later one waits in the unique index of the
 *	  given ids, and its insert skips the row; then the id is known in another
 *	  stream, which is UF008.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/xact.h"
#include "args.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "json.h"
#include "lib/stringinfo.h"
#include "locks.h"
#include "miscadmin.h"
#include "owner.h"
#include "plan.h"
#include "store/append.h"
#include "store/append_write.h"
#include "store/payload_type.h"
#include "store/watermark.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "writer.h"

#define MAX_STREAM_LOCKS 64		/* of one call */

/* Of one transaction, with those of the module: some of the room that others leave. */
#define MAX_TRANSACTION_LOCKS (16 * max_locks_per_xact)

typedef struct Stream
{
	uint64		key;			/* of its lock */
	const char *name;
	int64		expected;
	bool		written;		/* or only checked */
	int64		id;				/* 0: not there yet */
	int64		version;		/* of its last event */
} Stream;

static const AppendModule *append_module = NULL;

/*
 * Whether the transaction has taken the lock of all streams alone, which spares
 * most calls to ask the lock manager.  ROLLBACK TO SAVEPOINT may have released it.
 */
static bool locked_all = false;

static void
forget_locks(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		return;
	locks_forget();
	locked_all = false;
}

void
append_init(const AppendModule *module)
{
	append_module = module;
	RegisterXactCallback(forget_locks, NULL);
}

/*
 * Arguments
 */

int64
checked_expected_version(int64 version)
{
	if (version < 0 && version != EXPECT_EXISTS)
		invalid_argument("invalid expected version",
						 psprintf("It is " INT64_FORMAT ".", version),
						 "NULL expects nothing, 0 an empty stream, n > 0 exactly version n, -4 a stream that is not empty.");
	return version;
}

Jsonb *
checked_json_object(Jsonb *value, const char *name)
{
	if (!JB_ROOT_IS_OBJECT(value))
		invalid_argument(psprintf("%s must be a JSON object", name),
						 psprintf("It is %s.", JB_ROOT_IS_SCALAR(value) ? "a scalar" : "an array"),
						 "Write it as {\"key\": value}.");
	return value;
}

void
check_event_size(const Jsonb *payload, const Jsonb *metadata)
{
	Size		size = VARSIZE(payload);

	if (metadata != NULL)
		size += VARSIZE(metadata);
	if (size > fundes_max_event_size)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("event is too large"),
				 errdetail("Payload and metadata have %zu bytes, the limit is %d.",
						   size, fundes_max_event_size),
				 errhint("Keep large content elsewhere and refer to it, or raise fundes.max_event_size.")));
}

/*
 * Streams
 */

static int
compare_streams(const void *a, const void *b)
{
	const Stream *x = a;
	const Stream *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void
set_stream(Stream *stream, const char *name, int64 expected, bool written)
{
	stream->name = name;
	stream->key = lock_key(name, strlen(name));
	stream->expected = expected;
	stream->written = written;
	stream->id = 0;
	stream->version = 0;
}

/* The distinct streams of a call, in the order of their locks. */
static Stream *
collect_streams(const NewEvent *events, int nevents,
				const Expectation *expectations, int nexpectations,
				int *count)
{
	Size		n = add_size(nevents, nexpectations);
	Stream	   *streams = palloc(mul_size(Max(n, 1), sizeof(Stream)));
	int			kept = 0;
	int			i;

	for (i = 0; i < nevents; i++)
		set_stream(&streams[i], events[i].stream, EXPECT_ANY, true);
	for (i = 0; i < nexpectations; i++)
		set_stream(&streams[nevents + i], expectations[i].stream,
				   expectations[i].version, false);
	if (n > 1)
		qsort(streams, n, sizeof(Stream), compare_streams);

	for (i = 0; i < n; i++)
	{
		if (kept > 0 && compare_streams(&streams[kept - 1], &streams[i]) == 0)
		{
			streams[kept - 1].written |= streams[i].written;
			if (streams[i].expected != EXPECT_ANY)
				streams[kept - 1].expected = streams[i].expected;
		}
		else
			streams[kept++] = streams[i];
	}
	*count = kept;
	return streams;
}

static Stream *
stream_of(Stream *streams, int count, const char *name)
{
	Stream		sought;

	if (count == 1)
		return streams;
	set_stream(&sought, name, EXPECT_ANY, false);
	return bsearch(&sought, streams, count, sizeof(Stream), compare_streams);
}

void
append_lock_all(void)
{
	PreventCommandDuringRecovery("an append to so many streams");
	(void) lock_acquire(LOCK_ALL_STREAMS, 0, LOCK_EXCLUSIVE);
	locked_all = true;
}

bool
append_locked_all(void)
{
	return locked_all && lock_held(LOCK_ALL_STREAMS, 0, LOCK_EXCLUSIVE);
}

void
append_begin(int nstreams)
{
	bool		all = nstreams > MAX_STREAM_LOCKS ||
		locks_taken() + nstreams > MAX_TRANSACTION_LOCKS;

	if (append_locked_all())
		return;
	if (all)
		append_lock_all();
	else
		(void) lock_acquire(LOCK_ALL_STREAMS, 0, LOCK_SHARED);
}

static void
lock_streams(const Stream *streams, int count)
{
	int			i;

	if (append_locked_all())
		return;
	for (i = 0; i < count; i++)
		if (!append_module->guards(streams[i].name))
			(void) lock_acquire(LOCK_STREAM, streams[i].key, LOCK_EXCLUSIVE);
}

static void
find_streams(OpenLog *log, Stream *streams, int count, void *known)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (known != NULL &&
			append_module->find_stream(known, streams[i].name, &streams[i].id, &streams[i].version))
			continue;
		streams[i].id = log_stream_id(streams[i].name);
		if (streams[i].id != 0)
			streams[i].version = log_stream_version(log, streams[i].id);
	}
}

static void
create_missing_streams(Stream *streams, int count)
{
	static const bool nulls[STREAM_COLUMNS] = {false, false};
	Owner		owner;
	EState	   *estate;
	Writer		writer;
	Oid			serial;
	int			i = 0;

	while (i < count && (streams[i].id != 0 || !streams[i].written))
		i++;
	if (i == count)
		return;
	PreventCommandIfReadOnly("an append");
	owner_begin(&owner);
	estate = CreateExecutorState();
	writer_begin(&writer, estate, fundes_relation("stream"), STREAM_COLUMNS, false);
	serial = fundes_relation("stream_serial");
	for (; i < count; i++)
	{
		const char *name = streams[i].name;
		Datum	   *values;

		if (streams[i].id != 0 || !streams[i].written)
			continue;
		streams[i].id = category_key(name, category_length(name)) << STREAM_SERIAL_BITS |
			nextval_internal(serial, false);
		values = palloc(sizeof(Datum) * STREAM_COLUMNS);
		values[STREAM_ID - 1] = Int64GetDatum(streams[i].id);
		values[STREAM_NAME - 1] = CStringGetTextDatum(name);
		writer_collect(&writer, values, nulls);
	}
	writer_insert_collected(&writer);
	writer_end(&writer);
	FreeExecutorState(estate);
	owner_end(&owner);
}

/*
 * Event types
 */

static int
compare_names_by_key(const void *a, const void *b)
{
	const char *x = *(const char *const *) a;
	const char *y = *(const char *const *) b;
	uint64		xkey = lock_key(x, strlen(x));
	uint64		ykey = lock_key(y, strlen(y));

	if (xkey != ykey)
		return xkey < ykey ? -1 : 1;
	return strcmp(x, y);
}

static void
find_types(NewEvent *events, int nevents)
{
	int			i;

	for (i = 0; i < nevents; i++)
	{
		if (events[i].event_type.type_id != 0)
			continue;
		/* runs of one type are the rule */
		if (i > 0 && strcmp(events[i].type, events[i - 1].type) == 0)
			events[i].event_type = events[i - 1].event_type;
		else
			events[i].event_type = log_event_type(events[i].type);
	}
}

static bool
is_builtin(const NewEvent *event)
{
	return event->event_type.type_id > 0 &&
		event->event_type.type_id < FIRST_USER_TYPE_ID;
}

/*
 * Reserved categories take the module's types only, and those types only
 * reserved categories.
 */
static void
check_reserved(NewEvent *events, int nevents)
{
	int			i;

	find_types(events, nevents);
	for (i = 0; i < nevents; i++)
	{
		const char *stream = events[i].stream;
		bool		reserved = append_module->reserves(stream, category_length(stream));

		if (reserved == is_builtin(&events[i]))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event type %s does not go to stream \"%s\"",
						events[i].type, stream),
				 reserved ?
				 errdetail("The category \"%.*s\" takes built-in event types only.",
						   category_length(stream), stream) :
				 errdetail("Built-in event types go to the categories that fundes reserves only."),
				 reserved ?
				 errhint("Choose another category for your own event types.") :
				 errhint("Choose another name for the events of your own streams.")));
	}
}

/* Enters types that are used for the first time. */
static void
create_missing_types(NewEvent *events, int nevents)
{
	static KeptPlan insert = PLAN("insert into fundes.event_type (name) values ($1)", TEXTOID);
	const char **names = palloc(sizeof(char *) * Max(nevents, 1));
	Owner		owner;
	int			n = 0;
	int			i;

	for (i = 0; i < nevents; i++)
		if (events[i].event_type.type_id == 0)
			names[n++] = events[i].type;
	if (n == 0)
		return;
	owner_begin(&owner);
	qsort(names, n, sizeof(char *), compare_names_by_key);
	for (i = 0; i < n; i++)
	{
		Datum		name;

		if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
			continue;
		(void) lock_acquire(LOCK_TYPE, lock_key(names[i], strlen(names[i])),
							LOCK_EXCLUSIVE);
		if (log_event_type(names[i]).type_id != 0)
			continue;
		name = CStringGetTextDatum(names[i]);
		(void) plan_write(&insert, &name, NULL);
	}
	owner_end(&owner);
	find_types(events, nevents);
}

/*
 * Replay
 */

static bool
any_id_given(const NewEvent *events, int nevents)
{
	int			i;

	for (i = 0; i < nevents; i++)
		if (events[i].id_given)
			return true;
	return false;
}

void
event_id_reused(const pg_uuid_t *id, const char *field)
{
	ereport(ERROR,
			(errcode(ERRCODE_EVENT_ID_REUSED),
			 errmsg("event id is in the log with other content"),
			 errdetail("{\"event_id\": \"%s\", \"field\": \"%s\"}",
					   event_id_text(id), field),
			 errhint("Repeat a call unchanged to get its first result; for something new give a new event_id.")));
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(*(pg_uuid_t *const *) a, *(pg_uuid_t *const *) b, UUID_LEN);
}

/* The same id twice in one call is an error. */
static void
check_ids_distinct(NewEvent *events, int nevents)
{
	pg_uuid_t **ids;
	int			n = 0;
	int			i;

	if (nevents == 1)
		return;
	ids = palloc(sizeof(pg_uuid_t *) * nevents);
	for (i = 0; i < nevents; i++)
		if (events[i].id_given)
			ids[n++] = &events[i].event_id;
	qsort(ids, n, sizeof(pg_uuid_t *), compare_ids);
	for (i = 1; i < n; i++)
		if (event_id_equal(ids[i], ids[i - 1]))
			event_id_reused(ids[i], "known");
	pfree(ids);
}

/* The field in which an event differs from the stored one, or NULL. */
static const char *
difference(const NewEvent *event, const Stream *stream, const StoredEvent *stored)
{
	if (stored->stream_id != stream->id)
		return "stream";
	if (stored->type_id != event->event_type.type_id)
		return "type";
	if (compareJsonbContainers(&stored->payload->root, &event->payload->root) != 0)
		return "payload";
	if (event->effective_given && stored->effective_at != event->effective_at)
		return "effective_at";
	return NULL;
}

/*
 * Whether all events of the call are in the log already, as they are and in
 * this order; then sets their versions and positions.
 */
static bool
is_replay(NewEvent *events, int nevents, Stream *streams, int nstreams)
{
	const pg_uuid_t *known = NULL;
	bool		all_known = true;
	int64		last_position = 0;
	int			i;

	for (i = 0; i < nevents; i++)
	{
		NewEvent   *event = &events[i];
		StoredEvent stored;
		const char *field;

		CHECK_FOR_INTERRUPTS();
		if (!event->id_given || !log_find_event(&event->event_id, &stored))
		{
			all_known = false;
			continue;
		}
		field = difference(event, stream_of(streams, nstreams, event->stream), &stored);
		if (field == NULL && stored.position <= last_position)
			field = "order";
		if (field != NULL)
			event_id_reused(&event->event_id, field);
		if (known == NULL)
			known = &event->event_id;
		event->version = stored.version;
		event->position = last_position = stored.position;
		pfree(stored.payload);
	}
	if (known != NULL && !all_known)
		event_id_reused(known, "known");
	return known != NULL;
}

/*
 * Expectations
 */

static bool
expectation_met(const Stream *stream)
{
	if (stream->expected == EXPECT_ANY)
		return true;
	if (stream->expected == EXPECT_EXISTS)
		return stream->version > 0;
	return stream->version == stream->expected;
}

static void
check_expectations(const Stream *streams, int count)
{
	StringInfoData missed;
	int			nmissed = 0;
	bool		overtaken = false;
	int			i;

	for (i = 0; i < count; i++)
	{
		if (expectation_met(&streams[i]))
			continue;
		if (streams[i].expected >= 0 && streams[i].version > streams[i].expected)
			overtaken = true;
		if (nmissed++ == 0)
			initStringInfo(&missed);
		appendStringInfoString(&missed, nmissed == 1 ? "[{\"stream\": " : ", {\"stream\": ");
		escape_json(&missed, streams[i].name);
		appendStringInfo(&missed, ", \"expected\": " INT64_FORMAT ", \"actual\": " INT64_FORMAT "}",
						 streams[i].expected, streams[i].version);
	}
	if (nmissed > 0)
	{
		appendStringInfoChar(&missed, ']');
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_EXPECTED_VERSION),
				 errmsg("wrong expected version"),
				 errdetail("%s", missed.data),
				 overtaken ?
				 errhint("Somebody else appended meanwhile: read the stream again, decide again.") :
				 errhint("The stream has not come so far: look for a mistake in its name or in the version.")));
	}
}

void
append_lock(const char *stream)
{
	Stream		s;

	set_stream(&s, stream, EXPECT_ANY, false);
	lock_streams(&s, 1);
}

void
append_expect(const char *stream, int64 version)
{
	OpenLog		log = {NULL};
	Stream		s;

	set_stream(&s, stream, version, false);
	lock_streams(&s, 1);
	find_streams(&log, &s, 1, NULL);
	log_close(&log);
	check_expectations(&s, 1);
}

/*
 * Payloads
 */

/*
 * Checks of types may be anybody's code: it runs with a safe search_path.  Those
 * of built-in types call the server's functions only.
 */
static void
check_types(NewEvent *events, int nevents)
{
	int			guc_level = 0;
	int			i;

	for (i = 0; i < nevents; i++)
	{
		if (events[i].fits || events[i].type_checked)
			continue;
		if (OidIsValid(events[i].event_type.payload_type))
		{
			if (guc_level == 0 && !is_builtin(&events[i]))
				guc_level = enter_safe_search_path();
			payload_check(events[i].event_type.payload_type, events[i].type,
						  events[i].payload);
		}
		/* a type that is not there yet may be defined meanwhile */
		events[i].type_checked = events[i].event_type.type_id != 0;
	}
	if (guc_level > 0)
		AtEOXact_GUC(true, guc_level);
}

static void
check_payloads(NewEvent *events, int nevents)
{
	int			i;

	check_types(events, nevents);
	for (i = 0; i < nevents; i++)
		if (!events[i].fits && is_builtin(&events[i]))
			append_module->check(&events[i]);
}

/*
 * Places
 */

static void
assign_places(NewEvent *events, int nevents, Stream *streams, int nstreams,
			  TimestampTz recorded_at)
{
	Oid			sequence = fundes_relation("event_position");
	int			i;

	mark_append_in_progress(sequence);
	for (i = 0; i < nevents; i++)
	{
		NewEvent   *event = &events[i];
		Stream	   *stream = stream_of(streams, nstreams, event->stream);

		CHECK_FOR_INTERRUPTS();
		event->stream_id = stream->id;
		event->version = ++stream->version;
		event->recorded_at = recorded_at;
		event->position = next_position(sequence);
		if (!event->id_given)
			event_id_make(&event->event_id, recorded_at, event->position);
	}
}

/* The rules, once the streams are collected and all other locks are taken. */
static bool
append_to_streams(OpenLog *log, NewEvent *events, int nevents,
				  Stream *streams, int nstreams, void *known)
{
	bool		any_id = any_id_given(events, nevents);
	TimestampTz recorded_at;

	lock_streams(streams, nstreams);
	recorded_at = GetCurrentTimestamp();
	find_streams(log, streams, nstreams, known);
	find_types(events, nevents);

	if (any_id)
		check_ids_distinct(events, nevents);
	if (any_id && is_replay(events, nevents, streams, nstreams))
		return true;
	check_payloads(events, nevents);
	check_expectations(streams, nstreams);
	if (nevents == 0)
		return false;

	create_missing_streams(streams, nstreams);
	create_missing_types(events, nevents);
	check_types(events, nevents);
	assign_places(events, nevents, streams, nstreams, recorded_at);
	append_write(log, events, nevents, append_module, known);
	return false;
}

bool
append_events(NewEvent *events, int nevents,
			  const Expectation *expectations, int nexpectations, void *known)
{
	OpenLog		log = {NULL};
	bool		replayed;
	int			nstreams;
	Stream	   *streams = collect_streams(events, nevents, expectations,
										  nexpectations, &nstreams);

	replayed = append_to_streams(&log, events, nevents, streams, nstreams, known);
	log_close(&log);
	return replayed;
}

bool
append_outside_events(NewEvent *events, int nevents,
					  const Expectation *expectations, int nexpectations)
{
	OpenLog		log = {NULL};
	void	   *known;
	bool		replayed;
	int			nstreams;
	Stream	   *streams = collect_streams(events, nevents, expectations,
										  nexpectations, &nstreams);

	check_reserved(events, nevents);
	if (!any_id_given(events, nevents))
		check_types(events, nevents);
	append_begin(nstreams);
	known = append_module->lock(events, nevents, expectations, nexpectations);
	replayed = append_to_streams(&log, events, nevents, streams, nstreams, known);
	log_close(&log);
	if (known != NULL)
		append_module->release(known);
	return replayed;
}
