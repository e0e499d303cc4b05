-- investor_statement and investor_portfolio.

begin;
\ir helper.inc
select no_plan();

\o /dev/null
\ir example.inc
\o

create function pg_temp.statement(investor text, from_date date, to_date date) returns text
language sql as $$
	select format('select fund_id, effective_at, entry, units, unit_price, paid_in, paid_out, holding_units, value from fundes.investor_statement(%L, %L, %L)',
				  investor, from_date, to_date)
$$;

select pg_temp.same(pg_temp.statement('A', '2023-06-01', '2023-07-31'), $$values
	(1, timestamptz '2023-06-01 00:00', 'opening', null, null, null, null, 0, null),
	(1, '2023-06-01 09:10', 'InvestmentCreated', 1000, 1000.0000, 1000000, null, 1000, 1000000),
	(1, '2023-07-03 10:00', 'InvestmentWithdrawn', -400, 1027.8412, null, 411136, 600, 616704),
	(1, '2023-07-10 10:00', 'DistributionPaid', null, 1020.6738, null, 4301, 600, 612404),
	(1, '2023-08-01 00:00', 'closing', null, 1020.6802, null, null, 600, 612408)$$,
	'A since the start: what was held, each deal at its price, what is held');
select pg_temp.same(pg_temp.statement('A', '2023-06-02', '2023-07-02'), $$values
	(1, timestamptz '2023-06-02 00:00', 'opening', null::numeric, 1014.0000, null::numeric, null::numeric, 1000, 1014000),
	(1, '2023-07-03 00:00', 'closing', null, 1027.8412, null, null, 1000, 1027841)$$, 'a month without deals');
select pg_temp.same(pg_temp.statement('B', '2023-07-01', '2023-07-31'), $$values
	(1, timestamptz '2023-07-01 00:00', 'opening', null::numeric, 1027.8412, null::numeric, null, 500, 513920),
	(1, '2023-07-10 10:00', 'DistributionPaid', null, 1020.6738, null, 3584, 500, 510336),
	(1, '2023-08-01 00:00', 'closing', null, 1020.6802, null, null, 500, 510340),
	(2, '2023-07-01 00:00', 'opening', null, 1000.0000, null, null, 100, 100000),
	(2, '2023-08-01 00:00', 'closing', null, 1000.0000, null, null, 100, 100000)$$, 'B holds two funds');
select is_empty(pg_temp.statement('C', '2023-05-01', '2023-06-01'), 'no rows before the first deal');

-- Reversals, an exit, and a fund with cents in another zone.
select fundes.create_fund('Dollar', 10, 2, 4, 'USD', 'America/New_York', effective_at => '2023-06-01 09:00') as f \gset
select fundes.set_price_limits(:f, null, null, effective_at => '2023-06-01 09:00');
select fundes.create_investor('D', 'Dee', effective_at => '2023-06-01 09:00');
select event_id as deal from fundes.create_investment('D', :f, 100.05, effective_at => '2023-06-02 12:30+09') \gset
select fundes.reverse_event(:'deal', 'twice', effective_at => '2023-06-03 12:30+09');
select fundes.create_investment('D', :f, 33.33, effective_at => '2023-06-04 12:30+09');
select fundes.withdraw_investment('D', :f, 3.333, effective_at => '2023-06-05 12:30+09');
select pg_temp.same(pg_temp.statement('D', '2023-06-01', '2023-06-04'), $$values
	(3, timestamptz '2023-06-01 13:00', 'opening', null, 10.0000, null, null, 0, 0.00),
	(3, '2023-06-02 12:30', 'InvestmentCreated', 10.005, 10.0000, 100.05, null, 10.005, 100.05),
	(3, '2023-06-03 12:30', 'reversal of InvestmentCreated', -10.005, 10.0000, -100.05, null, 0, 0.00),
	(3, '2023-06-04 12:30', 'InvestmentCreated', 3.333, 10.0000, 33.33, null, 3.333, 33.33),
	(3, '2023-06-05 12:30', 'InvestmentWithdrawn', -3.333, 10.0000, null, 33.33, 0, 0.00),
	(3, '2023-06-05 13:00', 'closing', null, 10.0000, null, null, 0, 0.00)$$,
	'the days are those of the fund''s zone; a reversal takes back');
select is_empty(pg_temp.statement('D', '2023-06-05', '2023-06-30'), 'after an exit there is nothing to say');

