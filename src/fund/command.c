/*-------------------------------------------------------------------------
 *
 * command.c
 *	  What all commands share, see command.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "access/xact.h"
#include "args.h"
#include "fund/calendar.h"
#include "fund/command.h"
#include "fund/fund_lock.h"
#include "fund/pending.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#define MAX_TEXT_CHARS 255
#define FIRST_DATE (-730119)		/* 0001-01-01 */
#define LAST_DATE 2921939			/* 9999-12-31 */
#define MAX_KEY_BYTES 200			/* so that holding-<fund>-<id> fits a stream */

/*
 * Arguments
 */

int64
arg_int64(FunctionCallInfo fcinfo, int arg, const char *name)
{
	REQUIRE_ARG(arg, name);
	return PG_GETARG_INT64(arg);
}

Numeric
arg_numeric(FunctionCallInfo fcinfo, int arg, const char *name)
{
	REQUIRE_ARG(arg, name);
	return PG_GETARG_NUMERIC(arg);
}

char *
arg_text(FunctionCallInfo fcinfo, int arg, const char *name)
{
	char	   *value;
	int			chars;

	REQUIRE_ARG(arg, name);
	value = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	chars = pg_mbstrlen(value);
	if (chars < 1 || chars > MAX_TEXT_CHARS)
		invalid_argument(psprintf("%s must have 1 to %d characters", name, MAX_TEXT_CHARS),
						 psprintf("It has %d.", chars),
						 chars == 0 ? "Give a text that is not empty." : "Give a shorter text.");
	refuse_control_characters(value, strlen(value), name);
	return value;
}

char *
arg_optional_text(FunctionCallInfo fcinfo, int arg, const char *name)
{
	return PG_ARGISNULL(arg) ? NULL : arg_text(fcinfo, arg, name);
}

char *
arg_key(FunctionCallInfo fcinfo, int arg, const char *name)
{
	char	   *value;
	size_t		len;

	REQUIRE_ARG(arg, name);
	value = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	len = strlen(value);
	if (len < 1 || len > MAX_KEY_BYTES)
		invalid_argument(psprintf("%s must have 1 to %d bytes", name, MAX_KEY_BYTES),
						 psprintf("It has %zu.", len),
						 len == 0 ? "Give a text that is not empty." :
						 "Give a shorter one; it is part of keys and of names of streams.");
	refuse_control_characters(value, len, name);
	return value;
}

DateADT
arg_date(FunctionCallInfo fcinfo, int arg, const char *name)
{
	DateADT		value;

	REQUIRE_ARG(arg, name);
	value = PG_GETARG_DATEADT(arg);
	if (value < FIRST_DATE || value > LAST_DATE)
		invalid_argument(psprintf("%s must be from 0001-01-01 to 9999-12-31", name),
						 psprintf("It is %s.", date_text(value)),
						 "Give a date of the calendar.");
	return value;
}

/*
 * Steps
 */

/* A command decides by the projections. */
static void
require_projections(void)
{
	if (append_awaits_projection())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a trigger calls a command before the event that it follows is folded"),
				 errdetail("The figures of funds do not have that event yet."),
				 errhint("%s", FOLLOWER_HINT)));
}

void
command_begin(Command *cmd, FunctionCallInfo fcinfo)
{
	require_projections();
	memset(cmd, 0, sizeof(*cmd));
	cmd->fcinfo = fcinfo;
	json_begin(&cmd->arguments);
	owner_begin(&cmd->owner);
	append_begin(1);
	cmd->rows = rows_begin();
	cmd->rows_as_stored = true;
}

void
command_options(Command *cmd, int first)
{
	FunctionCallInfo fcinfo = cmd->fcinfo;

	cmd->effective_given = !PG_ARGISNULL(first);
	cmd->effective_at = cmd->effective_given ? PG_GETARG_TIMESTAMPTZ(first) :
		GetCurrentTransactionStartTimestamp();
	check_finite(cmd->effective_at, "effective_at");
	cmd->id_given = !PG_ARGISNULL(first + 1);
	if (cmd->id_given)
		memcpy(&cmd->event_id, PG_GETARG_UUID_P(first + 1), UUID_LEN);
	cmd->expected_version = EXPECT_ANY;
	if (!PG_ARGISNULL(first + 2))
		cmd->expected_version = checked_expected_version(PG_GETARG_INT64(first + 2));
	if (!PG_ARGISNULL(first + 3))
		cmd->metadata = checked_json_object(PG_GETARG_JSONB_P(first + 3), "metadata");
}

