-- What the projector keeps. It is the only writer; the columns of each table
-- stand in the order of its enum in src/fund/projection.h. The domains' checks
-- are a second fence behind the rules (a table's CHECK would be parsed again
-- for each statement).

create table fundes.fund (
	fund_id						bigint primary key,
	name						text not null,
	status						text not null,
	currency					text not null,
	time_zone					text not null,
	cash_scale					fundes.required_cash_scale,
	unit_scale					fundes.required_unit_scale,
	initial_price				fundes.required_initial_price,
	max_price_drift				numeric,
	max_price_age				interval,
	base_price					fundes.price not null,
	price_date					date,			-- the day that base_price was struck for
	price_since					timestamptz,	-- where there is none: what the price ages from
	last_valuation_date			date,
	capital_cash				fundes.required_cash,
	asset_value					fundes.required_cash,
	liabilities					fundes.required_cash,
	total_supply				fundes.required_units,
	accumulated_purchase_value	fundes.required_cash,
	accumulated_sold_value		fundes.required_cash,
	subscriptions				fundes.required_cash,
	redemptions					fundes.required_cash,
	realised_gain				fundes.cash not null,
	royalty_income				fundes.required_cash,
	fee_expense					fundes.required_cash,
	distributed					fundes.required_cash,
	created_at					timestamptz not null,
	last_effective_at			timestamptz not null,
	stream_id					bigint not null,	-- of its stream,
	last_version				bigint not null,	-- and of the stream's last event
	last_position				bigint not null,
	last_recorded_at			timestamptz not null,
	entries						bigint not null,	-- rows of fund_entry
	late_entries				bigint not null,	-- entries in fund_late
	balance_at					timestamptz,		-- effective_at of the last balance,
	late_before					timestamptz,		-- and of the one before
	closed_through				date,			-- the last day of the closed period
	closed_until				timestamptz,	-- the moment at which that day ended
	last_distribution_id		bigint not null,
	ex_at						timestamptz,	-- of the last declared distribution or start anew
	struck_at					timestamptz not null,	-- of the last strike of base_price
	halted						boolean not null	-- it has rows in trading_halt
) with (fillfactor = 50);
comment on table fundes.fund is 'Projection: a fund''s accumulated figures (internal; read view fund_sheet)';

create table fundes.investor (
	investor_id		text collate "C" primary key,
	name			text not null,
	created_at		timestamptz not null,
	last_version	bigint not null,
	last_position	bigint not null
);
comment on table fundes.investor is 'Projection: an investor (internal)';

create table fundes.investment (
	fund_id				bigint not null,
	investor_id			text collate "C" not null,
	units				fundes.required_units,
	investment_amount	fundes.required_cash,
	cost_basis			fundes.required_cash,
	withdrawn_amount	fundes.required_cash,
	realised_gain		fundes.cash not null,
	distributions		fundes.required_cash,
	stream_id			bigint not null,	-- as in fundes.fund
	last_version		bigint not null,
	last_position		bigint not null,
	last_effective_at	timestamptz not null,
	entries				bigint not null,	-- as in fundes.fund
	late_entries		bigint not null,
	balance_at			timestamptz,
	late_before			timestamptz,
	primary key (fund_id, investor_id)
) with (fillfactor = 80);
create index investment_investor on fundes.investment (investor_id);
comment on table fundes.investment is 'Projection: an investor''s holding of a fund (internal; read view investment_current_value)';

-- Half of a page is left for the night, in which each value changes.
create table fundes.mcp (
	asset_id				bigint primary key,
	fund_id					bigint not null,
	copyright_code			text collate "C" not null,
	registration_number		text collate "C" not null,
	music_id				text collate "C" not null,
	acquisition_date		date not null,
	cost_cash				fundes.required_cash,
	estimated_value_cash	fundes.cash,
	value_cash				fundes.required_cash,
	royalty_income			fundes.required_cash,
	last_price_date			date,
	is_stale				boolean not null,
	purchased_at			timestamptz not null,
	sold_at					timestamptz,
	sold_price_cash			fundes.cash,
	last_position			bigint not null,
	reversed				boolean not null,	-- the purchase was: as if it had never been
	gone_at					timestamptz,		-- of a sale that was reversed,
	back_at					timestamptz,		-- and of its reversal
	held_until				timestamptz			-- sold_at, or from when on the purchase is reversed; null: held, or never was
) with (fillfactor = 45);
create unique index mcp_held_once on fundes.mcp (copyright_code, registration_number, music_id) where sold_at is null and not reversed;
create index mcp_once_held on fundes.mcp (copyright_code, registration_number, music_id, held_until) where held_until is not null;
create index mcp_fund on fundes.mcp (fund_id);
comment on table fundes.mcp is 'Projection: a copyright that a fund holds or held (internal; read view mcp_holding)';

