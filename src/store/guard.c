/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  The trigger that keeps the log append-only for everyone.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "commands/trigger.h"
#include "utils/rel.h"

FUNDES_FUNCTION(fundes_refuse_change);

Datum
fundes_refuse_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	const char *operation;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("fundes.refuse_change() must be called as a trigger")));
	operation = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? "UPDATE" :
		TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ? "DELETE" : "TRUNCATE";
	ereport(ERROR,
			(errcode(ERRCODE_APPEND_ONLY),
			 errmsg("the event log is append-only"),
			 errdetail("%s of fundes.%s is refused.",
					   operation, RelationGetRelationName(trigdata->tg_relation)),
			 errhint("To take an event back, append one that reverses it.")));
	return (Datum) 0;
}
