-- What clients read.

create function fundes.compute_fund_value(fund_id bigint)
	returns numeric
	language c stable as 'MODULE_PATHNAME', 'fundes_compute_fund_value';
comment on function fundes.compute_fund_value(bigint) is
$$accumulated_purchase_value - accumulated_sold_value: the fund's net outlay for copyrights at cost, in cash. Its cost does not grow with the log. For what the fund is worth see nav in fund_sheet.
Errors: 22004; UF002. Example: select fundes.compute_fund_value(1);$$;

create function fundes.compute_fund_value(
	fund_id bigint, as_of timestamptz, known_at timestamptz default 'infinity')
	returns numeric
	language c stable as 'MODULE_PATHNAME', 'fundes_compute_fund_value_at';
comment on function fundes.compute_fund_value(bigint, timestamptz, timestamptz) is
$$The fund's net outlay for copyrights, of what was effective at as_of (inclusive) and recorded by known_at: events up to the last position before the first that was recorded later. Its cost grows with the logarithm of the log.
Errors: 22004; UF002. Example: select fundes.compute_fund_value(1, '2023-06-10 23:59:59+09');$$;

create function fundes.fund_nav(
	fund_id bigint, as_of timestamptz default 'infinity', known_at timestamptz default 'infinity')
	returns numeric
	language c stable as 'MODULE_PATHNAME', 'fundes_fund_nav';
comment on function fundes.fund_nav(bigint, timestamptz, timestamptz) is
$$Net asset value, capital_cash + asset_value - liabilities, in cash: of what was effective at as_of (inclusive) and recorded by known_at. 0 before the fund was created.
Errors: 22004; UF002. Example: select fundes.fund_nav(1, '2023-06-30 23:59:59+09');$$;

create type fundes.fund_state as (
	fund_id						bigint,
	as_of						timestamptz,
	known_at					timestamptz,
	name						text,
	status						text,
	currency					text,
	nav							numeric,
	nav_per_unit				numeric,
	base_price					numeric,
	price_date					date,
	last_valuation_date			date,
	closed_through				date,
	unrealised_gain				numeric,
	capital_cash				numeric,
	asset_value					numeric,
	liabilities					numeric,
	total_supply				numeric,
	accumulated_purchase_value	numeric,
	accumulated_sold_value		numeric,
	subscriptions				numeric,
	redemptions					numeric,
	realised_gain				numeric,
	royalty_income				numeric,
	fee_expense					numeric,
	distributed					numeric
);
comment on type fundes.fund_state is 'A fund''s figures as of a moment, as known at a moment; name, status and figures are those of view fund_sheet. price_date: the day that base_price was struck for; closed_through: what was closed by the events PeriodClosed and PeriodReopened that were effective and known then';

create function fundes.fund_state_at(
	fund_id bigint, as_of timestamptz, known_at timestamptz default 'infinity')
	returns fundes.fund_state
	language c stable as 'MODULE_PATHNAME', 'fundes_fund_state_at';
comment on function fundes.fund_state_at(bigint, timestamptz, timestamptz) is
$$A fund and all its figures: of what was effective at as_of (inclusive) and recorded by known_at. Not its limits of prices, which are no facts of a moment but rules for the next deal. status is closed from effective_at of FundClosed on, and NULL before the fund was created. base_price is the price that was struck last by then, NULL before the fund was created; nav_per_unit is NULL without units. Its cost grows with the logarithm of the log, and with how often periods were closed.
Errors: 22004; UF002. Example: select * from fundes.fund_state_at(1, '2023-06-30 23:59:59+09', '2023-07-01 00:00+09');$$;

create type fundes.investment_state as (
	base_price			numeric,
	current_value		numeric,
	units				numeric,
	investment_amount	numeric,
	cost_basis			numeric,
	withdrawn_amount	numeric,
	realised_gain		numeric,
	distributions		numeric
);
comment on type fundes.investment_state is 'An investor''s holding of a fund as of a moment, as known at a moment; the figures are those of view investment_current_value';

create function fundes.investment_value_at(
	investor_id text, fund_id bigint, as_of timestamptz, known_at timestamptz default 'infinity')
	returns fundes.investment_state
	language c stable as 'MODULE_PATHNAME', 'fundes_investment_value_at';
comment on function fundes.investment_value_at(text, bigint, timestamptz, timestamptz) is
$$What an investor held of a fund, and its value at the base_price in force, floor(units * base_price) at cash_scale: of what was effective at as_of (inclusive) and recorded by known_at. Zeros where the investor had nothing; base_price and current_value are NULL before the fund was created.
Errors: 22004; UF001, UF002. Example: select * from fundes.investment_value_at('kim-01', 1, '2023-06-30 23:59:59+09');$$;

create function fundes.nav_per_unit(fund_id bigint)
	returns numeric
	language c stable as 'MODULE_PATHNAME', 'fundes_nav_per_unit';
comment on function fundes.nav_per_unit(bigint) is
$$The live price: NAV / total_supply now, floor at 4 decimals, in cash a unit; NULL without units. Deals are made at base_price, the price last struck.
Errors: 22004; UF002. Example: select fundes.nav_per_unit(1);$$;