create table fundes.fee_account (
	fund_id			bigint not null,
	kind			text collate "C" not null,
	accrued			fundes.required_cash,
	paid			fundes.cash not null check (paid between 0 and accrued),
	last_position	bigint not null,
	primary key (fund_id, kind)
);
comment on table fundes.fee_account is 'Projection: fees accrued and paid, by kind (internal)';

create table fundes.valuation (
	fund_id			bigint not null,
	valuation_date	date not null,
	revision		integer not null,
	nav				fundes.cash not null,
	capital_cash	fundes.cash not null,
	asset_value		fundes.cash not null,
	liabilities		fundes.cash not null,
	total_supply	fundes.units not null,
	base_price		fundes.price not null,
	last_position	bigint not null,
	as_of			timestamptz not null,	-- the moment at which the day ended
	struck			boolean not null,		-- base_price was struck, or it is history only
	needs_restatement	boolean not null,	-- something effective by then was recorded later
	primary key (fund_id, valuation_date, revision)
);
comment on table fundes.valuation is 'Projection: each valuation and revision (internal; read view nav_history)';

create table fundes.distribution (
	fund_id			bigint not null,
	distribution_id	bigint not null,
	record_date		date not null,
	declared_at		timestamptz not null,
	amount			fundes.required_cash,
	per_unit		fundes.price not null,
	total			fundes.required_cash,
	entitlements	jsonb not null,			-- investor_id: cash
	status			text not null,			-- declared, paid, reversed
	paid_at			timestamptz,
	last_position	bigint not null,
	open_since		timestamptz not null,	-- declared and not paid, unless it is paid now
	books_changed	boolean not null,		-- something effective before it was recorded later
	primary key (fund_id, distribution_id)
);
comment on table fundes.distribution is 'Projection: distributions declared, and what became of them (internal)';

create table fundes.market_index (
	index_name		text collate "C" not null,
	index_date		date not null,
	level			fundes.price not null,
	last_position	bigint not null,
	primary key (index_name, index_date)
);
comment on table fundes.market_index is 'Projection: the level of an index by day, as last published (internal)';

-- In force at a moment: the last row up to then is halted, and until is later.
create table fundes.trading_halt (
	fund_id			bigint not null,	-- 0: the whole market
	effective_at	timestamptz not null,
	last_position	bigint not null,
	halted			boolean not null,	-- or resumed
	until			timestamptz,		-- null: until resumed
	reason			text,
	index_name		text,				-- of a halt of the whole market: the index that fell, or market
	primary key (fund_id, effective_at, last_position)
);
comment on table fundes.trading_halt is 'Projection: halts of dealing and their ends (internal)';

create table fundes.reversal (
	reversed_position	bigint primary key,
	fund_id				bigint not null,
	last_position		bigint not null
);
create index reversal_fund on fundes.reversal (fund_id);
comment on table fundes.reversal is 'Projection: which events were reversed, by which (internal)';

-- What the status of a fund and its closed period were at a moment.
create table fundes.closing (
	fund_id			bigint not null,
	last_position	bigint not null,
	effective_at	timestamptz not null,
	recorded_at		timestamptz not null,
	ends_fund		boolean not null,	-- the fund is closed; or a period is, or is reopened
	closed_through	date,				-- of a period: what is closed since; null: nothing
	primary key (fund_id, last_position)
);
comment on table fundes.closing is 'Projection: periods closed and reopened, funds closed (internal)';

-- What each event added to the figures of a fund, and the price if it struck
-- one; null where nothing. From these the figures of any moment are told.
create table fundes.fund_entry (
	fund_id						bigint not null,
	last_position				bigint not null,
	effective_at				timestamptz not null,
	recorded_at					timestamptz not null,
	capital_cash				fundes.cash,
	asset_value					fundes.cash,
	liabilities					fundes.cash,
	total_supply				fundes.units,
	accumulated_purchase_value	fundes.cash,
	accumulated_sold_value		fundes.cash,
	subscriptions				fundes.cash,
	redemptions					fundes.cash,
	realised_gain				fundes.cash,
	royalty_income				fundes.cash,
	fee_expense					fundes.cash,
	distributed					fundes.cash,
	base_price					fundes.price,
	price_date					date,
	price_since					timestamptz,
	primary key (fund_id, last_position, effective_at)
);
create index fund_entry_price on fundes.fund_entry (fund_id, effective_at, last_position) where base_price is not null;
create index fund_entry_price_known on fundes.fund_entry (fund_id, last_position) where base_price is not null;
comment on table fundes.fund_entry is 'Projection: what each event added to a fund''s figures (internal)';

