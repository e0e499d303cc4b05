/*-------------------------------------------------------------------------
 *
 * investor.c
 *	  Commands about investors: create_investor, authenticate_investor.
 *
 *	  Of a password only a SCRAM-SHA-256 verifier is kept, made by the server's
 *	  own code, in a table beside the projections: it never goes into an event.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "args.h"
#include "catalog/pg_type.h"
#include "fund/command.h"
#include "fund/streams.h"
#include "libpq/crypt.h"
#include "plan.h"
#include "utils/memutils.h"

static char *
make_verifier(const char *id, const char *password)
{
	return encrypt_password(PASSWORD_TYPE_SCRAM_SHA_256, id, password);
}

static bool
password_matches(const char *id, const char *password, const char *verifier)
{
	const char *reason = NULL;

	return plain_crypt_verify(id, verifier, password, &reason) == STATUS_OK;
}

/* The server would keep what looks like a verifier as it is. */
static char *
arg_password(FunctionCallInfo fcinfo, int arg)
{
	char	   *value = arg_text(fcinfo, arg, "password");

	if (get_password_type(value) != PASSWORD_TYPE_PLAINTEXT)
		invalid_argument("password must be given as it is, not as a verifier",
						 "It looks like a verifier.",
						 "Give the password itself; only a verifier of it is kept.");
	return value;
}

/* The verifier of an investor, or NULL. */
static char *
find_verifier(const char *id)
{
	static KeptPlan select = PLAN("select verifier from fundes.investor_credential where investor_id = $1",
								  TEXTOID);
	Datum		key = CStringGetTextDatum(id);
	char	   *result = NULL;
	bool		isnull;

	if (plan_fresh(&select, &key, NULL) > 0)
		result = TextDatumGetCString(plan_value(1, TEXTOID, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return result;
}

static void
store_verifier(const char *id, const char *password)
{
	static KeptPlan insert = PLAN("insert into fundes.investor_credential values ($1, $2)",
								  TEXTOID, TEXTOID);
	Datum		values[2];

	values[0] = CStringGetTextDatum(id);
	values[1] = CStringGetTextDatum(make_verifier(id, password));
	(void) plan_write(&insert, values, NULL);
}

/* A replay must bring the same password, or none again. */
static bool
same_password(const char *id, const char *password)
{
	char	   *verifier = find_verifier(id);

	if (verifier == NULL || password == NULL)
		return verifier == NULL && password == NULL;
	return password_matches(id, password, verifier);
}

static void
require_new_id(Command *cmd, const char *id)
{
	Datum		key = CStringGetTextDatum(id);

	if (rows_find(cmd->rows, TABLE_INVESTOR, &key) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVESTOR_ID_TAKEN),
				 errmsg("Investor id is taken"),
				 errdetail("The id is \"%s\".", id),
				 errhint("Choose another id; names need not be unique.")));
}

FUNDES_FUNCTION(fundes_create_investor);

Datum
fundes_create_investor(PG_FUNCTION_ARGS)
{
	Command		cmd;
	char	   *id;
	char	   *name;
	char	   *password = NULL;
	char	   *stream;

	REQUIRE_ARG(0, "id");
	REQUIRE_ARG(1, "name");
	id = arg_key(fcinfo, 0, "id");
	name = arg_text(fcinfo, 1, "name");
	if (!PG_ARGISNULL(2))
		password = arg_password(fcinfo, 2);
	stream = investor_stream(id);

	command_begin(&cmd, fcinfo);
	command_options(&cmd, 3);
	json_put_string(&cmd.arguments, "investor_id", id);
	json_put_string(&cmd.arguments, "name", name);

	/* the stream's lock guards the id */
	append_expect(stream, EXPECT_ANY);
	if (command_replayed(&cmd, "InvestorCreated"))
	{
		if (!same_password(id, password))
			event_id_reused(&cmd.event_id, "password");
	}
	else
	{
		require_new_id(&cmd, id);
		command_check_time(&cmd, NULL);
		command_expect(&cmd, stream);
		command_append(&cmd, stream, "InvestorCreated");
		if (password != NULL)
			store_verifier(id, password);
	}
	command_end(&cmd);
	PG_RETURN_TEXT_P(cstring_to_text(id));
}

FUNDES_FUNCTION(fundes_authenticate_investor);

/*
 * Where there is no verifier the password is checked against another, so that
 * the time taken does not tell whether the investor exists.
 */
Datum
fundes_authenticate_investor(PG_FUNCTION_ARGS)
{
	static char *nobody = NULL;
	char	   *id;
	char	   *password;
	char	   *verifier;
	bool		known;
	bool		matches;
	Owner		owner;

	REQUIRE_ARG(0, "id");
	REQUIRE_ARG(1, "password");
	id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	password = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (nobody == NULL)
		nobody = MemoryContextStrdup(TopMemoryContext, make_verifier("", "nobody"));

	owner_begin(&owner);
	verifier = find_verifier(id);
	owner_end(&owner);
	known = verifier != NULL;
	matches = password_matches(id, password, known ? verifier : nobody);
	PG_RETURN_BOOL(known && matches);
}
