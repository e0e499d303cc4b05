-- What operators look at each day. All figures come from the projections and
-- the log; a movement stands where it is effective, whenever it was recorded.
-- An event that reverses another has its payload in the key reversed.

-- The entries of a fund with the event that each comes from. about is the
-- payload that says who and what: of a reversal, that of the reversed event.
create view fundes.fund_movement as
select e.fund_id,
	   f.currency,
	   f.cash_scale,
	   e.effective_at,
	   (e.effective_at at time zone f.time_zone)::date as day,
	   e.last_position as position,
	   v.event_id,
	   case when v.type = 'EventReversed' then v.payload ->> 'reversed_type' else v.type end as type,
	   v.type = 'EventReversed' as is_reversal,
	   case when v.type = 'EventReversed' then v.payload -> 'reversed' else v.payload end as about,
	   e.capital_cash
  from fundes.fund_entry e
  join fundes.fund f using (fund_id)
  join fundes.event_log v on v.position = e.last_position;
comment on view fundes.fund_movement is 'The entries of a fund with their events (internal)';

create view fundes.cash_ledger as
select fund_id,
	   currency,
	   effective_at,
	   day,
	   position,
	   event_id,
	   type,
	   is_reversal,
	   about ->> 'investor_id' as investor_id,
	   (about ->> 'asset_id')::bigint as asset_id,
	   coalesce(about ->> 'kind', about ->> 'period', about ->> 'distribution_id', about ->> 'to') as detail,
	   greatest(capital_cash, 0) as cash_in,
	   greatest(-capital_cash, 0) as cash_out,
	   sum(capital_cash) over (partition by fund_id order by effective_at, position) as balance
  from fundes.fund_movement
 where capital_cash <> 0;
comment on view fundes.cash_ledger is
$$Each movement of a fund's cash by effective time, with the running balance; the last balance is capital_cash.
Example: select day, type, cash_in, cash_out, balance from fundes.cash_ledger where fund_id = 1 order by effective_at, position$$;
comment on column fundes.cash_ledger.fund_id is 'The fund';
comment on column fundes.cash_ledger.currency is 'The fund''s currency';
comment on column fundes.cash_ledger.effective_at is 'When the cash moved';
comment on column fundes.cash_ledger.day is 'The day of effective_at in the fund''s zone';
comment on column fundes.cash_ledger.position is 'The event''s place in the log';
comment on column fundes.cash_ledger.event_id is 'The event';
comment on column fundes.cash_ledger.type is 'What moved it; of a reversal, the type of the event that it reverses';
comment on column fundes.cash_ledger.is_reversal is 'Whether it takes an earlier movement back';
comment on column fundes.cash_ledger.investor_id is 'From or to which investor, of pay-ins and withdrawals';
comment on column fundes.cash_ledger.asset_id is 'For which copyright, of purchases, sales and royalties';
comment on column fundes.cash_ledger.detail is 'The kind of a fee, the period of a royalty, the number of a distribution, the recipient of a residue';
comment on column fundes.cash_ledger.cash_in is 'Cash received, else 0';
comment on column fundes.cash_ledger.cash_out is 'Cash given, else 0';
comment on column fundes.cash_ledger.balance is 'The fund''s cash after it';

create view fundes.fund_flow as
select fund_id,
	   currency,
	   day,
	   subscriptions,
	   sales,
	   royalties,
	   redemptions,
	   purchases,
	   fees_paid,
	   distributions_paid,
	   residue_swept,
	   net,
	   sum(net) over (partition by fund_id order by day) as closing_cash
  from (select fund_id,
			   currency,
			   day,
			   coalesce(sum(capital_cash) filter (where type = 'InvestmentCreated'), 0) as subscriptions,
			   coalesce(sum(capital_cash) filter (where type = 'McpSold'), 0) as sales,
			   coalesce(sum(capital_cash) filter (where type = 'RoyaltyReceived'), 0) as royalties,
			   coalesce(-sum(capital_cash) filter (where type = 'InvestmentWithdrawn'), 0) as redemptions,
			   coalesce(-sum(capital_cash) filter (where type = 'McpPurchased'), 0) as purchases,
			   coalesce(-sum(capital_cash) filter (where type = 'FeePaid'), 0) as fees_paid,
			   coalesce(-sum(capital_cash) filter (where type = 'DistributionPaid'), 0) as distributions_paid,
			   coalesce(-sum(capital_cash) filter (where type = 'ResidualSwept'), 0) as residue_swept,
			   sum(capital_cash) as net
		  from fundes.fund_movement
		 where capital_cash <> 0
		 group by fund_id, currency, day) flows;
