/*-------------------------------------------------------------------------
 *
 * read.h
 *	  Checks of the arguments that readers of the log share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_READ_H
#define FUNDES_READ_H

/* NULL is no limit. */
extern int64 checked_max_count(bool isnull, int32 value);
extern int64 checked_position(int64 value, const char *name);

#endif							/* FUNDES_READ_H */