-- Every so many entries: what the figures came to, and the greatest
-- effective_at and recorded_at by then; see src/fund/timeline.h.
create table fundes.fund_balance (
	fund_id						bigint not null,
	last_position				bigint not null,
	effective_at				timestamptz not null,
	recorded_at					timestamptz not null,
	late_entries				bigint not null,
	capital_cash				fundes.cash not null,
	asset_value					fundes.cash not null,
	liabilities					fundes.cash not null,
	total_supply				fundes.units not null,
	accumulated_purchase_value	fundes.cash not null,
	accumulated_sold_value		fundes.cash not null,
	subscriptions				fundes.cash not null,
	redemptions					fundes.cash not null,
	realised_gain				fundes.cash not null,
	royalty_income				fundes.cash not null,
	fee_expense					fundes.cash not null,
	distributed					fundes.cash not null,
	primary key (fund_id, last_position)
);
create index fund_balance_effective on fundes.fund_balance (fund_id, effective_at, last_position);
create index fund_balance_recorded on fundes.fund_balance (fund_id, recorded_at, last_position);
comment on table fundes.fund_balance is 'Projection: running totals of a fund''s entries (internal)';

-- Entries that came late (level 0), their running totals (-1), and blocks of
-- them in the order of effective_at, with running sums.
create table fundes.fund_late (
	fund_id						bigint not null,
	level						integer not null,
	block						bigint not null,
	effective_at				timestamptz not null,
	last_position				bigint not null,
	capital_cash				fundes.cash not null,
	asset_value					fundes.cash not null,
	liabilities					fundes.cash not null,
	total_supply				fundes.units not null,
	accumulated_purchase_value	fundes.cash not null,
	accumulated_sold_value		fundes.cash not null,
	subscriptions				fundes.cash not null,
	redemptions					fundes.cash not null,
	realised_gain				fundes.cash not null,
	royalty_income				fundes.cash not null,
	fee_expense					fundes.cash not null,
	distributed					fundes.cash not null,
	primary key (fund_id, level, block, effective_at, last_position)
);
create index fund_late_known on fundes.fund_late (fund_id, last_position) where level = 0;
comment on table fundes.fund_late is 'Projection: entries of a fund that came late, with running sums (internal)';

-- The same for holdings.
create table fundes.holding_entry (
	fund_id				bigint not null,
	investor_id			text collate "C" not null,
	last_position		bigint not null,
	effective_at		timestamptz not null,
	units				fundes.units,
	investment_amount	fundes.cash,
	cost_basis			fundes.cash,
	withdrawn_amount	fundes.cash,
	realised_gain		fundes.cash,
	distributions		fundes.cash,
	primary key (fund_id, investor_id, last_position, effective_at)
);
comment on table fundes.holding_entry is 'Projection: what each event added to a holding''s figures (internal)';

create table fundes.holding_balance (
	fund_id				bigint not null,
	investor_id			text collate "C" not null,
	last_position		bigint not null,
	effective_at		timestamptz not null,
	late_entries		bigint not null,
	units				fundes.units not null,
	investment_amount	fundes.cash not null,
	cost_basis			fundes.cash not null,
	withdrawn_amount	fundes.cash not null,
	realised_gain		fundes.cash not null,
	distributions		fundes.cash not null,
	primary key (fund_id, investor_id, last_position)
);
create index holding_balance_effective on fundes.holding_balance (fund_id, investor_id, effective_at, last_position);
comment on table fundes.holding_balance is 'Projection: running totals of a holding''s entries (internal)';

create table fundes.holding_late (
	fund_id				bigint not null,
	investor_id			text collate "C" not null,
	level				integer not null,
	block				bigint not null,
	effective_at		timestamptz not null,
	last_position		bigint not null,
	units				fundes.units not null,
	investment_amount	fundes.cash not null,
	cost_basis			fundes.cash not null,
	withdrawn_amount	fundes.cash not null,
	realised_gain		fundes.cash not null,
	distributions		fundes.cash not null,
	primary key (fund_id, investor_id, level, block, effective_at, last_position)
);
create index holding_late_known on fundes.holding_late (fund_id, investor_id, last_position) where level = 0;
comment on table fundes.holding_late is 'Projection: entries of a holding that came late, with running sums (internal)';

