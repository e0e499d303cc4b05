/*-------------------------------------------------------------------------
 *
 * command.h
 *	  What all commands share.
 *
 *	  A command goes through these steps, in this order:
 *
 *		command_begin()		becomes the owner
 *		lock				what it decides about, e.g. command_lock_fund()
 *		command_options()	reads effective_at, event_id, expected_version and
 *							metadata, which stand after the command's own
 *							parameters
 *		cmd.arguments		the command's own arguments, as they will stand in
 *							the payload of its event
 *		command_replayed()	whether the event id is in the log already, with the
 *							same arguments; then cmd.payload is the stored one
 *		rules				in the order of the contract
 *		command_expect()	the expected version
 *		command_append()	cmd.figures, what the rules computed, complete the
 *							payload; afterwards cmd.payload is the event's
 *		command_end()
 *
 *	  The result is always made from cmd.payload and cmd.event_id, so that a
 *	  replay returns what the first call returned.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_COMMAND_H
#define FUNDES_COMMAND_H

#include "fund/fold.h"
#include "fund/projection.h"
#include "json.h"
#include "owner.h"
#include "store/append.h"

typedef struct Command
{
	FunctionCallInfo fcinfo;
	Owner		owner;
	RowSet	   *rows;			/* rows that it reads, */
	bool		rows_as_stored; /* as they stand in their tables */

	TimestampTz effective_at;
	bool		effective_given;
	bool		id_given;
	pg_uuid_t	event_id;		/* after an append or a replay: the event's */
	int64		expected_version;
	Jsonb	   *metadata;

	JsonObject	arguments;
	JsonObject	figures;
	Jsonb	   *argument_object;	/* arguments, where they are needed by themselves */
	bool		payload_fits;	/* all of it is within the bounds of its type */
	Jsonb	   *payload;
} Command;

/* Arguments of a command, checked: 22004, and what the name says. */
extern int64 arg_int64(FunctionCallInfo fcinfo, int arg, const char *name);
extern Numeric arg_numeric(FunctionCallInfo fcinfo, int arg, const char *name);

/* A text of 1 to 255 characters without control characters, else 22023. */
extern char *arg_text(FunctionCallInfo fcinfo, int arg, const char *name);

/* The same, or NULL. */
extern char *arg_optional_text(FunctionCallInfo fcinfo, int arg, const char *name);

/* A text that is part of a key: 1 to 200 bytes without control characters. */
extern char *arg_key(FunctionCallInfo fcinfo, int arg, const char *name);
extern DateADT arg_date(FunctionCallInfo fcinfo, int arg, const char *name);

extern void command_begin(Command *cmd, FunctionCallInfo fcinfo);
extern void command_options(Command *cmd, int first);
extern TimestampTz command_moment(Command *cmd);

/* For arguments that go into several events: to be called before the next. */
extern void command_arguments_done(Command *cmd);
extern bool command_replayed(Command *cmd, const char *type);

/*
 * Raises UF020 for the future and UF011 for a closed period of the fund (or
 * NULL).  Where effective_at was left out, it is now(): but not before what the
 * fund has recorded meanwhile.
 */
extern void command_check_time(Command *cmd, const Row *fund);
pg_noreturn extern void period_closed(const Row *fund, const char *detail);
extern void command_expect(Command *cmd, const char *stream);
extern void command_append(Command *cmd, const char *stream, const char *type);

/* Another event of the same call, with an id of its own. */
extern void command_append_also(const Command *cmd, const char *stream,
								const char *type, Jsonb *payload);
extern void command_end(Command *cmd);

/* NULL where there is no such fund; otherwise its row, locked. */
extern Row *command_lock_fund(Command *cmd, int64 fund_id);

/*
 * The same for a pay-in that is effective now or not: beside other pay-ins,
 * where they commute, with the row as it stands.
 */
extern Row *command_lock_fund_to_pay_in(Command *cmd, int64 fund_id,
										Numeric amount, bool now);
extern Row *require_fund(Row *fund, int64 fund_id);

/* Raises UF019 where the fund is closed. */
extern void require_open(const Row *fund);
extern void require_investor(Command *cmd, const char *investor_id);

/* The same for one whose holding of the fund is locked: most have one. */
extern void require_payer(Command *cmd, int64 fund_id, const char *investor_id);
pg_noreturn extern void investor_not_found(const char *investor_id);

/* The fund's copyright, held now or (ever) once; else UF007. */
extern Row *require_mcp(Command *cmd, int64 fund_id, int64 asset_id, bool ever);

extern Datum command_event_id(Command *cmd);

#endif							/* FUNDES_COMMAND_H */