-- A withdrawal in the past that takes the last units left now relieves some of
-- the cost later: it is one deal, and one row.
select fundes.create_fund('Later', effective_at => '2024-01-01 09:00') as g \gset
select fundes.set_price_limits(:g, null, null, effective_at => '2024-01-01 09:00');
select fundes.create_investment('C', :g, 100000, effective_at => '2024-01-01 10:00');
select fundes.create_investment('D', :g, 10000, effective_at => '2024-01-01 10:00');
select fundes.purchase_mcp(:g, 'L1', 'R', 'S', 10000, effective_at => '2024-01-01 11:00');
select fundes.record_mcp_price('L1', 'R', 'S', '2024-01-03', 21000);
select fundes.update_mcp_asset_value(:g, '2024-01-03', effective_at => '2024-01-04 00:00');
select fundes.create_investment('D', :g, 11000, effective_at => '2024-01-05 10:00');
select fundes.withdraw_investment('D', :g, 10, effective_at => '2024-01-06 10:00');
select fundes.withdraw_investment('D', :g, 10, effective_at => '2024-01-03 10:00');
select is((select payload ? 'relieved_later' from fundes.event_log where stream = format('holding-%s-D', :g) order by position desc limit 1), true, 'some cost is relieved later');
select pg_temp.same(pg_temp.statement('D', '2024-01-01', '2024-01-31'), format($$values
	(%1$s, timestamptz '2024-01-01 00:00', 'opening', null, null, null, null, 0, null),
	(%1$s, '2024-01-01 10:00', 'InvestmentCreated', 10, 1000.0000, 10000, null, 10, 10000),
	(%1$s, '2024-01-03 10:00', 'InvestmentWithdrawn', -10, 1000.0000, null, 10000, 0, 0),
	(%1$s, '2024-01-05 10:00', 'InvestmentCreated', 10, 1100.0000, 11000, null, 10, 11000),
	(%1$s, '2024-01-06 10:00', 'InvestmentWithdrawn', -10, 1100.0000, null, 11000, 0, 0),
	(%1$s, '2024-02-01 00:00', 'closing', null, 1100.0000, null, null, 0, 0)$$, :g), 'one row a deal');
select is_empty(pg_temp.statement('D', '2024-01-07', '2024-01-31'), 'and none where nothing happened');

select pg_temp.refuses($$select * from fundes.investor_statement('nobody', '2023-06-01', '2023-06-30')$$, 'UF001', 'unknown investor');
select pg_temp.refuses($$select * from fundes.investor_statement('A', '2023-06-02', '2023-06-01')$$, '22023', 'the period ends before it begins');
select pg_temp.refuses(format('select * from fundes.investor_statement(%s)', args), '22004', 'null: ' || args)
  from unnest(array['null, ''2023-06-01'', ''2023-06-01''', '''A'', null, ''2023-06-01''', '''A'', ''2023-06-01'', null']) args;

-- Whatever the period: opening and the deals come to the closing, in units and
-- in cash to what the portfolio says.
select setseed(0.5) is not null as seeded \gset
select is_empty($$
	select i.investor_id, s.fund_id, p.from_date, p.days
	  from fundes.investment_details i
	 cross join lateral (select n, date '2023-05-25' + (random() * 60)::integer as from_date, (random() * 40)::integer as days,
								i.investor_id as again from generate_series(1, 10) n) p
	 cross join lateral fundes.investor_statement(i.investor_id, p.from_date, p.from_date + p.days) s
	 group by i.investor_id, s.fund_id, p.n, p.from_date, p.days
	having count(*) <> count(distinct s.event_id) + 2
		or sum(s.holding_units) filter (where s.entry = 'opening') + coalesce(sum(s.units), 0)
		   <> sum(s.holding_units) filter (where s.entry = 'closing')
		or count(*) filter (where s.entry in ('opening', 'closing')) <> 2$$, 'opening and deals come to the closing');
select pg_temp.same($$
	select i.investor_id, i.fund_id, sum(s.paid_in), coalesce(sum(s.paid_out), 0)
	  from fundes.investor_portfolio i, fundes.investor_statement(i.investor_id, '2000-01-01', '2099-12-31') s
	 where s.fund_id = i.fund_id group by 1, 2 order by 1, 2$$, $$
	select investor_id, fund_id, investment_amount, withdrawn_amount + distributions from fundes.investor_portfolio order by 1, 2$$,
	'the cash of all time is that of the portfolio');

-- The portfolio.
select pg_temp.same($$select investor_id, fund_id, fund_name, share, current_value, unrealised_gain, realised_gain, distributions, total_gain, total_return
		from fundes.investor_portfolio where fund_id < 3 order by 1, 2$$, $$values
	('A', 1, 'OKCOW-1', 0.430108, 612408, 12408, 11136, 4301, 27845, 0.027845),
	('B', 1, 'OKCOW-1', 0.358423, 510340, 10340, 0, 3584, 13924, 0.027848),
	('B', 2, 'OKCOW-2', 1.000000, 100000, 0, 0, 0, 0, 0.000000),
	('C', 1, 'OKCOW-1', 0.211470, 301100, 1970, 0, 2114, 4084, 0.013653)$$, 'share, value and returns');
select is_empty($$select * from fundes.investor_portfolio
	where total_gain <> unrealised_gain + realised_gain + distributions$$, 'the total is the sum of the gains');
select is((select share from fundes.investor_portfolio where investor_id = 'D' and fund_id = :f), null, 'no share where there are no units');

select * from finish();
rollback;
