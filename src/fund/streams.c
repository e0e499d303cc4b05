/*-------------------------------------------------------------------------
 *
 * streams.c
 *	  The streams of the fund domain, and what the domain does for events that
 *	  are appended directly: it reserves its categories, locks the funds before
 *	  the store locks streams (as commands do), and sees that an event stands
 *	  in the stream that its payload names.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "fund/calendar.h"
#include "fund/fold.h"
#include "fund/projector.h"
#include "fund/fund_lock.h"
#include "fund/streams.h"
#include "json.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static const char *const reserved[] = {"fund", "holding", "investor", "index"};

/* Made for each event of a fund. */
char *
fund_stream(int64 fund_id)
{
	char	   *name = palloc(strlen("fund-") + MAXINT8LEN + 1);

	strcpy(name, "fund-");
	pg_lltoa(fund_id, name + strlen("fund-"));
	return name;
}

char *
investor_stream(const char *investor_id)
{
	return psprintf("investor-%s", investor_id);
}

char *
index_stream(const char *index_name)
{
	return psprintf("index-%s", index_name);
}

char *
holding_stream(int64 fund_id, const char *investor_id)
{
	return psprintf("holding-" INT64_FORMAT "-%s", fund_id, investor_id);
}

static bool
reserves(const char *category, int len)
{
	int			i;

	for (i = 0; i < lengthof(reserved); i++)
		if (strlen(reserved[i]) == len && memcmp(reserved[i], category, len) == 0)
			return true;
	return false;
}

int64
fund_of_stream(const char *stream)
{
	const char *digits;

	if (strncmp(stream, "fund-", 5) == 0)
		digits = stream + 5;
	else if (strncmp(stream, "holding-", 8) == 0)
		digits = stream + 8;
	else
		return 0;
	return (int64) strtoll(digits, NULL, 10);
}

static int
compare_int64(const void *a, const void *b)
{
	return pg_cmp_s64(*(const int64 *) a, *(const int64 *) b);
}

/* Expected streams count: their locks come after those of all funds. */
static void *
lock_funds(const NewEvent *events, int nevents,
		   const Expectation *expectations, int nexpectations)
{
	int64	   *funds = palloc(sizeof(int64) * Max(nevents + nexpectations, 1));
	bool		new_fund = false;
	int			n = 0;
	int			i;

	for (i = 0; i < nevents + nexpectations; i++)
	{
		int64		fund = fund_of_stream(i < nevents ? events[i].stream :
										  expectations[i - nevents].stream);

		new_fund |= i < nevents && events[i].event_type.type_id == FUND_CREATED;
		if (fund > 0 && (n == 0 || funds[n - 1] != fund))
			funds[n++] = fund;
	}
	if (new_fund)
		lock_new_fund();
	qsort(funds, n, sizeof(int64), compare_int64);
	for (i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i == 0 || funds[i] != funds[i - 1])
			lock_fund(funds[i]);
	}
	pfree(funds);
	return projector_read(events, nevents);
}

/* Whoever appends to a stream of a fund, or expects something of it, has locked the fund. */
static bool
guards(const char *stream)
{
	int64		fund_id = fund_of_stream(stream);

	Assert(fund_id <= 0 || fund_is_alone(fund_id) || fund_is_shared(fund_id));
	return fund_id > 0 && fund_is_alone(fund_id);
}

static void
release(void *known)
{
	rows_end(known);
}

/* The row that a stream is of knows it; another way to write the id is no stream. */
static bool
find_stream(void *known, const char *stream, int64 *id, int64 *version)
{
	int64		fund_id = fund_of_stream(stream);
	bool		is_fund = stream[0] == 'f';
	const char *digits;
	const char *rest;
	Row		   *row;

	if (fund_id <= 0)
		return false;
	digits = strchr(stream, '-') + 1;
	rest = digits + strspn(digits, "0123456789");
	if (*digits < '1' || *digits > '9' || *rest != (is_fund ? '\0' : '-'))
		return false;
	if (is_fund)
		row = rows_find_int64(known, TABLE_FUND, fund_id);
	else
	{
		Datum		keys[2];

		keys[0] = Int64GetDatum(fund_id);
		keys[1] = CStringGetTextDatum(rest + 1);
		row = rows_find_known(known, TABLE_INVESTMENT, keys);
	}
	if (row == NULL)
		return false;
	*id = row_int64(row, is_fund ? FUND_STREAM_ID : INVESTMENT_STREAM_ID);
	*version = row_int64(row, is_fund ? FUND_LAST_VERSION : INVESTMENT_LAST_VERSION);
	return true;
}

