/*-------------------------------------------------------------------------
 *
 * append.h
 *	  Appending to the log: the event store's interface in C.
 *
 *	  Words: an event goes to a stream and gets the stream's next version and
 *	  the log's next position.  An expectation says what version a stream must
 *	  have before the call.  A replay is a call whose event ids are all in the
 *	  log already; it writes nothing and returns what the first call returned.
 *
 *	  A layer above the store may reserve categories of streams and check what
 *	  goes there; it registers an AppendModule.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_APPEND_H
#define FUNDES_APPEND_H

#include "store/event_id.h"
#include "store/log.h"
#include "utils/jsonb.h"

/* What a stream's version may be expected to be, besides 0 and above. */
#define EXPECT_ANY		PG_INT64_MIN
#define EXPECT_EXISTS	INT64CONST(-4)

typedef struct NewEvent
{
	const char *stream;
	const char *type;
	Jsonb	   *payload;
	Jsonb	   *metadata;		/* or NULL */
	TimestampTz effective_at;	/* now() where not given */
	bool		effective_given;
	bool		id_given;
	pg_uuid_t	event_id;		/* set where not given */
	bool		fits;			/* its type and stream, so that neither is checked */

	/* set by append_events() */
	bool		type_checked;
	EventType	event_type;
	int64		stream_id;
	int64		version;
	int64		position;
	TimestampTz recorded_at;
} NewEvent;

typedef struct Expectation
{
	const char *stream;
	int64		version;
} Expectation;

typedef struct AppendModule
{
	/* whether a category is the module's */
	bool		(*reserves) (const char *category, int len);

	/*
	 * Before streams are locked: locks what the module's streams stand for.
	 * Returns what it has read of that, or NULL; release() lets go of it.
	 */
	void	   *(*lock) (const NewEvent *events, int nevents,
						 const Expectation *expectations, int nexpectations);
	void		(*release) (void *known);

	/* whether what this transaction holds keeps all others off a stream */
	bool		(*guards) (const char *stream);

	/* a locked stream's id and the version of its last event, where known */
	bool		(*find_stream) (void *known, const char *stream, int64 *id, int64 *version);

	/* after the payload's type: whether it belongs into its stream */
	void		(*check) (const NewEvent *event);

	/*
	 * What is done with events that were written, in the order of positions;
	 * and the trigger function of schema fundes, of an AFTER INSERT statement
	 * trigger of the log, that does the same where a statement wrote them.
	 */
	void		(*project) (const NewEvent *events, int nevents, void *known);
	const char *project_trigger;
} AppendModule;

extern void append_init(const AppendModule *module);

/*
 * A trigger of others runs before the module's one has come to the events: what
 * the module keeps is behind the log.  The latter says when it comes to them.
 */
extern bool append_awaits_projection(void);
extern void append_projected(void);

/*
 * The first lock of whoever appends, before all of its own; nstreams is how
 * many streams it will append to.
 */
extern void append_begin(int nstreams);

/*
 * Nobody else appends anything until the transaction ends; whether this one has
 * seen to that, so that no lock of what it appends to is needed.
 */
extern void append_lock_all(void);
extern bool append_locked_all(void);

/*
 * Appends all events or raises an error.  Returns whether it was a replay.
 * The caller has called owner_enter(), checked the arguments, called
 * append_begin() and locked what it decided about.  known: what it has read of
 * that, as lock() returns it.
 */
extern bool append_events(NewEvent *events, int nevents,
						  const Expectation *expectations, int nexpectations,
						  void *known);

/*
 * The same for events that come from outside: the locks are the module's, and
 * type and category must go together (22023).
 */
extern bool append_outside_events(NewEvent *events, int nevents,
								  const Expectation *expectations, int nexpectations);

/* Checks of arguments, for all that appends. */
extern int64 checked_expected_version(int64 version);
extern Jsonb *checked_json_object(Jsonb *value, const char *name);
extern void check_event_size(const Jsonb *payload, const Jsonb *metadata);

/* Nobody else appends to a stream until the transaction ends. */
extern void append_lock(const char *stream);

/* Locks a stream and raises UF021 unless it has the version. */
extern void append_expect(const char *stream, int64 version);

/* Raises UF008. */
pg_noreturn extern void event_id_reused(const pg_uuid_t *id, const char *field);

#endif							/* FUNDES_APPEND_H */
