/*-------------------------------------------------------------------------
 *
 * watermark.c
 *	  Up to which position the log is settled, see watermark.h; and the SQL
 *	  function that tells it.
 *
 *	  The appender, in this order:
 *		A1. reads the sequence's last value L
 *		A2. takes the lock (LOCK_POSITION, L), which nobody waits for
 *		A3. takes positions from the sequence: each is above L
 *		A4. writes, and ends its transaction: the commit becomes visible to
 *			new snapshots, and after that its locks are released
 *
 *	  The reader, in this order:
 *		R1. reads the sequence's last value H
 *		R2. scans the lock table for the smallest L that is held
 *		R3. takes a new snapshot, and reads up to min(H, L)
 *
 *	  Claim: an event at a position p <= min(H, L) whose transaction commits at
 *	  all is visible to the snapshot of R3.
 *
 *	  Proof: p <= H, so p had been taken (A3) when H was read (R1), so the
 *	  appender's lock had been acquired (A2) before R1 and therefore before the
 *	  scan R2.  Its key l is below p.  Either the scan saw the lock: then
 *	  L <= l < p, against p <= L.  Or the lock had been released before the
 *	  scan came to it: then the transaction had ended before R3, and if it
 *	  committed, R3 sees it (A4).
 *
 *	  What each step rests on:
 *
 *	  A1 before A2: L may be read much earlier than the lock is taken, or than
 *	  the positions are; an old value is a smaller bound, which is still one.
 *	  A2 before A3, and R1 before R2: the proof's "had been acquired before".
 *	  Were the scan made first, an appender could lock, take p and be passed.
 *	  R2 before R3: were the snapshot taken first, an appender could commit and
 *	  release between snapshot and scan, and be neither seen nor waited for.
 *
 *	  The sequence has CACHE 1, so that its last value is shared and positions
 *	  are not handed out from a backend's private stock.  It is read under its
 *	  buffer's content lock, shared, and advanced under the exclusive one, so H is
 *	  never older than a position taken before R1.
 *
 *	  Advisory tags never take the lock manager's fast path, so all of them are
 *	  in the shared table, each in one partition of it from the time when it is
 *	  acquired to that when it is released; PREPARE hands it over with the
 *	  partition locked.  A holder counts, one that merely waits does not (and
 *	  nobody waits: all hold in one mode that does not conflict with itself).
 *
 *	  ROLLBACK TO SAVEPOINT releases the locks that were taken since, and aborts
 *	  the events that were appended since: none of them needs a mark.  The next
 *	  append finds the mark gone and makes a new one.  RELEASE SAVEPOINT hands
 *	  the lock to the transaction around.
 *
 *	  PREPARE TRANSACTION keeps the lock, also through a crash and a restart;
 *	  COMMIT PREPARED makes the commit visible first, too.  A backend that dies
 *	  aborts and releases as any other abort; when the server dies the marks go
 *	  with the transactions that made them.
 *
 *	  The own append in progress counts as any other: a reader that showed its
 *	  own events could not go back to those of others that lie before them.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "commands/sequence.h"
#include "locks.h"
#include "miscadmin.h"
#include "owner.h"
#include "store/watermark.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

/* The key of the mark that this backend made last. */
static uint64 own_bound = 0;

/*
 * As pg_sequence_last_value(), which looks at privileges as well and locks the
 * sequence's only page as nextval() does.  The caller is the owner.  The buffer is
 * only where the page was, if it was that of this sequence.
 */
int64
last_position_handed_out(Oid sequence)
{
	static Buffer recent = InvalidBuffer;
	Relation	relation = relation_open(sequence, RowExclusiveLock);
	HeapTupleHeader tuple;
	Form_pg_sequence_data data;
	Page		page;
	int64		last;

	if (!BufferIsValid(recent) || !read_recent_buffer(relation, 0, recent))
		recent = ReadBuffer(relation, 0);
	LockBuffer(recent, BUFFER_LOCK_SHARE);
	page = BufferGetPage(recent);
	tuple = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, FirstOffsetNumber));
	data = (Form_pg_sequence_data) ((char *) tuple + tuple->t_hoff);
	last = data->is_called ? data->last_value : 0;
	UnlockReleaseBuffer(recent);
	relation_close(relation, NoLock);
	return last;
}

/*
 * The lock goes with the transaction, or with the savepoint it was taken in:
 * so it is looked for each time.
 */
void
mark_append_in_progress(Oid sequence)
{
	if (lock_held(LOCK_POSITION, own_bound, LOCK_SHARED))
		return;
	own_bound = (uint64) last_position_handed_out(sequence);
	(void) lock_acquire(LOCK_POSITION, own_bound, LOCK_SHARED);
}

/* A3, which must not come before A2. */
int64
next_position(Oid sequence)
{
	if (!lock_held(LOCK_POSITION, own_bound, LOCK_SHARED))
		elog(ERROR, "a position is taken by an append that is not marked");
	return nextval_internal(sequence, false);
}

/*
 * A snapshot that stays may be older than a commit that the watermark takes
 * for granted, and a standby's lock table does not have the primary's locks.
 */
void
require_renewable_snapshot(void)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the log cannot be followed on a standby"),
				 errdetail("A standby does not know which appends are in progress."),
				 errhint("Follow the log on the primary. Views and fundes.read_stream() work here.")));
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the log cannot be followed in isolation level %s",
						XactIsoLevel == XACT_SERIALIZABLE ? "SERIALIZABLE" : "REPEATABLE READ"),
				 errdetail("The transaction's snapshot may miss events below the watermark."),
				 errhint("Follow the log in READ COMMITTED; for a report of one snapshot read view fundes.event_log.")));
}

int64
watermark(void)
{
	int64		result = last_position_handed_out(fundes_relation("event_position"));
	uint64		bound;

	/* from here on the order of R1 and R2 is fixed: see above */
	if (lock_smallest_key(LOCK_POSITION, &bound))
		result = Min(result, (int64) bound);
	return result;
}

FUNDES_FUNCTION(fundes_watermark);

Datum
fundes_watermark(PG_FUNCTION_ARGS)
{
	int64		result;
	Owner		owner;

	require_renewable_snapshot();
	owner_enter(&owner);
	result = watermark();
	owner_end(&owner);
	PG_RETURN_INT64(result);
}
