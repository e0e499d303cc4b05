/*-------------------------------------------------------------------------
 *
 * filter_index.h
 *	  Indexes of the log for filters that match rarely.
 *
 *	  Each leads with what is sought and goes on with the position, so that a
 *	  reader finds the next match at once.  They are made where asked for, as
 *	  every index costs every append.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_FILTER_INDEX_H
#define FUNDES_FILTER_INDEX_H

typedef enum FilterIndexKind
{
	FILTER_TYPE,
	FILTER_CATEGORY,
	FILTER_CORRELATION
} FilterIndexKind;

/* InvalidOid where there is none that can be used. */
extern Oid	filter_index(FilterIndexKind kind);

#endif							/* FUNDES_FILTER_INDEX_H */
