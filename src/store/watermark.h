/*-------------------------------------------------------------------------
 *
 * watermark.h
 *	  Up to which position the log is settled: no transaction that is still
 *	  open, or yet to come, can add an event there.
 *
 *	  A sequence hands out positions before commit, and transactions commit in
 *	  another order.  So an appender marks itself before it takes a position,
 *	  and a reader stops below the lowest mark.  To be used between
 *	  owner_begin() and owner_end().
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_WATERMARK_H
#define FUNDES_WATERMARK_H

/* To be called before a position is taken from the sequence. */
extern void mark_append_in_progress(Oid sequence);

/* Takes a position; an error where the append is not marked. */
extern int64 next_position(Oid sequence);

/* The highest position handed out, 0 where there is none. */
extern int64 last_position_handed_out(Oid sequence);

/* Raises 0A000 where a reader cannot know what is settled. */
extern void require_renewable_snapshot(void);

/*
 * The watermark.  What is at or below it is visible to every snapshot that is
 * taken after the call.
 */
extern int64 watermark(void);

#endif							/* FUNDES_WATERMARK_H */