/* A halt is of a fund or of the market: just one of the two is named. */
static void
check_halt(const NewEvent *event)
{
	if ((json_find(event->payload, "fund_id") == NULL) ==
		(json_find(event->payload, "index_name") == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_PAYLOAD_MISFIT),
				 errmsg("payload of %s does not fit its type: keys \"fund_id\", \"index_name\"",
						event->type),
				 errdetail("One of them must be there, and the other not."),
				 errhint("Give fund_id for one fund, or index_name for the whole market.")));
}

/* What a reversal says of the reversed event is what the log has. */
static void
check_reversal(const NewEvent *event)
{
	int64		position = json_int64(event->payload, "reversed_position");
	char	   *id = json_string(event->payload, "reversed_event_id");
	StoredEvent reversed;

	if (!log_find_position(position, &reversed) ||
		memcmp(&reversed.event_id,
			   DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(id))), UUID_LEN) != 0 ||
		strcmp(text_to_cstring(log_type_name(reversed.type_id)), json_string(event->payload, "reversed_type")) != 0 ||
		compareJsonbContainers(&reversed.payload->root,
							   &json_json(event->payload, "reversed")->root) != 0 ||
		event->effective_at < reversed.effective_at)
		ereport(ERROR,
				(errcode(ERRCODE_PAYLOAD_MISFIT),
				 errmsg("payload of %s does not fit the event that it reverses", event->type),
				 errdetail("Position " INT64_FORMAT " of the log does not have event %s, of that type and payload, effective by then.",
						   position, id),
				 errhint("Use fundes.reverse_event().")));
}

static void
check_event(const NewEvent *event)
{
	char	   *stream;
	const char *key = "fund_id";

	switch ((FundEventType) event->event_type.type_id)
	{
		case INVESTOR_CREATED:
			stream = investor_stream(json_string(event->payload, "investor_id"));
			key = "investor_id";
			break;
		case INVESTMENT_CREATED:
		case INVESTMENT_WITHDRAWN:
			stream = holding_stream(json_int64(event->payload, "fund_id"),
									json_string(event->payload, "investor_id"));
			break;
		case INDEX_PUBLISHED:
			stream = index_stream(json_string(event->payload, "index_name"));
			key = "index_name";
			break;
		case TRADING_HALTED:
		case TRADING_RESUMED:
			check_halt(event);
			if (json_find(event->payload, "fund_id") != NULL)
				stream = fund_stream(json_int64(event->payload, "fund_id"));
			else
			{
				stream = index_stream(json_string(event->payload, "index_name"));
				key = "index_name";
			}
			break;
		default:
			stream = fund_stream(json_int64(event->payload, "fund_id"));
	}
	if (event->event_type.type_id == EVENT_REVERSED)
		check_reversal(event);
	if (event->event_type.type_id == FUND_CREATED)
		(void) checked_zone(json_string(event->payload, "time_zone"));
	if (strcmp(stream, event->stream) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_PAYLOAD_MISFIT),
				 errmsg("payload of %s does not fit its stream: key \"%s\"",
						event->type, key),
				 errdetail("By the payload the event belongs to stream \"%s\", not \"%s\".",
						   stream, event->stream),
				 errhint("Append it to the stream of its fund, holding, investor or index.")));
}

const AppendModule fund_module = {
	.reserves = reserves,
	.lock = lock_funds,
	.release = release,
	.guards = guards,
	.find_stream = find_stream,
	.check = check_event,
	.project = project_events,
	.project_trigger = "project"
};
