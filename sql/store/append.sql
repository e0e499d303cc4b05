-- Writing the log.

create type fundes.appended as (
	event_id	uuid,
	stream		text,
	version		bigint,
	"position"	bigint,
	replayed	boolean
);
comment on type fundes.appended is 'Where an event stands in the log; replayed where it had been there before the call';

create function fundes.append(
	stream text, type text, payload jsonb,
	expected_version bigint default null, event_id uuid default null,
	metadata jsonb default null, effective_at timestamptz default null)
	returns fundes.appended
	language c as 'MODULE_PATHNAME', 'fundes_append';
comment on function fundes.append(text, text, jsonb, bigint, uuid, jsonb, timestamptz) is
$$Appends one event to a stream.
expected_version: NULL any, 0 the stream must be empty, n > 0 exactly n, -4 must not be empty.
event_id is an idempotency key: the same call again returns the first result with replayed = true.
Errors: 22004, 22001, 22023 arguments; 54000 event too large; UF008 event_id known with other content; UF021 wrong expected version; UF023 payload does not fit its type.
Example: select * from fundes.append('order-7', 'OrderPlaced', '{"sum": 12}', expected_version => 0);$$;

create function fundes.append_batch(
	streams text[], types text[], payloads jsonb[],
	event_ids uuid[] default null, metadata jsonb[] default null,
	effective_at timestamptz[] default null,
	expected_streams text[] default null, expected_versions bigint[] default null)
	returns setof fundes.appended
	language c as 'MODULE_PATHNAME', 'fundes_append_batch';
comment on function fundes.append_batch(text[], text[], jsonb[], uuid[], jsonb[], timestamptz[], text[], bigint[]) is
$$Appends up to 100,000 events to any streams in the order given, all or nothing.
Expectations stand per stream (expected_streams, expected_versions; values as in append) and may name streams that the batch does not write.
Returns a row an event, in the order given. Errors as append.
Example: select * from fundes.append_batch(array['a-1','b-1'], array['X','Y'], array['{}','{}']::jsonb[]);$$;

create function fundes.define_event_type(type text, payload_type regtype default null)
	returns void
	language c as 'MODULE_PATHNAME', 'fundes_define_event_type';
comment on function fundes.define_event_type(text, regtype) is
$$Says what the payload of later events of a type must convert to: a composite type, or NULL for any object.
Every attribute must be there unless its type allows null; there may be no other keys; values convert and satisfy the domains' checks. A miss is UF023.
Errors: 22004, 22001, 22023 arguments or a built-in type; 42809 not a composite type; 0A000 an attribute of a kind that cannot be checked.
Example: create type order_placed as (sum numeric); select fundes.define_event_type('OrderPlaced', 'order_placed');$$;
