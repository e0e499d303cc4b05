/*-------------------------------------------------------------------------
 *
 * owner.h
 *	  The boundary between callers and the tables.
 *
 *	  Nobody has rights on the tables; EXECUTE on a function is the one right
 *	  there is.  Between owner_enter() or owner_begin() and owner_end() a function
 *	  acts as the extension's owner.  After owner_begin() it may use SPI, too, with
 *	  a search_path that no caller can set: what parses or runs text, or code of
 *	  others, needs that.  As it costs as much as writing a row, it is set by the
 *	  first who needs it: plan.c does so before each statement.  Both may be nested.
 *	  An error needs no clean-up: the abort of the (sub)transaction puts identity,
 *	  settings and SPI back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_OWNER_H
#define FUNDES_OWNER_H

typedef struct Owner
{
	Oid			caller;
	int			caller_context;
	bool		statements;		/* whether by owner_begin() */
	int			guc_level;
} Owner;

extern void owner_enter(Owner *saved);
extern void owner_begin(Owner *saved);
extern void owner_end(Owner *saved);

/*
 * Sees to it that anybody's code may run until the end of the innermost
 * owner_begin(): sets a search_path that is safe, if it is not set.
 */
extern void owner_safe_search_path(void);

/*
 * The same outside of owner_begin().  Returns the level of
 * settings to leave with AtEOXact_GUC(), 0 where it was set already.
 */
extern int	enter_safe_search_path(void);

/* The extension's owner. */
extern Oid	fundes_owner(void);

/* Oid of a relation of schema fundes. */
extern Oid	fundes_relation(const char *name);

#endif							/* FUNDES_OWNER_H */
