/*-------------------------------------------------------------------------
 *
 * log_scan.h
 *	  Walking through the log in the order of positions, with a filter.
 *
 *	  A scan walks the primary key, or, where the filter has indexes of its own,
 *	  those: one walk for each category, type or correlation id that is sought,
 *	  merged by position.  It reads as far as it is asked to and no further.
 *	  To be used between owner_enter() and owner_end(), after watermark(): names of event types are looked up when the scan begins, and
 *	  what is settled was written with types that can be seen by then.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_LOG_SCAN_H
#define FUNDES_LOG_SCAN_H

#include "executor/tuptable.h"
#include "utils/array.h"

typedef struct LogFilter
{
	ArrayType  *categories;		/* or NULL: all */
	ArrayType  *types;			/* or NULL: all */
	text	   *correlation_id; /* or NULL: all */
	int			partition;		/* of the streams; 0 of 1: all */
	int			partitions;

	/* whether a position is to be skipped for another reason, or NULL */
	bool		(*skip) (void *arg, int64 position, int64 stream_id);
	void	   *skip_arg;
} LogFilter;

typedef struct LogScan LogScan;

/* Raises 22004 or 22023 unless it is an array of names, as filters take it. */
extern void check_filter(ArrayType *names, const char *what);

/* Events with after < position <= up_to, as they are visible now. */
extern LogScan *log_scan_begin(const LogFilter *filter, int64 after, int64 up_to);

/*
 * The next event that matches: its position, or 0 where there is none, or none
 * within so many looks, that is, entries of an index.
 */
extern int64 log_scan_next(LogScan *scan, int64 max_looks);

/* Up to where all that matches has been returned, and after how many looks. */
extern int64 log_scan_looked_to(const LogScan *scan);
extern int64 log_scan_looks(const LogScan *scan);

/* The row of fundes.event that the last log_scan_next() has found. */
extern TupleTableSlot *log_scan_event(LogScan *scan);
extern void log_scan_end(LogScan *scan);

/* In which partition a stream is. */
extern int	stream_partition(int64 stream_id, int partitions);

#endif							/* FUNDES_LOG_SCAN_H */