comment on view fundes.fund_flow is
$$A fund's cash in and out by day and kind. A reversal lessens its kind on the day that it is effective. net = subscriptions + sales + royalties - redemptions - purchases - fees_paid - distributions_paid - residue_swept.
Example: select day, subscriptions, royalties, net, closing_cash from fundes.fund_flow where fund_id = 1 order by day$$;
comment on column fundes.fund_flow.fund_id is 'The fund';
comment on column fundes.fund_flow.currency is 'The fund''s currency';
comment on column fundes.fund_flow.day is 'A day on which cash moved, in the fund''s zone';
comment on column fundes.fund_flow.subscriptions is 'Taken from investors';
comment on column fundes.fund_flow.sales is 'Received for copyrights';
comment on column fundes.fund_flow.royalties is 'Received as royalties';
comment on column fundes.fund_flow.redemptions is 'Paid out for units';
comment on column fundes.fund_flow.purchases is 'Paid for copyrights';
comment on column fundes.fund_flow.fees_paid is 'Paid as fees';
comment on column fundes.fund_flow.distributions_paid is 'Paid out as distributions';
comment on column fundes.fund_flow.residue_swept is 'Taken out where no units were left';
comment on column fundes.fund_flow.net is 'All that came in less all that went out';
comment on column fundes.fund_flow.closing_cash is 'The fund''s cash at the end of the day';

create view fundes.unit_register as
select e.fund_id,
	   e.investor_id::text as investor_id,
	   e.effective_at,
	   (e.effective_at at time zone f.time_zone)::date as day,
	   e.last_position as position,
	   v.event_id,
	   case when v.type = 'EventReversed' then v.payload ->> 'reversed_type' else v.type end as type,
	   v.type = 'EventReversed' as is_reversal,
	   e.units,
	   (case when v.type = 'EventReversed' then v.payload -> 'reversed' else v.payload end ->> 'unit_price')::numeric as unit_price,
	   coalesce(e.investment_amount, -e.withdrawn_amount, 0) as cash,
	   sum(e.units) over (partition by e.fund_id, e.investor_id order by e.effective_at, e.last_position) as holding_units,
	   sum(e.units) over (partition by e.fund_id order by e.effective_at, e.last_position) as fund_units
  from fundes.holding_entry e
  join fundes.fund f using (fund_id)
  join fundes.event_log v on v.position = e.last_position
 where e.units <> 0;
comment on view fundes.unit_register is
$$Each issue and cancellation of units by effective time, with the running units of the holding and of the fund; the last are those held now and total_supply.
Example: select day, investor_id, units, unit_price, holding_units, fund_units from fundes.unit_register where fund_id = 1 order by effective_at, position$$;
comment on column fundes.unit_register.fund_id is 'The fund';
comment on column fundes.unit_register.investor_id is 'The investor';
comment on column fundes.unit_register.effective_at is 'When units were issued or cancelled';
comment on column fundes.unit_register.day is 'The day of effective_at in the fund''s zone';
comment on column fundes.unit_register.position is 'The event''s place in the log';
comment on column fundes.unit_register.event_id is 'The event';
comment on column fundes.unit_register.type is 'InvestmentCreated or InvestmentWithdrawn; of a reversal, the type of the event that it reverses';
comment on column fundes.unit_register.is_reversal is 'Whether it takes an earlier movement back';
comment on column fundes.unit_register.units is 'Units issued; negative: cancelled';
comment on column fundes.unit_register.unit_price is 'The price of the deal';
comment on column fundes.unit_register.cash is 'Taken by the fund for them; negative: paid out';
comment on column fundes.unit_register.holding_units is 'Units of the investor after it';
comment on column fundes.unit_register.fund_units is 'Units of the fund after it';

create view fundes.trial_balance as
select f.fund_id,
	   f.currency,
	   a.number,
	   a.account,
	   a.class,
	   greatest(a.balance, 0) as debit,
	   greatest(-a.balance, 0) as credit,
	   a.balance
  from fundes.fund_now f,
	   lateral (select coalesce(sum(m.cost_cash), 0) as cost, coalesce(sum(m.value_cash), 0) as value
				  from fundes.mcp m
				 where m.fund_id = f.fund_id and m.sold_at is null and not m.reversed) held,
	   lateral (select coalesce(sum(k.accrued - k.paid), 0) as fees
				  from fundes.fee_account k
				 where k.fund_id = f.fund_id) owed,
	   lateral (select coalesce(sum(d.total), 0) as distributions
				  from fundes.distribution d
				 where d.fund_id = f.fund_id and d.status = 'declared') declared,
	   lateral (values
		(1000, 'cash', 'asset', f.capital_cash),
		(1100, 'copyrights at cost', 'asset', held.cost),
		(1200, 'revaluation of copyrights', 'asset', held.value - held.cost),
		(2000, 'fees payable', 'liability', -owed.fees),
		(2100, 'distributions payable', 'liability', -declared.distributions),
		(3000, 'subscriptions', 'equity', -f.subscriptions),
		(3100, 'redemptions', 'equity', f.redemptions),
		(3200, 'distributed', 'equity', f.distributed),
		(4000, 'realised gain', 'income', -f.realised_gain),
		(4100, 'unrealised gain', 'income',
		 -(f.asset_value - f.accumulated_purchase_value + f.accumulated_sold_value - f.realised_gain)),
		(4200, 'royalties', 'income', -f.royalty_income),
		(5000, 'fees', 'expense', f.fee_expense)) a (number, account, class, balance);
