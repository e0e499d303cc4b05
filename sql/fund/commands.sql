-- The commands. After its own parameters each takes the same four:
--   effective_at      when it is true; NULL: now()
--   event_id          idempotency key
--   expected_version  of the stream that the event goes to; NULL: any
--   metadata          who and why
-- Any command may raise 22004, 22003, UF008 (event_id known with other
-- content), UF011 (in a closed period), UF020 (effective_at in the future),
-- UF021 (wrong expected version).

create type fundes.investment_receipt as (
	units		fundes.units,
	unit_price	fundes.price,
	cash_taken	fundes.cash,
	refund_cash	fundes.cash,
	event_id	uuid
);
comment on type fundes.investment_receipt is 'What a pay-in bought: units issued, the price of one, cash taken and cash refunded';

create type fundes.withdrawal_receipt as (
	withdrawn_amount	fundes.cash,
	unit_price			fundes.price,
	realised_gain		fundes.cash,
	event_id			uuid
);
comment on type fundes.withdrawal_receipt is 'What a withdrawal paid: cash paid out, the price of one unit, gain over the cost relieved';

create type fundes.fund_valuation as (
	fund_id			bigint,
	valuation_date	date,
	asset_value		fundes.cash,
	capital_cash	fundes.cash,
	liabilities		fundes.cash,
	nav				fundes.cash,
	total_supply	fundes.units,
	base_price		fundes.price,
	stale_count		integer,
	status			text
);
comment on type fundes.fund_valuation is 'A fund''s figures at the end of a day: NAV = capital_cash + asset_value - liabilities, base_price = NAV / total_supply';

