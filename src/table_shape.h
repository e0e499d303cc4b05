/*-------------------------------------------------------------------------
 *
 * table_shape.h
 *	  What indexes a table has, as far as a new row is concerned.
 *
 *	  Opening all indexes of a table and preparing their predicates costs the
 *	  executor as much as some entries do.  Most tables are plain: their indexes
 *	  are B-trees over columns, checked at once, with predicates, if any, about
 *	  columns that are null or true or not.  Of these it is enough to know
 *	  which indexes get an entry; only they are opened.
 *
 *	  What is known is kept for the backend's life, until the table or one of
 *	  the indexes changes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_TABLE_SHAPE_H
#define FUNDES_TABLE_SHAPE_H

#include "utils/relcache.h"

#define SHAPE_MAX_INDEXES 6
#define SHAPE_MAX_KEYS 6
#define SHAPE_MAX_TESTS 2

/* One condition of a predicate, all of which must hold. */
typedef enum ColumnTest
{
	COLUMN_IS_NULL,
	COLUMN_IS_NOT_NULL,
	COLUMN_IS_TRUE,
	COLUMN_IS_FALSE
} ColumnTest;

typedef struct PlainIndex
{
	Oid			oid;
	bool		unique;
	int			nkeys;			/* with those that are only included */
	int			keys[SHAPE_MAX_KEYS];	/* columns, from 0 */
	int			ntests;
	int			tested[SHAPE_MAX_TESTS];	/* columns, from 0 */
	ColumnTest	tests[SHAPE_MAX_TESTS];
} PlainIndex;

typedef struct TableShape
{
	uint64		look;			/* another one for each look at a table */
	bool		plain;			/* if not, the rest says nothing */
	int			nindexes;
	PlainIndex	indexes[SHAPE_MAX_INDEXES];
} TableShape;

/* Of a table that is open, with a lock that keeps its indexes as they are. */
extern void table_shape(Relation table, TableShape *shape);

/* Whether a row has an entry in the index. */
extern bool index_takes(const PlainIndex *index, const Datum *values, const bool *nulls);

#endif							/* FUNDES_TABLE_SHAPE_H */