comment on view fundes.trial_balance is
$$The accounts of each fund in double entry; the balances of a fund add up to 0. What is held and owed is summed up from the copyrights, fees and distributions themselves, the rest are the fund's figures, so that a difference anywhere shows.
Example: select fund_id, sum(debit), sum(credit), sum(balance) from fundes.trial_balance group by fund_id$$;
comment on column fundes.trial_balance.fund_id is 'The fund';
comment on column fundes.trial_balance.currency is 'The fund''s currency';
comment on column fundes.trial_balance.number is 'The account''s number: 1000 assets, 2000 liabilities, 3000 equity, 4000 income, 5000 expenses';
comment on column fundes.trial_balance.account is 'The account';
comment on column fundes.trial_balance.class is 'asset, liability, equity, income or expense';
comment on column fundes.trial_balance.debit is 'The balance where it is a debit, else 0';
comment on column fundes.trial_balance.credit is 'The balance where it is a credit, else 0';
comment on column fundes.trial_balance.balance is 'debit - credit';

create view fundes.stale_price as
select m.fund_id,
	   m.asset_id,
	   m.copyright_code::text as copyright_code,
	   m.registration_number::text as registration_number,
	   m.music_id::text as music_id,
	   m.cost_cash,
	   m.value_cash,
	   since.valuation_date as stale_since,
	   m.last_price_date as valued_with,
	   q.price_date as last_quote_date,
	   q.price as last_quote
  from fundes.mcp m
  join fundes.fund f using (fund_id)
 cross join lateral (select (m.purchased_at at time zone f.time_zone)::date as day) bought
  left join lateral (select v.valuation_date
					   from fundes.valuation v
					   join fundes.event e on e.position = v.last_position
					  where v.fund_id = m.fund_id
						and v.valuation_date >= bought.day
						and (e.payload -> 'sources') ? m.asset_id::text
					  order by v.valuation_date desc
					  limit 1) priced on true
  left join lateral (select v.valuation_date
					   from fundes.valuation v
					   join fundes.event e on e.position = v.last_position
					  where v.fund_id = m.fund_id
						and v.valuation_date > coalesce(priced.valuation_date, bought.day - 1)
						and (e.payload -> 'values') ? m.asset_id::text
					  order by v.valuation_date
					  limit 1) since on true
  left join lateral (select p.price_date, p.price
					   from fundes.mcp_price p
					  where p.copyright_code = m.copyright_code
						and p.registration_number = m.registration_number
						and p.music_id = m.music_id
					  order by p.price_date desc
					  limit 1) q on true
 where m.sold_at is null and not m.reversed and m.is_stale;
comment on view fundes.stale_price is
$$A copyright whose value is carried, because the fund's last valuation had no quote for it.
Example: select fund_id, asset_id, stale_since, last_quote_date from fundes.stale_price order by stale_since$$;
comment on column fundes.stale_price.fund_id is 'The fund that holds it';
comment on column fundes.stale_price.asset_id is 'The copyright in the fund';
comment on column fundes.stale_price.copyright_code is 'First part of the copyright''s name';
comment on column fundes.stale_price.registration_number is 'Second part';
comment on column fundes.stale_price.music_id is 'Third part';
comment on column fundes.stale_price.cost_cash is 'What was paid';
comment on column fundes.stale_price.value_cash is 'The value that is carried';
comment on column fundes.stale_price.stale_since is 'The first valuation day since when it has been carried';
comment on column fundes.stale_price.valued_with is 'The day of the quote that the value comes from; null: its cost';
comment on column fundes.stale_price.last_quote_date is 'The day of the last quote recorded, also one too old or not used yet; null: never quoted';
comment on column fundes.stale_price.last_quote is 'That quote';

