-- What was earned: a fund's profit, an investor's statement, rates of return.
-- A period is from the end of the day before from_date to the end of to_date,
-- in the fund's zone: what is effective at the very moment at which a day ends
-- is part of the next. A valuation counts at the end of the day that it is for,
-- also where it was made then or later.

-- The price of a day, the last one that was struck for it or before: by its
-- valuation, whenever that was made, or by what was effective before it ended.
create function fundes.strike_of_day(
	fund_id bigint, day date, ended timestamptz,
	out effective_at timestamptz, out last_position bigint, out base_price numeric)
	language sql stable
	set search_path = pg_catalog, pg_temp
	set jit = off
as $$
	select s.effective_at, s.last_position, s.base_price
	  from ((select e.effective_at, e.last_position, e.base_price
			   from fundes.valuation v
			   join fundes.fund_entry e
				 on e.fund_id = v.fund_id and e.last_position = v.last_position and e.base_price is not null
			  where v.fund_id = $1 and v.valuation_date <= $2
			  order by v.valuation_date desc, v.revision desc
			  limit 1)
			union all
			(select e.effective_at, e.last_position, e.base_price
			   from fundes.fund_entry e
			  where e.fund_id = $1 and e.effective_at < $3 and e.base_price is not null
			  order by e.effective_at desc, e.last_position desc
			  limit 1)) s
	 order by s.effective_at desc, s.last_position desc
	 limit 1
$$;
comment on function fundes.strike_of_day(bigint, date, timestamptz) is
$$The last strike of a fund's price for a day or before (internal). ended: the moment at which the day ended.$$;

-- A fund's figures when a day had ended, with what its valuation and those of
-- days before added that were made then or later: what is left of that after
-- all that was effective before the day ended, as a sale of what was valued.
create function fundes.figures_of_day(
	fund_id bigint, day date, ended timestamptz,
	out nav numeric, out subscriptions numeric, out redemptions numeric, out realised numeric,
	out unrealised numeric, out royalties numeric, out fees numeric, out distributed numeric)
	language sql stable
	set search_path = pg_catalog, pg_temp
	set jit = off
as $$
	select s.nav + late.change,
		   s.subscriptions,
		   s.redemptions,
		   s.realised_gain,
		   s.unrealised_gain + late.change,
		   s.royalty_income,
		   s.fee_expense,
		   s.distributed
	  from fundes.fund_state_at($1, $3 - interval '1 microsecond') s,
		   (select coalesce(sum(e.asset_value), 0) as change
			  from (select v.effective_at, min(v.position) as first, array_agg(v.position) as positions
					  from (select e.effective_at, e.position
							  from fundes.valuation v,
								   lateral (select e.effective_at, e.position from fundes.event e where e.position = v.last_position) e
							 where v.fund_id = $1 and v.valuation_date <= $2 and v.struck) v
					 where v.effective_at >= $3
					 group by v.effective_at) made
			  join fundes.fund_entry e
				on e.fund_id = $1 and e.last_position >= made.first and e.effective_at = made.effective_at and e.asset_value is not null
			 where e.last_position = any (made.positions)
				or exists (select from fundes.event u
							where u.position = e.last_position and u.effective_at < $3
							  and u.type_id <> (select t.type_id from fundes.event_type t where t.name = 'FundValued'))) late
$$;
comment on function fundes.figures_of_day(bigint, date, timestamptz) is
$$A fund's figures at the end of a day (internal). ended: the moment at which the day ended.$$;

create function fundes.fund_pnl(
	fund_id bigint, from_date date, to_date date,
	out opening_nav numeric, out subscriptions numeric, out redemptions numeric,
	out realised numeric, out unrealised numeric, out royalties numeric, out fees numeric,
	out total numeric, out distributed numeric, out closing_nav numeric)
	returns setof record
	language c stable as 'MODULE_PATHNAME', 'fundes_fund_pnl';
comment on function fundes.fund_pnl(bigint, date, date) is
$$A fund's profit in a period, from the end of the day before from_date to the end of to_date in the fund's zone, in cash: total = realised + unrealised + royalties - fees, and closing_nav - opening_nav = subscriptions - redemptions + total - distributed.
What is effective at the very moment at which a day ends is part of the next day; a valuation counts at the end of its day. Before the fund's creation all is 0.
Errors: 22004; 22023 to_date before from_date; UF002.
Example: select total, closing_nav from fundes.fund_pnl(1, '2023-06-01', '2023-06-30');$$;

create function fundes.investor_statement(
	investor_id text, from_date date, to_date date,
	out fund_id bigint, out currency text, out effective_at timestamptz, out entry text, out event_id uuid,
	out units numeric, out unit_price numeric, out paid_in numeric, out paid_out numeric,
	out holding_units numeric, out value numeric)
	returns setof record
	language c stable as 'MODULE_PATHNAME', 'fundes_investor_statement';
