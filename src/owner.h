/*-------------------------------------------------------------------------
 *
 * owner.h
 *	  The boundary between callers and the tables.
 *
 *	  Nobody has rights on the tables; EXECUTE on a function is the one right
 *	  there is.  Between owner_begin() and owner_end() a function acts as the
 *	  extension's owner, with a search_path that no caller can set, and may use
 *	  SPI.  An error needs no clean-up: the abort of the (sub)transaction puts
 *	  identity, settings and SPI back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_OWNER_H
#define FUNDES_OWNER_H

typedef struct Owner
{
	Oid			caller;
	int			caller_context;
	int			guc_level;
} Owner;

extern void owner_begin(Owner *saved);
extern void owner_end(Owner *saved);

/* Oid of a relation of schema fundes. */
extern Oid	fundes_relation(const char *name);

#endif							/* FUNDES_OWNER_H */