-- The prices that distributions and their reversals struck, and what they would
-- be by what is known now: of all that was true before them, with the values of
-- copyrights that the valuation before them has now.
create view fundes.ex_price as
select s.fund_id,
	   s.struck_by,
	   s.effective_at as struck_at,
	   s.last_position,
	   b.last_position as balance_position,	-- all that is effective later comes after it
	   s.base_price as struck_price,
	   case when n.units > 0
			then greatest(div((n.nav + r.rise) * 10000, n.units), 0) * 0.0001
			else s.base_price end as right_price
  from fundes.distribution d
  join fundes.fund f using (fund_id)
  cross join lateral (
		select e.*, 'DistributionDeclared' as struck_by, d.books_changed as changed
		  from fundes.fund_entry e
		  join fundes.event_log v
			on v.position = e.last_position and v.type = 'DistributionDeclared'
		   and (v.payload ->> 'distribution_id')::bigint = d.distribution_id
		 where e.fund_id = d.fund_id and e.effective_at = d.declared_at and e.base_price is not null
		 union all
		select e.*, 'EventReversed', true
		  from fundes.fund_entry e
		 where e.fund_id = d.fund_id and e.last_position = d.last_position
		   and d.status = 'reversed' and e.base_price is not null) s
  left join lateral (select *
					   from fundes.fund_balance b
					  where b.fund_id = s.fund_id and b.effective_at < s.effective_at
					  order by b.effective_at desc, b.last_position desc
					  limit 1) b on true
  cross join lateral (
		select coalesce(b.capital_cash + b.asset_value - b.liabilities, 0)
			   + coalesce(sum(coalesce(m.capital_cash, 0) + coalesce(m.asset_value, 0) - coalesce(m.liabilities, 0)), 0) as nav,
			   coalesce(b.total_supply, 0) + coalesce(sum(m.total_supply), 0) as units
		  from fundes.fund_entry m
		 where m.fund_id = s.fund_id and m.last_position > coalesce(b.last_position, 0)
		   and m.last_position <= case when s.changed then 9223372036854775807 else s.last_position end
		   and (m.effective_at < s.effective_at
				or m.effective_at = s.effective_at and m.last_position <= s.last_position)) n
  left join lateral (select v.valuation_date, v.revision, v.last_position
					   from fundes.valuation v
					  where v.fund_id = s.fund_id and v.struck and v.last_position < s.last_position
						and v.valuation_date <= (s.effective_at at time zone f.time_zone)::date
					  order by v.valuation_date desc, v.revision desc
					  limit 1) v on true
  cross join lateral (
		select coalesce(sum(now.value::numeric - coalesce((struck.payload -> 'values' ->> now.key)::numeric, m.cost_cash)), 0) as rise
		  from (select l.last_position
				  from fundes.valuation l
				 where l.fund_id = s.fund_id and l.valuation_date = v.valuation_date and l.revision > v.revision
				 order by l.revision desc
				 limit 1) c
		  join fundes.event current on current.position = c.last_position
		  join fundes.event struck on struck.position = v.last_position,
			   lateral jsonb_each_text(current.payload -> 'values') now
		  join fundes.mcp m
			on m.asset_id = now.key::bigint and not m.reversed
		   and (m.sold_at is null or m.sold_at > s.effective_at)
		   and (m.gone_at is null or s.effective_at < m.gone_at or s.effective_at >= m.back_at)) r;
comment on view fundes.ex_price is 'The prices that distributions and their reversals struck, and the right ones (internal)';