comment on function fundes.investor_statement(text, date, date) is
$$An investor's statement of a period: for each fund held or dealt in, in the order of funds, a row 'opening', a row for each deal and distribution by effective time, a row 'closing'. One of exactly midnight is of the day that begins there. entry of the others is the event's type, of a reversal 'reversal of' and the type of what it reverses.
units: issued, negative: cancelled. unit_price: that of the deal, else the price in force; opening and closing: the price of the day. paid_in, paid_out: cash that the investor paid and received; a reversal has them negative. holding_units: held after it. value: floor(holding_units * unit_price) at the fund's cash_scale.
Errors: 22004; 22023 to_date before from_date; UF001.
Example: select * from fundes.investor_statement('kim-01', '2023-06-01', '2023-06-30');$$;

create function fundes.twr(fund_id bigint, from_date date, to_date date)
	returns numeric
	language c stable as 'MODULE_PATHNAME', 'fundes_twr';
comment on function fundes.twr(bigint, date, date) is
$$Time-weighted return of a period as a fraction, 10 decimals, half up: from the unit price of the day before from_date (the first one, for an earlier date) to that of to_date. A distribution is added to its ex price by its per_unit and taken as reinvested at the ex price; the reversal of one that was declared before the period takes that back, so that the returns of adjacent periods multiply to that of both. A price struck anew while there were no units begins a new link of the chain. Only unit prices and per_unit are used; exact until the one rounding.
NULL where the fund had no price by to_date, or something would be divided by a price of 0.
Errors: 22004; 22023 to_date before from_date; UF002.
Example: select fundes.twr(1, '2023-06-01', '2023-07-31');$$;

create function fundes.xirr(investor_id text, fund_id bigint, as_of date)
	returns numeric
	language c stable as 'MODULE_PATHNAME', 'fundes_xirr';
comment on function fundes.xirr(text, bigint, date) is
$$Money-weighted return of an investor's holding of a fund as a yearly fraction, 10 decimals: the rate at which what was paid in, and what was paid out (withdrawals, distributions when paid) with the holding's value at the end of as_of, come to the same. Act/365 from the days of the payments in the fund's zone.
NULL where there is no such rate (no payments, or all in one direction, or all on one day, or payments that never come to the same), or where it is 10^1000 or more. Where there are several, the one whose ln(1 + rate) is nearest to 0, of two as near the one above 0. A rate at which the sum of the present values only touches 0 is one too, as far as double precision tells it from 0: about 15 digits of the payments. Two rates so close that it does not may come out as the one between them. Where the payments change direction at most twice no rate is missed; where more often, only rates within a step of 0.005 of ln(1 + rate), 5 % of it beyond 4, in which the sum turns twice.
Errors: 22004; UF001; UF002.
Example: select fundes.xirr('kim-01', 1, '2023-07-31');$$;

create view fundes.investor_portfolio as
select i.investor_id::text as investor_id,
	   i.fund_id,
	   f.name as fund_name,
	   f.currency,
	   i.units,
	   round(i.units / nullif(f.total_supply, 0), 6) as share,
	   f.base_price,
	   v.current_value,
	   i.investment_amount,
	   i.cost_basis,
	   v.current_value - i.cost_basis as unrealised_gain,
	   i.realised_gain,
	   i.withdrawn_amount,
	   i.distributions,
	   v.current_value + i.withdrawn_amount + i.distributions - i.investment_amount as total_gain,
	   round((v.current_value + i.withdrawn_amount + i.distributions) / nullif(i.investment_amount, 0) - 1, 6) as total_return
  from fundes.investment i
  join fundes.fund_now f using (fund_id),
	   lateral (select trunc(i.units * f.base_price, f.cash_scale) as current_value) v;
comment on view fundes.investor_portfolio is
$$An investor's holding of a fund: its share of the fund, its value at base_price, and what it has earned. total_gain = unrealised_gain + realised_gain + distributions.
Example: select fund_name, share, current_value, total_return from fundes.investor_portfolio where investor_id = 'kim-01'$$;
comment on column fundes.investor_portfolio.investor_id is 'The investor';
comment on column fundes.investor_portfolio.fund_id is 'The fund';
comment on column fundes.investor_portfolio.fund_name is 'Its name';
comment on column fundes.investor_portfolio.currency is 'The fund''s currency';
comment on column fundes.investor_portfolio.units is 'Units held now';
comment on column fundes.investor_portfolio.share is 'units / total_supply, 6 decimals, half up; null where the fund has no units';
comment on column fundes.investor_portfolio.base_price is 'The fund''s base_price';
comment on column fundes.investor_portfolio.current_value is 'floor(units * base_price) at the fund''s cash_scale';
comment on column fundes.investor_portfolio.investment_amount is 'Cash paid in since the start';
comment on column fundes.investor_portfolio.cost_basis is 'Cost of the units held now';
comment on column fundes.investor_portfolio.unrealised_gain is 'current_value - cost_basis';
comment on column fundes.investor_portfolio.realised_gain is 'Paid out for units less the cost relieved';
comment on column fundes.investor_portfolio.withdrawn_amount is 'Cash paid out for units';
comment on column fundes.investor_portfolio.distributions is 'Cash paid out as distributions';
comment on column fundes.investor_portfolio.total_gain is 'current_value + withdrawn_amount + distributions - investment_amount';
comment on column fundes.investor_portfolio.total_return is 'total_gain / investment_amount, 6 decimals, half up; null where nothing was paid in';