/*
 * The moment from which defaults are derived: of a replay, that of the stored
 * event, so that leaving an argument out again means the same again.
 */
TimestampTz
command_moment(Command *cmd)
{
	StoredEvent stored;

	if (cmd->effective_given || !cmd->id_given ||
		!log_find_event(&cmd->event_id, &stored))
		return cmd->effective_at;
	return stored.effective_at;
}

void
command_end(Command *cmd)
{
	rows_end(cmd->rows);
	owner_end(&cmd->owner);
}

void
command_arguments_done(Command *cmd)
{
	cmd->argument_object = json_end(&cmd->arguments);
}

/* The key of an argument that the stored payload has otherwise, or NULL. */
static const char *
different_argument(Command *cmd, const StoredEvent *stored)
{
	JsonbIterator *it = JsonbIteratorInit(&cmd->argument_object->root);
	JsonbIteratorToken token;
	JsonbValue	v;
	char	   *key = NULL;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
		{
			JsonbValue *known = getKeyJsonValueFromContainer(&stored->payload->root,
															 key, strlen(key), NULL);

			if (known == NULL || known->type != v.type ||
				compareJsonbContainers(&JsonbValueToJsonb(known)->root,
									   &JsonbValueToJsonb(&v)->root) != 0)
				return key;
		}
	}
	return NULL;
}

/*
 * Whether the event id was given and is in the log, as an event of this type
 * with these arguments.  Another event with the id is UF008.
 *
 * Where no id was given, the arguments are compared with nothing: the figures
 * go on in the same object, which spares merging two.
 */
bool
command_replayed(Command *cmd, const char *type)
{
	StoredEvent stored;

	if (!cmd->id_given && cmd->argument_object == NULL)
	{
		cmd->figures = cmd->arguments;
		return false;
	}
	if (cmd->argument_object == NULL)
		command_arguments_done(cmd);
	json_begin(&cmd->figures);
	if (!cmd->id_given || !log_find_event(&cmd->event_id, &stored))
		return false;
	if (stored.type_id != log_event_type(type).type_id)
		event_id_reused(&cmd->event_id, "type");
	if (different_argument(cmd, &stored) != NULL)
		event_id_reused(&cmd->event_id, "payload");
	if (cmd->effective_given && cmd->effective_at != stored.effective_at)
		event_id_reused(&cmd->event_id, "effective_at");
	cmd->payload = stored.payload;
	return true;
}

void
period_closed(const Row *fund, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_PERIOD_CLOSED),
			 errmsg("Period is closed"),
			 errdetail("Fund " INT64_FORMAT " is closed through %s. %s",
					   row_int64(fund, FUND_ID),
					   date_text(row_date(fund, FUND_CLOSED_THROUGH)), detail),
			 errhint("Record it after the closed period, or reopen that with fundes.reopen_period().")));
}

void
command_check_time(Command *cmd, const Row *fund)
{
	if (fund != NULL && !cmd->effective_given)
		cmd->effective_at = Max(cmd->effective_at, row_time(fund, FUND_LAST_EFFECTIVE_AT));
	if (cmd->effective_at > GetCurrentTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_EFFECTIVE_IN_FUTURE),
				 errmsg("effective date is in the future"),
				 errdetail("effective_at is %s, it is now %s.",
						   pstrdup(timestamptz_to_str(cmd->effective_at)),
						   pstrdup(timestamptz_to_str(GetCurrentTimestamp()))),
				 errhint("Record what has happened; leave effective_at out for now.")));
	if (fund != NULL && !fund->nulls[FUND_CLOSED_UNTIL] &&
		cmd->effective_at < row_time(fund, FUND_CLOSED_UNTIL))
		period_closed(fund, psprintf("effective_at is %s.",
									 timestamptz_to_str(cmd->effective_at)));
}

void
command_expect(Command *cmd, const char *stream)
{
	if (cmd->expected_version != EXPECT_ANY)
		append_expect(stream, cmd->expected_version);
}

void
command_append(Command *cmd, const char *stream, const char *type)
{
	NewEvent	event = {0};

	cmd->payload = json_end(&cmd->figures);
	if (cmd->argument_object != NULL)
		cmd->payload = json_merge(cmd->argument_object, cmd->payload);
	event.stream = stream;
	event.type = type;
	event.payload = cmd->payload;
	event.metadata = cmd->metadata;
	event.effective_at = cmd->effective_at;
	event.effective_given = cmd->effective_given;
	event.id_given = cmd->id_given;
	event.event_id = cmd->event_id;
	event.fits = cmd->payload_fits;
	check_event_size(event.payload, event.metadata);
	(void) append_events(&event, 1, NULL, 0, cmd->rows_as_stored ? cmd->rows : NULL);
	cmd->event_id = event.event_id;
}

