-- The rows that fundes keeps for a purchase, in plain tables with the same
-- indexes, and a trigger that writes them: all figures of the fund, the
-- copyright, and what the event added.
create table fund (
	fund_id						bigint primary key,
	capital_cash				numeric not null default 1000000000000,
	asset_value					numeric not null default 0,
	liabilities					numeric not null default 0,
	total_supply				numeric not null default 1000000000,
	accumulated_purchase_value	numeric not null default 0,
	accumulated_sold_value		numeric not null default 0,
	subscriptions				numeric not null default 1000000000000,
	redemptions					numeric not null default 0,
	realised_gain				numeric not null default 0,
	royalty_income				numeric not null default 0,
	fee_expense					numeric not null default 0,
	distributed					numeric not null default 0,
	last_effective_at			timestamptz not null default now(),
	last_version				bigint not null default 0,
	last_position				bigint not null default 0,
	entries						bigint not null default 0
) with (fillfactor = 50);
create table mcp (
	asset_id				bigint primary key,
	fund_id					bigint not null,
	copyright_code			text collate "C" not null,
	registration_number		text collate "C" not null,
	music_id				text collate "C" not null,
	acquisition_date		date not null,
	cost_cash				numeric not null,
	value_cash				numeric not null,
	royalty_income			numeric not null default 0,
	is_stale				boolean not null default false,
	purchased_at			timestamptz not null default now(),
	sold_at					timestamptz,
	last_position			bigint not null,
	reversed				boolean not null default false
) with (fillfactor = 45);
create unique index on mcp (copyright_code, registration_number, music_id) where sold_at is null and not reversed;
create index on mcp (fund_id);
create table fund_entry (
	fund_id						bigint not null,
	last_position				bigint not null,
	effective_at				timestamptz not null default now(),
	recorded_at					timestamptz not null default clock_timestamp(),
	capital_cash				numeric,
	asset_value					numeric,
	accumulated_purchase_value	numeric,
	primary key (fund_id, last_position, effective_at)
);
insert into fund (fund_id) select generate_series(1, :funds);

create function project() returns trigger language plpgsql as $$
declare
	the_fund constant bigint := new.payload->>'fund_id';
	price constant numeric := new.payload->>'price_cash';
begin
	update fund
	   set capital_cash = capital_cash - price, asset_value = asset_value + price,
		   accumulated_purchase_value = accumulated_purchase_value + price,
		   last_effective_at = new.effective_at, last_version = new.version,
		   last_position = new.position, entries = entries + 1
	 where fund_id = the_fund;
	insert into mcp (asset_id, fund_id, copyright_code, registration_number, music_id, acquisition_date,
					 cost_cash, value_cash, purchased_at, last_position)
		values ((new.payload->>'asset_id')::bigint, the_fund, new.payload->>'copyright_code',
				new.payload->>'registration_number', new.payload->>'music_id',
				(new.payload->>'acquisition_date')::date, price, price, new.effective_at, new.position);
	insert into fund_entry
		values (the_fund, new.position, new.effective_at, new.recorded_at, -price, price, price);
	return null;
end
$$;
create trigger project after insert on event for each row execute function project();
vacuum analyze;
