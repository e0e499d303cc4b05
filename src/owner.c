/*-------------------------------------------------------------------------
 *
 * owner.c
 *	  The boundary between callers and the tables, see owner.h.
 *
 *	  Oids of relations and the owner are kept for the backend's life, as each
 *	  call asks for several.  Any change of a row of pg_class or pg_namespace
 *	  under which they could be found, the own transaction's and its abort
 *	  included, makes all of them forgotten.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "owner.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define SAFE_SEARCH_PATH "pg_catalog, pg_temp"

/* A relation is kept in the place that its name gives, which it may lose. */
#define MAX_KNOWN 128

typedef struct KnownRelation
{
	char		name[NAMEDATALEN];
	Oid			oid;
} KnownRelation;

static KnownRelation known[MAX_KNOWN];
static Oid	known_owner = InvalidOid;

/* Counts how often all was forgotten. */
static uint64 forgotten = 0;

static void
forget(Datum arg, int cache, uint32 hash)
{
	memset(known, 0, sizeof(known));
	known_owner = InvalidOid;
	forgotten++;
}

static void
be_told_of_changes(void)
{
	static bool registered = false;

	if (registered)
		return;
	CacheRegisterSyscacheCallback(RELNAMENSP, forget, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACENAME, forget, (Datum) 0);
	registered = true;
}

static KnownRelation *
place_of(const char *name)
{
	uint32		hash = 2166136261u;
	const char *c;

	for (c = name; *c != '\0'; c++)
		hash = (hash ^ (unsigned char) *c) * 16777619u;
	return &known[(hash ^ hash >> 16) % MAX_KNOWN];
}

Oid
fundes_relation(const char *name)
{
	KnownRelation *place = place_of(name);
	uint64		before = forgotten;
	Oid			oid;

	if (OidIsValid(place->oid) && strcmp(place->name, name) == 0)
		return place->oid;
	be_told_of_changes();
	oid = get_relname_relid(name, get_namespace_oid("fundes", false));
	if (!OidIsValid(oid))
		elog(ERROR, "relation fundes.%s does not exist", name);

	/* what changed during the look-up is not known yet */
	if (forgotten == before)
	{
		strlcpy(place->name, name, NAMEDATALEN);
		place->oid = oid;
	}
	return oid;
}

/* The owner of the log's table is the extension's owner. */
Oid
fundes_owner(void)
{
	uint64		before = forgotten;
	Oid			relation;
	HeapTuple	tuple;
	Oid			owner;

	if (OidIsValid(known_owner))
		return known_owner;
	relation = fundes_relation("event");
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	if (forgotten == before)
		known_owner = owner;
	return owner;
}

/* Becomes the owner; for what runs no statement. */
void
owner_enter(Owner *saved)
{
	GetUserIdAndSecContext(&saved->caller, &saved->caller_context);
	SetUserIdAndSecContext(fundes_owner(),
						   saved->caller_context | SECURITY_LOCAL_USERID_CHANGE);
	saved->statements = false;
	saved->guc_level = 0;
}

/* For the level of settings that was begun last. */
static void
set_safe_search_path(void)
{
	(void) set_config_option("search_path", SAFE_SEARCH_PATH,
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* Setting it again would cost a look through the whole path, and all settings. */
int
enter_safe_search_path(void)
{
	int			level;

	if (strcmp(namespace_search_path, SAFE_SEARCH_PATH) == 0)
		return 0;
	level = NewGUCNestLevel();
	set_safe_search_path();
	return level;
}

void
owner_safe_search_path(void)
{
	if (strcmp(namespace_search_path, SAFE_SEARCH_PATH) != 0)
		set_safe_search_path();
}

/*
 * Becomes the owner and connects to SPI.  The current memory context stays
 * the caller's, so that what the function builds lives until its caller is
 * done with it.
 */
void
owner_begin(Owner *saved)
{
	MemoryContext context = CurrentMemoryContext;

	owner_enter(saved);
	saved->statements = true;
	saved->guc_level = NewGUCNestLevel();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
}

void
owner_end(Owner *saved)
{
	MemoryContext context = CurrentMemoryContext;

	if (saved->statements && SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	if (saved->guc_level > 0)
		AtEOXact_GUC(true, saved->guc_level);
	SetUserIdAndSecContext(saved->caller, saved->caller_context);
	MemoryContextSwitchTo(context);
}
