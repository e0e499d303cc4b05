-- What clients read.

create function fundes.compute_fund_value(fund_id bigint)
	returns numeric
	language c stable as 'MODULE_PATHNAME', 'fundes_compute_fund_value';
comment on function fundes.compute_fund_value(bigint) is
$$accumulated_purchase_value - accumulated_sold_value: the fund's net outlay for copyrights at cost, in cash. Its cost does not grow with the log. For what the fund is worth see nav in fund_sheet.
Errors: 22004; UF002. Example: select fundes.compute_fund_value(1);$$;

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
select asset_id,
	   fund_id,
	   copyright_code,
	   registration_number,
	   music_id,
	   acquisition_date,
	   cost_cash,
	   value_cash,
	   value_cash - cost_cash as unrealised_gain,
	   royalty_income,
	   last_price_date,
	   is_stale
  from fundes.mcp
 where sold_at is null;
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
	   v.base_price - before.base_price as change
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
