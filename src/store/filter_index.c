/*-------------------------------------------------------------------------
 *
 * filter_index.c
 *	  Indexes of the log for filters that match rarely, see filter_index.h,
 *	  and fundes.create_filter_index(), which makes them.
 *
 *	  A dump does not take along indexes that somebody made on a table of an
 *	  extension.  So the wish is a row of fundes.filter_index, which a dump
 *	  does take along, and a trigger there makes the index: for the function
 *	  and for a restore alike.
 *
 *	  The correlation id is indexed by its hash: a long one would not fit an
 *	  index entry, and an append must not fail for what its metadata say.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/htup_details.h"
#include "args.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "owner.h"
#include "plan.h"
#include "store/filter_index.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

typedef struct FilterIndex
{
	const char *what;			/* as callers name it */
	const char *index;
	const char *create;
} FilterIndex;

static const FilterIndex filter_indexes[] = {
	[FILTER_TYPE] = {
		"type", "event_by_type",
		"create index if not exists event_by_type on fundes.event"
		" (type_id, position)"
	},
	[FILTER_CATEGORY] = {
		"category", "event_by_category",
		"create index if not exists event_by_category on fundes.event"
		" ((stream_id >> 40), position)"
	},
	[FILTER_CORRELATION] = {
		"correlation_id", "event_by_correlation_id",
		"create index if not exists event_by_correlation_id on fundes.event"
		" (pg_catalog.hashtextextended((metadata ->> 'correlation_id') collate \"C\", 0), position)"
		" where metadata ->> 'correlation_id' is not null"
	}
};

Oid
filter_index(FilterIndexKind kind)
{
	Oid			index = get_relname_relid(filter_indexes[kind].index,
										  get_namespace_oid("fundes", false));
	HeapTuple	tuple;
	Form_pg_index form;
	bool		usable;

	if (!OidIsValid(index))
		return InvalidOid;
	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	form = (Form_pg_index) GETSTRUCT(tuple);
	/* CREATE INDEX CONCURRENTLY of the same name may be under way */
	usable = form->indisvalid && form->indrelid == fundes_relation("event");
	ReleaseSysCache(tuple);
	return usable ? index : InvalidOid;
}

static FilterIndexKind
find_kind(const char *what)
{
	int			i;

	for (i = 0; i < lengthof(filter_indexes); i++)
		if (strcmp(filter_indexes[i].what, what) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no filter index for \"%s\"", what),
			 errdetail("Filters are by type, category and correlation_id."),
			 errhint("Give one of 'type', 'category', 'correlation_id'.")));
	return FILTER_TYPE;			/* keep compiler quiet */
}

static void
make_index(FilterIndexKind kind)
{
	if (!OidIsValid(filter_index(kind)))
		(void) plan_once(filter_indexes[kind].create, false);
}

FUNDES_FUNCTION(fundes_create_filter_index);

Datum
fundes_create_filter_index(PG_FUNCTION_ARGS)
{
	static KeptPlan insert = PLAN("insert into fundes.filter_index (what) values ($1)"
							  " on conflict do nothing",
							  TEXTOID);
	FilterIndexKind kind;
	Datum		what;
	Owner		owner;

	REQUIRE_ARG(0, "what");
	what = PG_GETARG_DATUM(0);
	kind = find_kind(TextDatumGetCString(what));
	owner_begin(&owner);
	(void) plan_write(&insert, &what, NULL);
	/* again, where the row is there and somebody dropped the index */
	make_index(kind);
	owner_end(&owner);
	PG_RETURN_VOID();
}

FUNDES_FUNCTION(fundes_make_filter_index);

Datum
fundes_make_filter_index(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Datum		what;
	bool		isnull;
	Owner		owner;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != fundes_relation("filter_index"))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("fundes.make_filter_index() must be called as the trigger of fundes.filter_index")));
	what = heap_getattr(trigger->tg_trigtuple, 1,
						RelationGetDescr(trigger->tg_relation), &isnull);
	owner_begin(&owner);
	make_index(find_kind(TextDatumGetCString(what)));
	owner_end(&owner);
	return PointerGetDatum(NULL);
}