create view fundes.fund_sheet as
select f.fund_id,
	   f.name,
	   f.status,
	   f.currency,
	   f.capital_cash,
	   f.asset_value,
	   f.liabilities,
	   n.nav,
	   f.total_supply,
	   f.base_price,
	   (div(n.nav * 10000, nullif(f.total_supply, 0)) - (n.nav * 10000 % nullif(f.total_supply, 0) < 0)::integer) * 0.0001 as nav_per_unit,
	   round(n.nav / nullif(f.total_supply * f.base_price, 0) - 1, 6) as price_drift,
	   f.capital_cash + f.asset_value as total_assets,
	   f.accumulated_purchase_value,
	   f.accumulated_sold_value,
	   f.realised_gain,
	   f.asset_value - f.accumulated_purchase_value + f.accumulated_sold_value - f.realised_gain as unrealised_gain,
	   f.royalty_income,
	   f.fee_expense,
	   f.distributed,
	   f.subscriptions,
	   f.redemptions,
	   f.last_valuation_date,
	   f.closed_through,
	   f.max_price_drift,
	   f.max_price_age,
	   f.cash_scale,
	   f.unit_scale,
	   f.time_zone,
	   f.created_at
  from fundes.fund_now f,
	   lateral (select f.capital_cash + f.asset_value - f.liabilities as nav) n;
comment on view fundes.fund_sheet is 'A fund and all its figures now. NAV = subscriptions - redemptions + realised + unrealised + royalties - fees - distributed';

create view fundes.investment_current_value as
select i.investor_id,
	   i.fund_id,
	   f.currency,
	   i.units,
	   i.investment_amount,
	   i.cost_basis,
	   f.base_price,
	   trunc(i.units * f.base_price, f.cash_scale) as current_value,
	   trunc(i.units * f.base_price, f.cash_scale) - i.cost_basis as unrealised_gain,
	   i.realised_gain,
	   i.withdrawn_amount,
	   i.distributions,
	   (div(c.share, nullif(f.total_supply, 0)) - (c.share % nullif(f.total_supply, 0) < 0)::integer) * 0.0001 as value_at_cost
  from fundes.investment i
  join fundes.fund_now f using (fund_id),
	   lateral (select (f.accumulated_purchase_value - f.accumulated_sold_value) * i.units * 10000 as share) c;
comment on view fundes.investment_current_value is 'An investor''s holding of a fund and what it is worth at the fund''s base_price';

create view fundes.investment_details as
select i.id as investor_id,
	   coalesce(sum(v.investment_amount), 0) as investment_amount,
	   coalesce(sum(v.current_value), 0) as current_value,
	   v.currency
  from (select investor_id as id from fundes.investor) i
  left join fundes.investment_current_value v on v.investor_id = i.id
 group by i.id, v.currency;
comment on view fundes.investment_details is 'An investor''s sums over all funds, a row a currency';

create function fundes.get_investment_details(
	investor_id text, out investment_amount numeric, out current_value numeric, out currency text)
	returns setof record
	language c stable as 'MODULE_PATHNAME', 'fundes_get_investment_details';
comment on function fundes.get_investment_details(text) is
$$What an investor has paid in and what the units are worth at base_price, summed over all funds: a row a currency, (0, 0, NULL) without investments.
Errors: 22004; UF001. Example: select * from fundes.get_investment_details('B');$$;

create view fundes.mcp_holding as
select m.asset_id,
	   m.fund_id,
	   m.copyright_code,
	   m.registration_number,
	   m.music_id,
	   m.acquisition_date,
	   m.cost_cash,
	   m.value_cash,
	   m.value_cash - m.cost_cash as unrealised_gain,
	   m.royalty_income,
	   m.last_price_date,
	   m.is_stale,
	   (now() at time zone f.time_zone)::date - m.last_price_date as price_age,
	   round(m.royalty_income / nullif(m.cost_cash, 0), 6) as yield
  from fundes.mcp m
  join fundes.fund f using (fund_id)
 where m.sold_at is null
   and not m.reversed;
comment on view fundes.mcp_holding is 'A copyright that a fund holds now';

create view fundes.nav_history as
select v.fund_id,
	   v.valuation_date,
	   v.revision,
	   newer.revision is null as is_current,
	   v.nav,
	   v.capital_cash,
	   v.asset_value,
	   v.liabilities,
	   v.total_supply,
	   v.base_price,
	   v.base_price - before.base_price as change,
	   v.as_of,
	   v.struck,
	   newer.revision is null and v.needs_restatement as needs_restatement
  from fundes.valuation v
  left join fundes.valuation newer
		 on newer.fund_id = v.fund_id
		and newer.valuation_date = v.valuation_date
		and newer.revision = v.revision + 1
  left join lateral (select p.base_price
					   from fundes.valuation p
					  where p.fund_id = v.fund_id
						and p.valuation_date < v.valuation_date
					  order by p.valuation_date desc, p.revision desc
					  limit 1) before on true;
comment on view fundes.nav_history is 'A fund''s valuations by day; a later revision of a day replaces the earlier as its current one';
