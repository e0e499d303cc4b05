/*-------------------------------------------------------------------------
 *
 * owner.c
 *	  The boundary between callers and the tables, see owner.h.
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
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define SAFE_SEARCH_PATH "pg_catalog, pg_temp"

Oid
fundes_relation(const char *name)
{
	Oid			schema = get_namespace_oid("fundes", false);
	Oid			relation = get_relname_relid(name, schema);

	if (!OidIsValid(relation))
		elog(ERROR, "relation fundes.%s does not exist", name);
	return relation;
}

/* The owner of the log's table, which is the extension's owner. */
static Oid
log_owner(void)
{
	Oid			relation = fundes_relation("event");
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
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

	GetUserIdAndSecContext(&saved->caller, &saved->caller_context);
	SetUserIdAndSecContext(log_owner(),
						   saved->caller_context | SECURITY_LOCAL_USERID_CHANGE);

	/* setting it again would cost a look through the whole path */
	saved->guc_level = 0;
	if (strcmp(namespace_search_path, SAFE_SEARCH_PATH) != 0)
	{
		saved->guc_level = NewGUCNestLevel();
		(void) set_config_option("search_path", SAFE_SEARCH_PATH,
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
}

void
owner_end(Owner *saved)
{
	MemoryContext context = CurrentMemoryContext;

	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	if (saved->guc_level > 0)
		AtEOXact_GUC(true, saved->guc_level);
	SetUserIdAndSecContext(saved->caller, saved->caller_context);
	MemoryContextSwitchTo(context);
}