create view fundes.nav_error as
select p.fund_id,
	   f.currency,
	   p.valuation_date,
	   p.struck_by,
	   p.struck_at,
	   p.struck_revision,
	   p.struck_price,
	   p.current_revision,
	   p.restated_price,
	   p.restated_price - p.struck_price as difference,
	   round((p.restated_price - p.struck_price) * 10000 / nullif(p.struck_price, 0), 4) as basis_points,
	   p.event_id,
	   p.effective_at,
	   p.investor_id,
	   p.type,
	   p.units,
	   p.cash,
	   r.cash as restated_cash,
	   case p.type when 'InvestmentCreated' then r.cash - p.cash else p.cash - r.cash end as off
  from (select v.fund_id,
			   v.valuation_date,
			   'FundValued' as struck_by,
			   s.effective_at as struck_at,
			   v.revision as struck_revision,
			   v.base_price::numeric as struck_price,
			   c.revision as current_revision,
			   c.base_price::numeric as restated_price,
			   d.*
		  from fundes.valuation v
		  join fundes.fund_entry s
			on s.fund_id = v.fund_id and s.last_position = v.last_position and s.base_price is not null
		  join lateral (select l.revision, l.base_price
						  from fundes.valuation l
						 where l.fund_id = v.fund_id and l.valuation_date = v.valuation_date
						 order by l.revision desc
						 limit 1) c on c.base_price <> v.base_price
		  left join lateral (select n.effective_at, n.last_position
							   from fundes.fund_entry n
							  where n.fund_id = v.fund_id
								and n.base_price is not null
								and n.effective_at >= s.effective_at
								and (n.effective_at, n.last_position) > (s.effective_at, s.last_position)
							  order by n.effective_at, n.last_position
							  limit 1) next on true
		  left join lateral (select e.event_id,
									e.effective_at,
									e.payload ->> 'investor_id' as investor_id,
									e.type,
									coalesce(e.payload ->> 'units', e.payload ->> 'stock_quantity')::numeric as units,
									coalesce(e.payload ->> 'cash_taken', e.payload ->> 'withdrawn_amount')::numeric as cash
							   from fundes.fund_entry m
							   join fundes.event_log e on e.position = m.last_position
							  where m.fund_id = v.fund_id
								and m.last_position > s.last_position
								and m.effective_at >= s.effective_at
								and (next.last_position is null
									 or (m.effective_at, m.last_position) < (next.effective_at, next.last_position)
									 -- or it had been made when the next price was struck for an earlier moment
									 or (m.last_position < next.last_position
										 and not exists (select from fundes.fund_entry n
														  where n.fund_id = v.fund_id
															and n.base_price is not null
															and n.effective_at <= m.effective_at
															and n.last_position < m.last_position
															and (n.effective_at, n.last_position) > (s.effective_at, s.last_position))))
								and m.total_supply <> 0
								and e.type in ('InvestmentCreated', 'InvestmentWithdrawn')
								and not exists (select from fundes.reversal u where u.reversed_position = m.last_position)) d on true
		 union all
		select x.fund_id,
			   null,
			   x.struck_by,
			   x.struck_at,
			   null,
			   coalesce(d.unit_price, x.struck_price),
			   null,
			   x.right_price,
			   d.event_id,
			   d.effective_at,
			   d.investor_id,
			   d.type,
			   d.units,
			   d.cash
		  from fundes.ex_price x
		  left join lateral (select n.effective_at, n.last_position
							   from fundes.fund_entry n
							  where n.fund_id = x.fund_id
								and n.base_price is not null
								and n.effective_at >= x.struck_at
								and (n.effective_at, n.last_position) > (x.struck_at, x.last_position)
							  order by n.effective_at, n.last_position
							  limit 1) next on true
		  -- also deals that had been made, at the price before, when it was struck for an earlier moment
		  left join lateral (select e.event_id,
									e.effective_at,
									e.payload ->> 'investor_id' as investor_id,
									e.type,
									(e.payload ->> 'unit_price')::numeric as unit_price,
									coalesce(e.payload ->> 'units', e.payload ->> 'stock_quantity')::numeric as units,
									coalesce(e.payload ->> 'cash_taken', e.payload ->> 'withdrawn_amount')::numeric as cash
							   from fundes.fund_entry m
							   join fundes.event_log e on e.position = m.last_position
							  where m.fund_id = x.fund_id
								and m.last_position > coalesce(x.balance_position, 0)
								and m.last_position <= case when x.right_price <> x.struck_price then 9223372036854775807
															else x.last_position end
								and m.effective_at >= x.struck_at
								and (m.effective_at, m.last_position) > (x.struck_at, x.last_position)
								and m.effective_at <= coalesce(next.effective_at, 'infinity')
								and (next.last_position is null
									 or (m.effective_at, m.last_position) < (next.effective_at, next.last_position))
								and m.total_supply <> 0
								and e.type in ('InvestmentCreated', 'InvestmentWithdrawn')
								and (e.payload ->> 'unit_price')::numeric <> x.right_price
								and not exists (select from fundes.reversal u where u.reversed_position = m.last_position)) d on true
		 where d.event_id is not null or x.right_price <> x.struck_price) p
  join fundes.fund f using (fund_id)
  left join lateral (select case p.type
							when 'InvestmentCreated'
							then round(floor + (floor < p.units * p.restated_price)::integer * power(10::numeric, -f.cash_scale), f.cash_scale)
							else floor end as cash
					   from trunc(p.units * p.restated_price, f.cash_scale) floor) r on true;
comment on view fundes.nav_error is
$$A wrong price: both prices, and a row a deal that was made at it and stands (one row with nulls where there is none). Of a valuation: the price that it struck, and the one it has been restated to by restate_nav. Of a distribution or its reversal: the ex price, and what it would be by what is known now; nothing needs to be restated for that.
Example: select valuation_date, struck_price, restated_price, basis_points, investor_id, off from fundes.nav_error where fund_id = 1$$;
comment on column fundes.nav_error.fund_id is 'The fund';
comment on column fundes.nav_error.currency is 'The fund''s currency';
comment on column fundes.nav_error.valuation_date is 'The day that was valued; null: an ex price';
comment on column fundes.nav_error.struck_by is 'FundValued; of an ex price DistributionDeclared, or EventReversed where the distribution was taken back';
comment on column fundes.nav_error.struck_at is 'From when on the price was in force';
comment on column fundes.nav_error.struck_revision is 'The revision that struck the price; null: an ex price';
comment on column fundes.nav_error.struck_price is 'The price that investors dealt at';
comment on column fundes.nav_error.current_revision is 'The day''s latest revision; null: an ex price';
comment on column fundes.nav_error.restated_price is 'Its price, or the right ex price';
comment on column fundes.nav_error.difference is 'restated_price - struck_price';
comment on column fundes.nav_error.basis_points is 'difference in ten thousandths of struck_price, 4 decimals, half up; null where that is 0';
comment on column fundes.nav_error.event_id is 'The deal';
comment on column fundes.nav_error.effective_at is 'When it was made';
comment on column fundes.nav_error.investor_id is 'Who made it';
comment on column fundes.nav_error.type is 'InvestmentCreated or InvestmentWithdrawn';
comment on column fundes.nav_error.units is 'Units issued or cancelled';
comment on column fundes.nav_error.cash is 'Cash taken or paid out';
comment on column fundes.nav_error.restated_cash is 'What these units come to at restated_price: rounded up for a pay-in, down for a withdrawal';
comment on column fundes.nav_error.off is 'What the investor gained by the wrong price at the cost of the fund; negative: lost to it';

