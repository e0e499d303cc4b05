-- purchase_mcp as one writes it in PL/pgSQL: the same tables (their domains,
-- keys and indexes included), checks, lock and writes; no triggers.
create schema peer;
create table peer.fund (like fundes.fund including all) with (fillfactor = 50);
create table peer.mcp (like fundes.mcp including all) with (fillfactor = 80);
create table peer.fund_entry (like fundes.fund_entry including all);
create sequence peer.event_position;
create sequence peer.asset_id;
create table peer.event (
	position		bigint primary key default nextval('peer.event_position'),
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
insert into peer.fund select * from fundes.fund;
vacuum analyze;

create function peer.purchase_mcp(
	the_fund bigint, code text, registration text, music text, price numeric,
	estimate numeric default null, acquired date default null,
	effective timestamptz default null, id uuid default null)
	returns bigint language plpgsql as $$
declare
	f peer.fund;
	asset bigint;
	pos bigint;
	added peer.fund_entry;
begin
	if the_fund is null or code is null or registration is null or music is null or price is null then
		raise exception 'must not be null' using errcode = '22004';
	end if;
	if price = 'NaN' or price <= 0 or price >= 1e20 or estimate < 0 then
		raise exception 'Invalid amount' using errcode = 'UF005';
	end if;
	if length(code) not between 1 and 255 or length(registration) not between 1 and 255
	   or length(music) not between 1 and 255
	   or code ~ '[[:cntrl:]]' or registration ~ '[[:cntrl:]]' or music ~ '[[:cntrl:]]' then
		raise exception 'bad text' using errcode = '22023';
	end if;
	effective := coalesce(effective, now());

	select * into f from peer.fund where fund_id = the_fund for no key update;
	if not found then
		raise exception 'Fund not found' using errcode = 'UF002';
	end if;
	if trunc(price, f.cash_scale) <> price then
		raise exception 'Invalid amount' using errcode = 'UF005';
	end if;
	if id is not null then
		select (payload->>'asset_id')::bigint into asset from peer.event where event_id = id;
		if found then
			return asset;
		end if;
	end if;
	if effective > clock_timestamp() then
		raise exception 'in the future' using errcode = 'UF020';
	end if;
	if f.status <> 'open' then
		raise exception 'Fund is closed' using errcode = 'UF019';
	end if;
	if effective < f.closed_until then
		raise exception 'Period is closed' using errcode = 'UF011';
	end if;
	if (select h.halted and effective < coalesce(h.until, 'infinity') from fundes.trading_halt h
		 where h.fund_id = 0 and h.effective_at <= effective
		 order by h.effective_at desc, h.last_position desc limit 1) then
		raise exception 'Trading is halted' using errcode = 'UF010';
	end if;
	if f.capital_cash - f.liabilities < price then
		raise exception 'Insufficient fund' using errcode = 'UF003';
	end if;
	if exists (select from peer.mcp where copyright_code = code
				 and registration_number = registration and music_id = music and sold_at is null and not reversed) then
		raise exception 'MCP is held already' using errcode = 'UF016';
	end if;

	asset := nextval('peer.asset_id');
	acquired := coalesce(acquired, (effective at time zone f.time_zone)::date);
	insert into peer.event (event_id, stream, version, type, effective_at, payload)
		values (coalesce(id, gen_random_uuid()), 'fund-' || the_fund, f.last_version + 1, 'McpPurchased', effective,
				jsonb_build_object('fund_id', the_fund, 'asset_id', asset, 'copyright_code', code,
					'registration_number', registration, 'music_id', music, 'price_cash', price,
					'estimated_value_cash', estimate, 'acquisition_date', acquired))
		returning position into pos;
	insert into peer.mcp (asset_id, fund_id, copyright_code, registration_number, music_id,
						  acquisition_date, cost_cash, estimated_value_cash, value_cash,
						  royalty_income, is_stale, purchased_at, last_position, reversed)
		values (asset, the_fund, code, registration, music, acquired, price, estimate, price,
				0, false, effective, pos, false);
	insert into peer.fund_entry (fund_id, last_position, effective_at, recorded_at,
								 capital_cash, asset_value, accumulated_purchase_value)
		values (the_fund, pos, effective, clock_timestamp(), -price, price, price);
	update peer.fund
	   set capital_cash = capital_cash - price,
		   asset_value = asset_value + price,
		   accumulated_purchase_value = accumulated_purchase_value + price,
		   price_since = coalesce(price_since, effective),
		   last_effective_at = greatest(last_effective_at, effective),
		   last_version = last_version + 1,
		   last_position = pos,
		   last_recorded_at = clock_timestamp(),
		   entries = entries + 1
	 where fund_id = the_fund;
	return asset;
end
$$;