void
command_append_also(const Command *cmd, const char *stream, const char *type, Jsonb *payload)
{
	NewEvent	event = {0};

	event.stream = stream;
	event.type = type;
	event.payload = payload;
	event.metadata = cmd->metadata;
	event.effective_at = cmd->effective_at;
	event.effective_given = true;
	(void) append_events(&event, 1, NULL, 0, NULL);
}

Datum
command_event_id(Command *cmd)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	*id = cmd->event_id;
	return UUIDPGetDatum(id);
}

/*
 * Who and what
 */

Row *
command_lock_fund(Command *cmd, int64 fund_id)
{
	Row		   *fund;

	lock_fund(fund_id);
	fund = rows_find_int64(cmd->rows, TABLE_FUND, fund_id);
	if (fund != NULL && pending_add(fund, false))
		cmd->rows_as_stored = false;
	return fund;
}

Row *
command_lock_fund_to_pay_in(Command *cmd, int64 fund_id, Numeric amount, bool now)
{
	Row		   *fund;

	if (!now || !lock_fund_shared(fund_id))
		return command_lock_fund(cmd, fund_id);
	fund = rows_find_int64(cmd->rows, TABLE_FUND, fund_id);
	if (fund == NULL || pay_in_commutes(fund, amount))
		return fund;
	/* what was read may be out of date when the fund is ours */
	rows_end(cmd->rows);
	cmd->rows = rows_begin();
	unlock_fund_shared(fund_id);
	return command_lock_fund(cmd, fund_id);
}

Row *
require_fund(Row *fund, int64 fund_id)
{
	if (fund == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FUND_NOT_FOUND),
				 errmsg("Fund not found"),
				 errdetail("fund_id is " INT64_FORMAT ".", fund_id),
				 errhint("View fundes.fund_sheet lists the funds.")));
	return fund;
}

void
require_open(const Row *fund)
{
	if (strcmp(row_text(fund, FUND_STATUS), "open") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FUND_CLOSED),
				 errmsg("Fund is closed"),
				 errdetail("Fund " INT64_FORMAT " was closed with fundes.close_fund().",
						   row_int64(fund, FUND_ID)),
				 errhint("Royalties that still come in, and their sweeps, are recorded; nothing else.")));
}

void
investor_not_found(const char *investor_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVESTOR_NOT_FOUND),
			 errmsg("Investor not found"),
			 errdetail("investor_id is \"%s\".", investor_id),
			 errhint("Create the investor with fundes.create_investor() first.")));
}

void
require_investor(Command *cmd, const char *investor_id)
{
	Datum		key = CStringGetTextDatum(investor_id);

	/* what no investor can have would not fit a row's key either */
	if (strlen(investor_id) > MAX_KEY_BYTES ||
		rows_find(cmd->rows, TABLE_INVESTOR, &key) == NULL)
		investor_not_found(investor_id);
}

/* Investors are never removed: who has a holding is one. */
void
require_payer(Command *cmd, int64 fund_id, const char *investor_id)
{
	Datum		keys[2];

	keys[0] = Int64GetDatum(fund_id);
	keys[1] = CStringGetTextDatum(investor_id);
	if (strlen(investor_id) > MAX_KEY_BYTES ||
		rows_find(cmd->rows, TABLE_INVESTMENT, keys) == NULL)
		require_investor(cmd, investor_id);
}

Row *
require_mcp(Command *cmd, int64 fund_id, int64 asset_id, bool ever)
{
	Row		   *mcp = rows_find_int64(cmd->rows, TABLE_MCP, asset_id);

	if (mcp == NULL || row_int64(mcp, MCP_FUND_ID) != fund_id ||
		DatumGetBool(mcp->values[MCP_REVERSED]) || (!ever && !mcp->nulls[MCP_SOLD_AT]))
		ereport(ERROR,
				(errcode(ERRCODE_MCP_NOT_HELD),
				 errmsg("MCP not held"),
				 errdetail("Fund " INT64_FORMAT " %s asset " INT64_FORMAT ".", fund_id,
						   ever ? "never held" : "does not hold", asset_id),
				 errhint("View fundes.mcp_holding lists what each fund holds.")));
	return mcp;
}