create view fundes.daily_control as
select f.fund_id,
	   f.name,
	   array_remove(array[
		case when f.status = 'open' and (f.total_supply > 0 or m.held > 0) and f.created_at < y.ended
			  and not exists (select from fundes.valuation v
							   where v.fund_id = f.fund_id and v.valuation_date >= y.day)
			 then 'not valued yesterday' end,
		case when m.stale > 0 then 'stale prices' end,
		case when f.total_supply > 0
			  and abs(n.nav - f.base_price * f.total_supply) > f.max_price_drift * f.base_price * f.total_supply
			 then 'price drift over limit' end,
		case when f.total_supply > 0 and extract(epoch from now() - p.since) > l.seconds then 'price too old' end,
		case when h.halted then 'trading halted' end,
		case when r.restatements > 0 then 'restatement needed' end,
		case when u.unpaid > 0 then 'unpaid distribution' end,
		case when o.off then 'entitlements differ from holders of record' end,
		case when exists (select from fundes.nav_error w
						   where w.fund_id = f.fund_id and w.struck_by <> 'FundValued' and w.event_id is not null
							 and w.struck_at >= coalesce(f.closed_until, '-infinity'))
			 then 'deals at a wrong ex price' end,
		case when f.total_supply = 0 and n.nav <> 0 then 'residue without units' end,
		case when f.capital_cash < f.liabilities then 'cash below liabilities' end,
		case when least(f.capital_cash, f.asset_value, f.liabilities, f.total_supply, n.nav) < 0
			 then 'negative figure' end,
		case when f.total_supply > 0 and f.base_price = 0 then 'price is 0' end,
		case when b.balance <> 0 or b.owed <> f.liabilities or i.units <> f.total_supply
			 then 'books do not balance' end],
		null) as findings,
	   f.last_valuation_date,
	   m.stale as stale_prices,
	   round(n.nav / nullif(f.total_supply * f.base_price, 0) - 1, 6) as price_drift,
	   now() - p.since as price_age,
	   h.until as halted_until,
	   r.restatements,
	   u.unpaid as unpaid_distributions
  from fundes.fund_now f,
	   lateral (select f.capital_cash + f.asset_value - f.liabilities as nav) n,
	   lateral (select day, (day + 1)::timestamp at time zone f.time_zone as ended
				  from (select (now() at time zone f.time_zone)::date - 1 as day) d) y,
	   lateral (select coalesce((f.price_date + 1)::timestamp at time zone f.time_zone, f.price_since) as since) p,
	   lateral (select (extract(year from f.max_price_age) * 12 + extract(month from f.max_price_age)) * 2592000
					   + extract(day from f.max_price_age) * 86400 + extract(hour from f.max_price_age) * 3600
					   + extract(minute from f.max_price_age) * 60 + extract(second from f.max_price_age) as seconds) l,
	   lateral (select count(*) as held,
					   count(*) filter (where m.is_stale) as stale
				  from fundes.mcp m
				 where m.fund_id = f.fund_id and m.sold_at is null and not m.reversed) m,
	   lateral (select coalesce(bool_or(h.halted), false) as halted,
					   case when bool_or(h.halted) then max(coalesce(h.until, 'infinity')) filter (where h.halted) end as until
				  from (values (0), (f.fund_id)) of (fund_id),
					   lateral (select t.halted and now() < coalesce(t.until, 'infinity') as halted, t.until
								  from fundes.trading_halt t
								 where t.fund_id = of.fund_id and t.effective_at <= now()
								 order by t.effective_at desc, t.last_position desc
								 limit 1) h) h,
	   lateral (select count(*) as restatements
				  from fundes.valuation v
				 where v.fund_id = f.fund_id and v.needs_restatement
				   and not exists (select from fundes.valuation newer
									where newer.fund_id = v.fund_id
									  and newer.valuation_date = v.valuation_date
									  and newer.revision > v.revision)) r,
	   lateral (select count(*) as unpaid
				  from fundes.distribution d
				 where d.fund_id = f.fund_id and d.status = 'declared') u,
	   -- only where units effective before the record moment were recorded after the declaration
	   lateral (select exists (
				select from fundes.distribution d
				  join fundes.fund_entry s
					on s.fund_id = d.fund_id and s.effective_at = d.declared_at and s.base_price is not null
				  join fundes.event_log v
					on v.position = s.last_position and v.type = 'DistributionDeclared'
				   and (v.payload ->> 'distribution_id')::bigint = d.distribution_id,
					   lateral (select least(d.declared_at, (d.record_date + 1)::timestamp at time zone f.time_zone) as at) r
				 where d.fund_id = f.fund_id and d.status <> 'reversed' and r.at > coalesce(f.closed_until, '-infinity')
				   and exists (select from fundes.fund_entry m
								where m.fund_id = d.fund_id and m.last_position > s.last_position
								  and m.effective_at < r.at and m.total_supply <> 0)
				   and exists (select from (select h.investor_id, trunc(sum(h.units) * d.per_unit, f.cash_scale) as due
											  from fundes.holding_entry h
											 where h.fund_id = d.fund_id
											   and (h.effective_at < r.at
													or h.effective_at = r.at and r.at = d.declared_at and h.last_position < s.last_position)
											 group by h.investor_id) h
								 full join jsonb_each_text(d.entitlements) t on t.key collate "C" = h.investor_id
								where coalesce(h.due, 0) <> coalesce(t.value::numeric, 0))) as off) o,
	   lateral (select coalesce(sum(i.units), 0) as units
				  from fundes.investment i
				 where i.fund_id = f.fund_id) i,
	   lateral (select sum(b.balance) as balance,
					   -sum(b.balance) filter (where b.class = 'liability') as owed
				  from fundes.trial_balance b
				 where b.fund_id = f.fund_id) b;
