/*-------------------------------------------------------------------------
 *
 * log_output.c
 *	  Giving events to the caller, see log_output.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "store/event_id.h"
#include "store/log.h"
#include "store/log_output.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

/* Columns of fundes.event_log. */
#define LOG_COLUMNS 9

void
log_output_begin(LogOutput *output, ReturnSetInfo *result)
{
	memset(output, 0, sizeof(*output));
	output->result = result;
	output->context = CurrentMemoryContext;
	output->row_context = AllocSetContextCreate(CurrentMemoryContext, "fundes row",
												ALLOCSET_DEFAULT_SIZES);
}

void
log_output_end(LogOutput *output)
{
	MemoryContextDelete(output->row_context);
}

static Datum
stream_name(LogOutput *output, int64 id)
{
	if (output->stream.name == NULL || output->stream.id != id)
	{
		MemoryContext old = MemoryContextSwitchTo(output->context);

		if (output->stream.name != NULL)
			pfree(output->stream.name);
		output->stream.name = log_stream_name(id);
		output->stream.id = id;
		MemoryContextSwitchTo(old);
	}
	return PointerGetDatum(output->stream.name);
}

static Datum
type_name(LogOutput *output, int32 id)
{
	if (output->type.name == NULL || output->type.id != id)
	{
		MemoryContext old = MemoryContextSwitchTo(output->context);

		if (output->type.name != NULL)
			pfree(output->type.name);
		output->type.name = log_type_name(id);
		output->type.id = id;
		MemoryContextSwitchTo(old);
	}
	return PointerGetDatum(output->type.name);
}

/* The id that was given, or that which the row makes. */
static Datum
event_id(TupleTableSlot *event, pg_uuid_t *made)
{
	if (!event->tts_isnull[EVENT_EVENT_ID - 1])
		return event->tts_values[EVENT_EVENT_ID - 1];
	event_id_make(made,
				  DatumGetTimestampTz(event->tts_values[EVENT_RECORDED_AT - 1]),
				  DatumGetInt64(event->tts_values[EVENT_POSITION - 1]));
	return UUIDPGetDatum(made);
}

void
log_output(LogOutput *output, TupleTableSlot *event)
{
	MemoryContext old = MemoryContextSwitchTo(output->row_context);
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS] = {0};
	pg_uuid_t	made;

	slot_getallattrs(event);
	values[0] = event->tts_values[EVENT_POSITION - 1];
	values[1] = stream_name(output, DatumGetInt64(event->tts_values[EVENT_STREAM_ID - 1]));
	values[2] = event->tts_values[EVENT_VERSION - 1];
	values[3] = event_id(event, &made);
	values[4] = type_name(output, DatumGetInt32(event->tts_values[EVENT_TYPE_ID - 1]));
	values[5] = event->tts_values[EVENT_PAYLOAD - 1];
	values[6] = event->tts_values[EVENT_METADATA - 1];
	nulls[6] = event->tts_isnull[EVENT_METADATA - 1];
	values[7] = event->tts_values[EVENT_EFFECTIVE_AT - 1];
	values[8] = event->tts_values[EVENT_RECORDED_AT - 1];
	tuplestore_putvalues(output->result->setResult, output->result->setDesc, values, nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(output->row_context);
}