create function fundes.create_fund(
	name text, initial_price numeric default 1000, cash_scale integer default 0,
	unit_scale integer default 0, currency text default 'KRW', time_zone text default 'Asia/Seoul',
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns bigint
	language c as 'MODULE_PATHNAME', 'fundes_create_fund';
comment on function fundes.create_fund(text, numeric, integer, integer, text, text, timestamptz, uuid, bigint, jsonb) is
$$Creates a fund and returns its fund_id: 1 in an empty store, then 2, and so on.
initial_price: cash a unit, up to 4 decimals. cash_scale (0 to 4), unit_scale (0 to 6): decimals of its money and units. currency: three capital letters. time_zone: decides when its days end.
Errors: UF005 initial_price; 22023 the others.
Example: select fundes.create_fund('Ballads I');$$;

create function fundes.set_price_limits(
	fund_id bigint, max_price_drift numeric, max_price_age interval,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_set_price_limits';
comment on function fundes.set_price_limits(bigint, numeric, interval, timestamptz, uuid, bigint, jsonb) is
$$Sets how far the live NAV per unit may be from base_price (a fraction), and how old base_price may be, for a deal to be accepted. Both are set: NULL switches a limit off. A new fund has 0.02 and 7 days.
Returns the event's id. Errors: UF002; UF005 max_price_drift; 22023 max_price_age.
Example: select fundes.set_price_limits(1, 0.05, '3 days');$$;

create function fundes.create_investor(
	id text, name text, password text default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns text
	language c as 'MODULE_PATHNAME', 'fundes_create_investor';
comment on function fundes.create_investor(text, text, text, timestamptz, uuid, bigint, jsonb) is
$$Creates an investor and returns the id. Of the password only a SCRAM-SHA-256 verifier is kept, and not in the log.
id: 1 to 200 bytes, name: 1 to 255 characters, without control characters.
Errors: 22023; UF024 id taken.
Example: select fundes.create_investor('kim-01', 'Kim');$$;

create function fundes.authenticate_investor(id text, password text)
	returns boolean
	language c stable as 'MODULE_PATHNAME', 'fundes_authenticate_investor';
comment on function fundes.authenticate_investor(text, text) is
$$Whether the password is the investor's. An unknown investor, one without a password and a wrong password all give false after the same work.
Errors: 22004. Example: select fundes.authenticate_investor('kim-01', 'secret');$$;

create function fundes.create_investment(
	investor_id text, fund_id bigint, investment_amount numeric,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns fundes.investment_receipt
	language c as 'MODULE_PATHNAME', 'fundes_create_investment';
comment on function fundes.create_investment(text, bigint, numeric, timestamptz, uuid, bigint, jsonb) is
$$Issues units to an investor at base_price. units = floor(investment_amount / base_price) at unit_scale; cash_taken = ceil(units * base_price) at cash_scale; the rest is refunded.
Errors: UF001 investor, UF002 fund; UF005 amount; UF010 trading halted; UF019 fund closed; UF009 price stale or drifted; UF012 too small; UF017 residual assets without units, or a later event builds on there being no units.
Example: select * from fundes.create_investment('kim-01', 1, 500500);$$;

create function fundes.withdraw_investment(
	investor_id text, fund_id bigint, stock_quantity numeric,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns fundes.withdrawal_receipt
	language c as 'MODULE_PATHNAME', 'fundes_withdraw_investment';
comment on function fundes.withdraw_investment(text, bigint, numeric, timestamptz, uuid, bigint, jsonb) is
$$Cancels units of an investor and pays floor(stock_quantity * base_price) at cash_scale. The cost relieved is floor(cost_basis * stock_quantity / units), all of it with the last unit.
Errors: UF001 investor, UF002 fund, UF006 never invested; UF004 not enough units; UF005 quantity; UF003 not enough cash; UF010 trading halted; UF009 price stale or drifted; UF012 would pay 0.
Example: select * from fundes.withdraw_investment('kim-01', 1, 400);$$;

create function fundes.purchase_mcp(
	fund_id bigint, copyright_code text, registration_number text, music_id text,
	price_cash numeric, estimated_value_cash numeric default null, acquisition_date date default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns bigint
	language c as 'MODULE_PATHNAME', 'fundes_purchase_mcp';
comment on function fundes.purchase_mcp(bigint, text, text, text, numeric, numeric, date, timestamptz, uuid, bigint, jsonb) is
$$Buys a copyright into a fund and returns its asset_id. It is carried at price_cash until it is valued. acquisition_date: NULL is the day of effective_at in the fund's zone; later than the day after that is refused.
Errors: UF002 fund; UF003 more than capital_cash - liabilities; UF005 amounts; UF010 trading halted; UF016 held already, by any fund; UF019 fund closed; 22023.
Example: select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 600000);$$;

create function fundes.sell_mcp(
	fund_id bigint, asset_id bigint, price_cash numeric,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns numeric
	language c as 'MODULE_PATHNAME', 'fundes_sell_mcp';
comment on function fundes.sell_mcp(bigint, bigint, numeric, timestamptz, uuid, bigint, jsonb) is
$$Sells a copyright and returns the realised gain: price_cash less its cost. A price of 0 is allowed.
Errors: UF002 fund; UF005 price; UF007 the fund does not hold it; UF010 trading halted; UF017 the fund was empty later, when units were issued anew; UF019 fund closed.
Example: select fundes.sell_mcp(1, 2, 470000);$$;

create function fundes.record_royalty(
	fund_id bigint, asset_id bigint, amount numeric, period date default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_record_royalty';
comment on function fundes.record_royalty(bigint, bigint, numeric, date, timestamptz, uuid, bigint, jsonb) is
$$Takes a royalty into the fund's cash and returns the event's id. It may come after the copyright was sold.
Errors: UF002 fund; UF005 amount; UF007 the fund never held it; UF017 the fund was empty later, when units were issued anew; UF019 the fund was closed later.
Example: select fundes.record_royalty(1, 1, 12345, '2023-05-01');$$;

create function fundes.accrue_fee(
	fund_id bigint, amount numeric, kind text default 'management',
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_accrue_fee';
comment on function fundes.accrue_fee(bigint, numeric, text, timestamptz, uuid, bigint, jsonb) is
$$Makes a fee a liability of the fund and returns the event's id.
Errors: UF002 fund; UF003 more than capital_cash - liabilities; UF005 amount; UF019 fund closed; 22023 kind.
Example: select fundes.accrue_fee(1, 1500);$$;

create function fundes.pay_fee(
	fund_id bigint, amount numeric, kind text default 'management',
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_pay_fee';
comment on function fundes.pay_fee(bigint, numeric, text, timestamptz, uuid, bigint, jsonb) is
$$Pays an accrued fee from the fund's cash and returns the event's id.
Errors: UF002 fund; UF003 more than is accrued of that kind; UF005 amount; 22023 kind.
Example: select fundes.pay_fee(1, 1500);$$;

create function fundes.close_period(
	fund_id bigint, through_date date, reason text default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_close_period';
comment on function fundes.close_period(bigint, date, text, timestamptz, uuid, bigint, jsonb) is
$$Closes a fund's books through the end of a day in its zone and returns the event's id. Nothing can be dated into the closed period any more, and no day of it valued anew (UF011).
Errors: UF002 fund; UF020 the day has not ended; 22023 a day that is closed already, or before the fund was created.
Example: select fundes.close_period(1, '2023-06-30', 'half-year report');$$;

create function fundes.reopen_period(
	fund_id bigint, through_date date default null, reason text default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_reopen_period';
comment on function fundes.reopen_period(bigint, date, text, timestamptz, uuid, bigint, jsonb) is
$$Opens a fund's books again and returns the event's id: they are closed through through_date from then on, or NULL: not at all.
Errors: UF002 fund; 22023 nothing is closed, or through_date is not before the closed period's last day.
Example: select fundes.reopen_period(1, '2023-05-31', 'a royalty was missing');$$;

create function fundes.declare_distribution(
	fund_id bigint, amount numeric, record_date date default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns bigint
	language c as 'MODULE_PATHNAME', 'fundes_declare_distribution';
comment on function fundes.declare_distribution(bigint, numeric, date, timestamptz, uuid, bigint, jsonb) is
$$Declares a distribution of cash to the holders of units and returns its distribution_id: 1, 2, and so on in each fund. per_unit = floor(amount / units of record) at 4 decimals, a holder's entitlement = floor(units * per_unit) at cash_scale; what that leaves stays in the fund. The sum is owed until it is paid, and base_price is struck without it.
record_date: its holders at the end of that day in the fund's zone, or at effective_at where the day has not ended; NULL: the day of effective_at.
Errors: UF002 fund; UF005 amount; UF019 fund closed; UF020 record_date after the day of effective_at; 22023 before the fund was created; UF012 no units, or nobody would get a coin; UF003 more than capital_cash - liabilities; 0A000 before a price that was struck.
Example: select fundes.declare_distribution(1, 10000);$$;

create function fundes.pay_distribution(
	fund_id bigint, distribution_id bigint,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_pay_distribution';
comment on function fundes.pay_distribution(bigint, bigint, timestamptz, uuid, bigint, jsonb) is
$$Pays a declared distribution from the fund's cash and returns the event's id.
Errors: UF002 fund; 22023 no such distribution, or it is paid or reversed, or effective_at is before it was declared or before its last payment was reversed; UF003 not owed at some later point.
Example: select fundes.pay_distribution(1, 1);$$;

create function fundes.sweep_residual(
	fund_id bigint, recipient text, amount numeric default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_sweep_residual';
comment on function fundes.sweep_residual(bigint, text, numeric, timestamptz, uuid, bigint, jsonb) is
$$Takes out of a fund without units what nobody's units stand for, and returns the event's id. amount: NULL is all that may be spent. It counts as distributed.
Errors: UF002 fund; UF005 amount; 22023 recipient; UF017 units are outstanding; UF012 there is nothing; UF003 more than capital_cash - liabilities.
Example: select fundes.sweep_residual(1, 'trustee');$$;

create function fundes.close_fund(
	fund_id bigint, reason text default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_close_fund';
comment on function fundes.close_fund(bigint, text, timestamptz, uuid, bigint, jsonb) is
$$Closes a fund of which nothing is left and returns the event's id. From then on only royalties that still come in, and their sweeps, are recorded (UF019).
Errors: UF002 fund; UF019 closed already; UF017 it has units, cash, liabilities or copyrights; 22023 effective_at is before something that is recorded of it.
Example: select fundes.close_fund(1, 'term ended');$$;

create function fundes.publish_index(
	index_name text, index_date date, level numeric,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns boolean
	language c as 'MODULE_PATHNAME', 'fundes_publish_index';
comment on function fundes.publish_index(text, date, numeric, timestamptz, uuid, bigint, jsonb) is
$$Publishes the level of an index for a day and returns whether dealing in all funds is halted at effective_at. Another level for the day replaces it; the same again is harmless.
Where the index's newest day is below the last day before by the setting fundes.halt_threshold or more, dealing is halted for fundes.halt_duration: TradingHalted follows in the stream.
Errors: 22004; UF005 level; 22023 the others; UF020 the day has not begun anywhere.
Example: select fundes.publish_index('MCPI', '2023-06-01', 184.20);$$;

create function fundes.halt_trading(
	fund_id bigint default null, reason text default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_halt_trading';
comment on function fundes.halt_trading(bigint, text, timestamptz, uuid, bigint, jsonb) is
$$Halts dealing in a fund, or NULL: in all, until resume_trading, and returns the event's id. Pay-ins, withdrawals, purchases and sales are refused (UF010); valuations, royalties, fees and reversals go on.
Errors: UF002 fund; 22023 reason.
Example: select fundes.halt_trading(reason => 'index under review');$$;

create function fundes.resume_trading(
	fund_id bigint default null, reason text default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_resume_trading';
comment on function fundes.resume_trading(bigint, text, timestamptz, uuid, bigint, jsonb) is
$$Ends the halt of a fund, or NULL: every halt of the whole market, those of an index included, and returns the event's id.
Errors: UF002 fund; 22023 no such halt is in force at effective_at, or reason.
Example: select fundes.resume_trading();$$;

create function fundes.reverse_event(
	reversed_event_id uuid, reason text default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns uuid
	language c as 'MODULE_PATHNAME', 'fundes_reverse_event';
comment on function fundes.reverse_event(uuid, text, timestamptz, uuid, bigint, jsonb) is
$$Reverses an event of a fund and returns the id of the event that does it: from effective_at on, which is not before that of the reversed event, the books are as if that had not been. Pay-ins, withdrawals, purchases, sales, royalties, fees accrued and paid, distributions declared and paid and sweeps can be reversed, each once. Prices that were struck stay; the reversal of a distribution strikes one with what is not distributed.
Errors: 22023 no such event, or one that is not reversed so; UF019 fund closed; 22023 effective_at before that event; UF013 reversed already; UF014 cash, units, liabilities or a cost basis would be negative at some later point, a cost basis be left without units, a purchase was sold or has royalties, a sold copyright is held again, a distribution was paid then or later, a later sweep or pay-in builds on there being no units or nothing at all.
Example: select fundes.reverse_event('018f5f7e-9a0c-7d3b-8f1e-2b6c4d5e6f70', 'paid twice');$$;

create function fundes.record_mcp_price(
	copyright_code text, registration_number text, music_id text, price_date date, price numeric)
	returns void
	language c as 'MODULE_PATHNAME', 'fundes_record_mcp_price';
comment on function fundes.record_mcp_price(text, text, text, date, numeric) is
$$Records the quote of a copyright for a day: cash for the whole copyright, up to 4 decimals, 0 allowed. The same again is harmless; another price for the day replaces it for later valuations.
Errors: 22004; UF005 price; 22003; 22023 the others, and a price_date that has begun nowhere on earth.
Example: select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000);$$;

create function fundes.get_mcp_index(
	copyright_code text, registration_number text, music_id text, as_of date default current_date)
	returns numeric
	language c stable as 'MODULE_PATHNAME', 'fundes_get_mcp_index';
comment on function fundes.get_mcp_index(text, text, text, date) is
$$The last quote recorded for a day on or before as_of, or NULL where there is none or it is older than the setting fundes.max_quote_age. A copyright has no time zone: as_of left out is today in the session's.
Errors: 22004.
Example: select fundes.get_mcp_index('M1', 'R1', 'S1', '2023-06-30');$$;

create function fundes.get_mcp_price_by_index(
	copyright_code text, registration_number text, music_id text, as_of date default current_date)
	returns numeric
	language c stable as 'MODULE_PATHNAME', 'fundes_get_mcp_price_by_index';
comment on function fundes.get_mcp_price_by_index(text, text, text, date) is
$$The copyright's quote as get_mcp_index gives it; where there is none, its cost when it was last bought * the level of the index that the setting fundes.price_index names at as_of / its level at the acquisition, floor at 8 decimals. A level is the last one published, not older than fundes.max_quote_age; NULL where one is missing.
For use as fundes.price_function. Errors: 22004.
Example: set fundes.price_function = 'fundes.get_mcp_price_by_index';$$;

create function fundes.update_mcp_asset_value(
	fund_id bigint default null, valuation_date date default null,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns setof fundes.fund_valuation
	language c as 'MODULE_PATHNAME', 'fundes_update_mcp_asset_value';
comment on function fundes.update_mcp_asset_value(bigint, date, timestamptz, uuid, bigint, jsonb) is
$$Values the copyrights of one fund or of all (NULL) at the end of a day (NULL: yesterday in the fund's zone) with get_mcp_index, or the function that the setting fundes.price_function names, and strikes base_price = NAV / total_supply, floor at 4 decimals. Of a day before the latest one valued, or that ended before a price was struck, a distribution declared or the fund started anew without units, it is history only: the present price and values stay. Where there is no quote the last value is carried and the copyright counted as stale. capital_cash is never changed.
A row a fund, called for all none of funds that are closed, or created after that day; status is valued, revised, unchanged (the same inputs: nothing written) or, called for all, error: CODE message.
Errors for one fund: UF002; UF020 the day has not ended; UF011 a day of a closed period; UF019 fund closed; 22023 a day before the fund was created, or event_id, expected_version without fund_id; 27000 the price function has changed the fund.
Example: select * from fundes.update_mcp_asset_value();$$;

create function fundes.restate_nav(
	fund_id bigint, from_date date,
	effective_at timestamptz default null, event_id uuid default null,
	expected_version bigint default null, metadata jsonb default null)
	returns setof fundes.fund_valuation
	language c as 'MODULE_PATHNAME', 'fundes_restate_nav';
comment on function fundes.restate_nav(bigint, date, timestamptz, uuid, bigint, jsonb) is
$$Values a fund anew for each valued day from from_date on, with what is known now, as update_mcp_asset_value does for an older day, and with the same settings. A day that comes out otherwise, because a quote was mended, or that is flagged (view nav_history), because something effective by then was recorded after it, gets a new revision. It is history only: what was struck stays, view nav_error shows the difference.
A row for each new revision; status is revised, or unchanged where a flagged day has the same figures. No rows: nothing needed it. event_id is that of the first day's event. It takes as long as to value all those days.
Errors: 22004; UF002 fund; UF019 fund closed; UF011 one of the days that need it is in a closed period; 27000 the price function has changed the fund.
Example: select * from fundes.restate_nav(1, '2023-06-01');$$;

create function fundes.schedule_revaluation(schedule text default '0 0 * * *')
	returns bigint
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
declare
	job bigint;
begin
	if schedule is null then
		raise exception using errcode = '22004', message = 'schedule must not be null',
			detail = 'The value of schedule is null.',
			hint = 'Give a schedule in cron''s syntax, such as ''5 15 * * *''.';
	end if;
	if not exists (select from pg_extension where extname = 'pg_cron') then
		raise exception using errcode = '0A000',
			message = 'pg_cron is not installed in database ' || quote_ident(current_database()),
			detail = 'There is no extension pg_cron in pg_extension.',
			hint = 'Install the package postgresql-' || current_setting('server_version_num')::int / 10000
				|| '-cron, set shared_preload_libraries = ''pg_cron'' and cron.database_name = '''
				|| current_database() || ''', restart, and run CREATE EXTENSION pg_cron.';
	end if;
	execute 'select cron.schedule($1, $2, $3)' into job
		using 'fundes-revaluation', schedule, 'select fundes.update_mcp_asset_value()';
	return job;
end
$$;
comment on function fundes.schedule_revaluation(text) is
$$Registers the nightly update_mcp_asset_value() with pg_cron and returns the job's id; called again, it changes the schedule. The job runs as the caller. schedule is in cron's syntax and in pg_cron's time zone (cron.timezone, GMT by default).
Errors: 22004; 0A000 pg_cron is not installed here; what pg_cron says of a bad schedule.
Example: select fundes.schedule_revaluation('5 15 * * *');$$;