comment on view fundes.daily_control is
$$A row a fund: what needs a look now; findings is empty where all is well.
Findings: not valued yesterday, stale prices, price drift over limit, price too old, trading halted, restatement needed, unpaid distribution, entitlements differ from holders of record, deals at a wrong ex price, residue without units, cash below liabilities, negative figure, price is 0, books do not balance.
Example: select fund_id, findings from fundes.daily_control where findings <> '{}'$$;
comment on column fundes.daily_control.fund_id is 'The fund';
comment on column fundes.daily_control.name is 'Its name';
comment on column fundes.daily_control.findings is 'What needs a look, in the order of the list';
comment on column fundes.daily_control.last_valuation_date is 'The latest day for which a price was struck';
comment on column fundes.daily_control.stale_prices is 'Copyrights held whose value is carried: see stale_price';
comment on column fundes.daily_control.price_drift is 'NAV / total_supply against base_price, a signed fraction with 6 decimals; null without units';
comment on column fundes.daily_control.price_age is 'What base_price has aged; null where it does not age';
comment on column fundes.daily_control.halted_until is 'The end of the halt of the fund or of the market; infinity: until it is resumed; null: trading goes on';
comment on column fundes.daily_control.restatements is 'Valued days for which something was recorded later: see restate_nav';
comment on column fundes.daily_control.unpaid_distributions is 'Distributions declared and not paid';

