-- The projection that one writes without an event store: one figure.
create table fund (
	fund_id		bigint primary key,
	accumulated	numeric not null default 0
) with (fillfactor = 50);
insert into fund (fund_id) select generate_series(1, :funds);

create function project() returns trigger language plpgsql as $$
begin
	update fund set accumulated = accumulated + (new.payload->>'price_cash')::numeric
	 where fund_id = (new.payload->>'fund_id')::bigint;
	return null;
end
$$;
create trigger project after insert on event for each row execute function project();
vacuum analyze;
