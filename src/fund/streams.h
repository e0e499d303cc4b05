/*-------------------------------------------------------------------------
 *
 * streams.h
 *	  The streams of the fund domain.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_STREAMS_H
#define FUNDES_STREAMS_H

#include "store/append.h"

/* fund-<fund_id>, investor-<id>, index-<name>, holding-<fund_id>-<investor_id> */
extern char *fund_stream(int64 fund_id);
extern char *investor_stream(const char *investor_id);
extern char *index_stream(const char *index_name);
extern char *holding_stream(int64 fund_id, const char *investor_id);

/* The fund that a stream of events of a fund or a holding is about, or 0. */
extern int64 fund_of_stream(const char *stream);

/* What the domain does for events that are appended directly. */
extern const AppendModule fund_module;

#endif							/* FUNDES_STREAMS_H */