create view fundes.audit_trail as
select a.fund_id,
	   a.position,
	   a.event_id,
	   a.recorded_at,
	   a.effective_at,
	   coalesce(max(a.effective_at) over (partition by a.fund_id, case when a.fund_id is null then a.stream end order by a.position
										   rows between unbounded preceding and 1 preceding) > a.effective_at,
				false) as is_back_dated,
	   a.metadata ->> 'actor' as actor,
	   a.type,
	   case a.type
		when 'FundCreated' then format('fund "%s" is created, a unit at %s %s',
									   p ->> 'name', p ->> 'initial_price', p ->> 'currency')
		when 'PriceLimitsSet' then format('price limits: drift %s, age %s',
										  coalesce(p ->> 'max_price_drift', 'any'), coalesce((p ->> 'max_price_age')::interval::text, 'any'))
		when 'InvestorCreated' then format('investor %s, %s, is created', p ->> 'investor_id', p ->> 'name')
		when 'InvestmentCreated' then format('%s pays in %s for %s units at %s',
											 p ->> 'investor_id', p ->> 'cash_taken', p ->> 'units', p ->> 'unit_price')
		when 'InvestmentWithdrawn' then format('%s withdraws %s units at %s for %s',
											   p ->> 'investor_id', p ->> 'stock_quantity', p ->> 'unit_price', p ->> 'withdrawn_amount')
		when 'McpPurchased' then format('asset %s (%s, %s, %s) is bought for %s', p ->> 'asset_id',
										p ->> 'copyright_code', p ->> 'registration_number', p ->> 'music_id', p ->> 'price_cash')
		when 'McpSold' then format('asset %s is sold for %s, gain %s', p ->> 'asset_id', p ->> 'price_cash', p ->> 'realised_gain')
		when 'FundValued' then format('%s is valued, revision %s: NAV %s, unit price %s, %s stale', p ->> 'valuation_date',
									  p ->> 'revision', p ->> 'nav', p ->> 'base_price', jsonb_array_length(p -> 'stale'))
		when 'RoyaltyReceived' then format('royalty of %s for asset %s', p ->> 'amount', p ->> 'asset_id')
									|| coalesce(', period ' || (p ->> 'period'), '')
		when 'FeeAccrued' then format('%s fee of %s is accrued', p ->> 'kind', p ->> 'amount')
		when 'FeePaid' then format('%s fee of %s is paid', p ->> 'kind', p ->> 'amount')
		when 'DistributionDeclared' then format('distribution %s is declared: %s a unit, %s in all, to holders of %s',
												p ->> 'distribution_id', p ->> 'per_unit', p ->> 'total', p ->> 'record_date')
		when 'DistributionPaid' then format('distribution %s is paid: %s', p ->> 'distribution_id', p ->> 'total')
		when 'IndexPublished' then format('index %s for %s is %s', p ->> 'index_name', p ->> 'index_date', p ->> 'level')
		when 'TradingHalted' then format('trading is halted until %s',
			coalesce(to_char((p ->> 'until')::timestamptz at time zone coalesce(z.time_zone, 'UTC'), 'YYYY-MM-DD HH24:MI:SS ')
					 || coalesce(z.time_zone, 'UTC'), 'it is resumed'))
		when 'TradingResumed' then 'trading is resumed'
		when 'EventReversed' then format('%s, at position %s, is reversed',
			case p ->> 'reversed_type'
			 when 'InvestmentCreated' then format('pay-in of %s by %s', p -> 'reversed' ->> 'cash_taken', p -> 'reversed' ->> 'investor_id')
			 when 'InvestmentWithdrawn' then format('withdrawal of %s by %s', p -> 'reversed' ->> 'withdrawn_amount', p -> 'reversed' ->> 'investor_id')
			 when 'McpPurchased' then format('purchase of asset %s for %s', p -> 'reversed' ->> 'asset_id', p -> 'reversed' ->> 'price_cash')
			 when 'McpSold' then format('sale of asset %s for %s', p -> 'reversed' ->> 'asset_id', p -> 'reversed' ->> 'price_cash')
			 when 'RoyaltyReceived' then format('royalty of %s for asset %s', p -> 'reversed' ->> 'amount', p -> 'reversed' ->> 'asset_id')
			 when 'FeeAccrued' then format('accrual of %s %s fee', p -> 'reversed' ->> 'amount', p -> 'reversed' ->> 'kind')
			 when 'FeePaid' then format('payment of %s %s fee', p -> 'reversed' ->> 'amount', p -> 'reversed' ->> 'kind')
			 else format('%s%s%s', p ->> 'reversed_type', ' ' || (p -> 'reversed' ->> 'distribution_id'),
						 ' of ' || (p -> 'reversed' ->> 'total')) end,
			p ->> 'reversed_position')
		when 'PeriodClosed' then format('books are closed through %s', p ->> 'through_date')
		when 'PeriodReopened' then format('books are closed through %s only', coalesce(p ->> 'through_date', 'no day'))
		when 'ResidualSwept' then format('residue of %s is swept to %s', p ->> 'amount', p ->> 'to')
		when 'FundClosed' then 'fund is closed'
		else a.type end as what,
	   coalesce(p ->> 'reason', a.metadata ->> 'reason') as reason,
	   (p ->> 'reversed_event_id')::uuid as reverses,
	   u.event_id as reversed_by,
	   a.metadata
  from (select f.fund_id, e.*
		  from fundes.fund f
		  join fundes.event_log e on e.stream = 'fund-' || f.fund_id
		 union all
		select i.fund_id, e.*
		  from fundes.investment i
		  join fundes.event_log e on e.stream = 'holding-' || i.fund_id || '-' || i.investor_id
		 union all
		select null, e.*
		  from fundes.investor i
		  join fundes.event_log e on e.stream = 'investor-' || i.investor_id
		 union all
		select null, e.*
		  from (select index_name from fundes.market_index
				 union
				select index_name from fundes.trading_halt where fund_id = 0) x
		  join fundes.event_log e on e.stream = 'index-' || x.index_name) a
  left join fundes.reversal r on r.reversed_position = a.position
  left join fundes.event_log u on u.position = r.last_position
  left join fundes.fund z on z.fund_id = a.fund_id,
	   lateral (select a.payload as p) j;
comment on view fundes.audit_trail is
$$Every event of funds, investors and indexes as a person reads it: who, when, what, why.
Example: select recorded_at, actor, what, reason from fundes.audit_trail where fund_id = 1 and is_back_dated order by position$$;
comment on column fundes.audit_trail.fund_id is 'The fund; null: of an investor, an index or the whole market';
comment on column fundes.audit_trail.position is 'The event''s place in the log';
comment on column fundes.audit_trail.event_id is 'The event';
comment on column fundes.audit_trail.recorded_at is 'When it was written';
comment on column fundes.audit_trail.effective_at is 'When it is true';
comment on column fundes.audit_trail.is_back_dated is 'Whether something effective later had been recorded before of the fund; where there is none, of the investor or the index';
comment on column fundes.audit_trail.actor is 'Who: the key actor of the metadata';
comment on column fundes.audit_trail.type is 'The event''s type';
comment on column fundes.audit_trail.what is 'What happened, in words';
comment on column fundes.audit_trail.reason is 'Why: the key reason of the payload or of the metadata';
comment on column fundes.audit_trail.reverses is 'The event that it reverses';
comment on column fundes.audit_trail.reversed_by is 'The event that reverses it';
comment on column fundes.audit_trail.metadata is 'All of the metadata';
