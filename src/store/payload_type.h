/*-------------------------------------------------------------------------
 *
 * payload_type.h
 *	  Whether a payload fits the composite type that its event type has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_PAYLOAD_TYPE_H
#define FUNDES_PAYLOAD_TYPE_H

#include "utils/jsonb.h"

/* Raises UF023 with the first key that does not fit. */
extern void payload_check(Oid payload_type, const char *event_type,
						  const Jsonb *payload);

#endif							/* FUNDES_PAYLOAD_TYPE_H */
