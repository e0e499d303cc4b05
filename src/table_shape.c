/*-------------------------------------------------------------------------
 *
 * table_shape.c
 *	  What indexes a table has, see table_shape.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/genam.h"
#include "catalog/pg_am.h"
#include "nodes/primnodes.h"
#include "storage/lockdefs.h"
#include "table_shape.h"
#include "utils/inval.h"
#include "utils/rel.h"

/* There is room for all of our own; the one that came first goes first. */
#define MAX_KNOWN 32

static TableShape known[MAX_KNOWN];
static Oid	known_tables[MAX_KNOWN];	/* or InvalidOid; close together, to be searched */
static int	next_place = 0;
static uint64 looks = 0;

/* Counts all messages, so that none is missed while a table is looked at. */
static uint64 messages = 0;

static void
on_invalidation(Datum arg, Oid relation)
{
	int			i;
	int			j;

	messages++;
	for (i = 0; i < MAX_KNOWN; i++)
	{
		if (relation == InvalidOid || relation == known_tables[i])
			known_tables[i] = InvalidOid;
		for (j = 0; j < known[i].nindexes; j++)
			if (relation == known[i].indexes[j].oid)
				known_tables[i] = InvalidOid;
	}
}

/* Whether a condition of a predicate is one that index_takes() knows. */
static bool
add_test(PlainIndex *index, Node *condition)
{
	ColumnTest	test = COLUMN_IS_TRUE;

	if (IsA(condition, NullTest))
	{
		test = ((NullTest *) condition)->nulltesttype == IS_NULL ?
			COLUMN_IS_NULL : COLUMN_IS_NOT_NULL;
		condition = (Node *) ((NullTest *) condition)->arg;
	}
	else if (IsA(condition, BoolExpr) && ((BoolExpr *) condition)->boolop == NOT_EXPR)
	{
		test = COLUMN_IS_FALSE;
		condition = linitial(((BoolExpr *) condition)->args);
	}
	if (!IsA(condition, Var) || ((Var *) condition)->varattno <= 0 ||
		index->ntests == SHAPE_MAX_TESTS)
		return false;
	index->tested[index->ntests] = ((Var *) condition)->varattno - 1;
	index->tests[index->ntests++] = test;
	return true;
}

static bool
look_at_index(Relation relation, PlainIndex *index)
{
	Form_pg_index form = relation->rd_index;
	ListCell   *cell;
	int			i;

	if (relation->rd_rel->relam != BTREE_AM_OID || form->indisexclusion ||
		!form->indimmediate || !form->indisready || form->indnatts > SHAPE_MAX_KEYS)
		return false;
	index->oid = RelationGetRelid(relation);
	index->unique = form->indisunique;
	index->nkeys = form->indnatts;
	index->ntests = 0;
	for (i = 0; i < index->nkeys; i++)
	{
		/* neither an expression nor a system column */
		if (form->indkey.values[i] <= 0)
			return false;
		index->keys[i] = form->indkey.values[i] - 1;
	}
	foreach(cell, RelationGetIndexPredicate(relation))
		if (!add_test(index, lfirst(cell)))
			return false;
	return true;
}

static bool
look_at_indexes(Relation table, TableShape *shape)
{
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(table))
	{
		Relation	index;
		bool		plain;

		if (shape->nindexes == SHAPE_MAX_INDEXES)
			return false;
		index = index_open(lfirst_oid(cell), RowExclusiveLock);
		plain = look_at_index(index, &shape->indexes[shape->nindexes]);
		index_close(index, NoLock);
		if (!plain)
			return false;
		shape->nindexes++;
	}
	return true;
}

/* One that is not plain is looked at again each time: few are. */
void
table_shape(Relation table, TableShape *shape)
{
	static bool registered = false;
	Oid			oid = RelationGetRelid(table);
	uint64		before;
	int			i;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
		registered = true;
	}
	for (i = 0; i < MAX_KNOWN; i++)
		if (known_tables[i] == oid)
		{
			*shape = known[i];
			return;
		}
	before = messages;
	shape->look = ++looks;
	shape->nindexes = 0;
	shape->plain = look_at_indexes(table, shape);
	if (shape->plain && messages == before)
	{
		known[next_place] = *shape;
		known_tables[next_place] = oid;
		next_place = (next_place + 1) % MAX_KNOWN;
	}
}

static bool
test_holds(ColumnTest test, Datum value, bool isnull)
{
	switch (test)
	{
		case COLUMN_IS_NULL:
			return isnull;
		case COLUMN_IS_NOT_NULL:
			return !isnull;
		case COLUMN_IS_TRUE:
			return !isnull && DatumGetBool(value);
		case COLUMN_IS_FALSE:
			return !isnull && !DatumGetBool(value);
	}
	return false;
}

bool
index_takes(const PlainIndex *index, const Datum *values, const bool *nulls)
{
	int			i;

	for (i = 0; i < index->ntests; i++)
		if (!test_holds(index->tests[i], values[index->tested[i]], nulls[index->tested[i]]))
			return false;
	return true;
}
