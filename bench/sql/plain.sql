-- What one writes without an event store: one table with the columns of view
-- fundes.event_log, and three indexes.
create sequence event_position;
create table event (
	position		bigint primary key default nextval('event_position'),
	version			bigint not null,
	effective_at	timestamptz not null default now(),
	recorded_at		timestamptz not null default clock_timestamp(),
	event_id		uuid not null unique default gen_random_uuid(),
	stream			text collate "C" not null,
	type			text collate "C" not null,
	payload			jsonb not null,
	metadata		jsonb,
	unique (stream, version)
);