-- A fund with the pay-ins that are pending, see src/fund/pending.h. The columns
-- are those of fundes.fund.
create view fundes.fund_now as
select f.fund_id,
	   f.name,
	   f.status,
	   f.currency,
	   f.time_zone,
	   f.cash_scale,
	   f.unit_scale,
	   f.initial_price,
	   f.max_price_drift,
	   f.max_price_age,
	   f.base_price,
	   f.price_date,
	   f.price_since,
	   f.last_valuation_date,
	   f.capital_cash + coalesce(p.capital_cash, 0) as capital_cash,
	   f.asset_value,
	   f.liabilities,
	   f.total_supply + coalesce(p.total_supply, 0) as total_supply,
	   f.accumulated_purchase_value,
	   f.accumulated_sold_value,
	   f.subscriptions + coalesce(p.subscriptions, 0) as subscriptions,
	   f.redemptions,
	   f.realised_gain,
	   f.royalty_income,
	   f.fee_expense,
	   f.distributed,
	   f.created_at,
	   greatest(f.last_effective_at, p.last_effective_at) as last_effective_at,
	   f.stream_id,
	   f.last_version,
	   greatest(f.last_position, p.last_position) as last_position,
	   greatest(f.last_recorded_at, p.last_recorded_at) as last_recorded_at,
	   f.entries,
	   f.late_entries,
	   f.balance_at,
	   f.late_before,
	   f.closed_through,
	   f.closed_until,
	   f.last_distribution_id,
	   f.ex_at,
	   f.struck_at,
	   f.halted
  from fundes.fund f
  left join lateral (
	select sum(e.capital_cash) as capital_cash,
		   sum(e.total_supply) as total_supply,
		   sum(e.subscriptions) as subscriptions,
		   max(e.effective_at) as last_effective_at,
		   max(e.last_position) as last_position,
		   max(e.recorded_at) as last_recorded_at
	  from fundes.fund_entry e
	 where e.fund_id = f.fund_id and e.last_position > f.last_position) p on true;
comment on view fundes.fund_now is 'A fund''s figures with all entries (internal; read view fund_sheet)';

-- Ids of copyrights in funds; an id that an imported event brought is skipped.
create sequence fundes.asset_id;
comment on sequence fundes.asset_id is 'Hands out asset ids (internal)';
select pg_catalog.pg_extension_config_dump('fundes.asset_id', '');

-- Not derived from the log: quotes come from outside, verifiers never go in.
create table fundes.mcp_price (
	copyright_code		text collate "C" not null,
	registration_number	text collate "C" not null,
	music_id			text collate "C" not null,
	price_date			date not null,
	price				fundes.price not null,
	recorded_at			timestamptz not null,
	primary key (copyright_code, registration_number, music_id, price_date)
);
comment on table fundes.mcp_price is 'Quotes of copyrights by day, as record_mcp_price brought them (internal)';
select pg_catalog.pg_extension_config_dump('fundes.mcp_price', '');

create table fundes.investor_credential (
	investor_id	text collate "C" primary key,
	verifier	text not null
);
comment on table fundes.investor_credential is 'SCRAM-SHA-256 verifiers of investors'' passwords (internal)';
select pg_catalog.pg_extension_config_dump('fundes.investor_credential', '');

create function fundes.project() returns trigger
	language c as 'MODULE_PATHNAME', 'fundes_project';
comment on function fundes.project() is 'Trigger that folds the events of a statement into the projections';

create trigger project after insert on fundes.event
	referencing new table as new_event
	for each statement execute function fundes.project();
alter table fundes.event enable always trigger project;

create function fundes.rebuild_projections() returns bigint
	language c as 'MODULE_PATHNAME', 'fundes_rebuild_projections';
comment on function fundes.rebuild_projections() is
$$Folds the whole log anew and mends every projection row that differs. Returns how many rows it wrote or removed; 0 where all was right.
Readers go on, commands wait until it commits.
A large log is folded by up to max_parallel_maintenance_workers parallel workers, where its rows have room in maintenance_work_mem.
Example: select fundes.rebuild_projections();$$;

create function fundes.verify_projections(
	out projection text, out key jsonb, out stored jsonb, out folded jsonb)
	returns setof record
	language c as 'MODULE_PATHNAME', 'fundes_verify_projections';
comment on function fundes.verify_projections() is
$$Folds the whole log anew and returns the rows in which projection and log differ: the table, its key, the row as stored (NULL: missing) and as folded (NULL: should not be there). No rows is right.
Commands and readers go on. Workers and memory are used as by rebuild_projections.
It folds into temporary tables, so not in a READ ONLY transaction or on a standby (25006), nor before PREPARE TRANSACTION.
Example: select * from fundes.verify_projections();$$;
