-- The views that operators look at: the worked example, reversals, back-dated
-- events, and what must hold in any history.

begin;
\ir helper.inc
select no_plan();

\o /dev/null
\ir example.inc
\o

-- What each must agree with, for every fund.
create function pg_temp.ledgers_agree(rule text) returns setof text
language plpgsql as $$
begin
	return next is_empty('select fund_id, sum(balance), sum(debit), sum(credit) from fundes.trial_balance
		group by fund_id having sum(balance) <> 0 or sum(debit) <> sum(credit) or count(*) <> 12',
		rule || ': the trial balance is 0');
	return next is_empty('select * from fundes.trial_balance where balance <> debit - credit or least(debit, credit) <> 0',
		rule || ': a balance is a debit or a credit');
	return next is_empty('select s.fund_id, s.capital_cash, l.balance
		from fundes.fund_sheet s
		left join (select distinct on (fund_id) * from fundes.cash_ledger order by fund_id, effective_at desc, position desc) l using (fund_id)
	   where s.capital_cash <> coalesce(l.balance, 0)', rule || ': the cash ledger ends at the fund''s cash');
	return next is_empty('select * from (select *, sum(cash_in - cash_out) over (partition by fund_id order by effective_at, position) as again
		from fundes.cash_ledger) l where balance <> again or balance < 0 or least(cash_in, cash_out) <> 0',
		rule || ': balances run on and are never negative');
	return next is_empty('select fund_id, day, f.net, l.net from fundes.fund_flow f
		full join (select fund_id, day, sum(cash_in - cash_out) as net from fundes.cash_ledger group by 1, 2) l using (fund_id, day)
		where f.net is distinct from l.net
		   or f.net <> f.subscriptions + f.sales + f.royalties - f.redemptions - f.purchases - f.fees_paid - f.distributions_paid - f.residue_swept',
		rule || ': the flows of a day are its cash by kind');
	return next is_empty('select s.fund_id from fundes.fund_sheet s
		left join (select fund_id, sum(subscriptions) as subscriptions, sum(redemptions) as redemptions, sum(royalties) as royalties,
						  sum(purchases) as purchases, sum(sales) as sales from fundes.fund_flow group by 1) f using (fund_id)
		where s.subscriptions <> coalesce(f.subscriptions, 0) or s.redemptions <> coalesce(f.redemptions, 0)
		   or s.royalty_income <> coalesce(f.royalties, 0) or s.accumulated_purchase_value <> coalesce(f.purchases, 0)
		   or s.accumulated_sold_value <> coalesce(f.sales, 0)', rule || ': all flows are the fund''s sheet');
	return next is_empty('select distinct on (fund_id) f.* from fundes.fund_flow f join fundes.fund_sheet s using (fund_id)
		where closing_cash <> capital_cash and not exists (select from fundes.fund_flow l where l.fund_id = f.fund_id and l.day > f.day)',
		rule || ': the last day closes at the fund''s cash');
	return next is_empty('select i.fund_id, i.investor_id from fundes.investment_current_value i
		full join (select distinct on (fund_id, investor_id) * from fundes.unit_register order by fund_id, investor_id, effective_at desc, position desc) r
			 using (fund_id, investor_id) where i.units is distinct from r.holding_units',
		rule || ': the unit register ends at the holdings');
	return next is_empty('select s.fund_id from fundes.fund_sheet s
		left join (select distinct on (fund_id) * from fundes.unit_register order by fund_id, effective_at desc, position desc) r using (fund_id)
		where s.total_supply <> coalesce(r.fund_units, 0)', rule || ': and at the supply');
	return next is_empty('select * from (select *, sum(units) over (partition by fund_id, investor_id order by effective_at, position) as again
		from fundes.unit_register) r where holding_units <> again or least(holding_units, fund_units) < 0',
		rule || ': units run on and are never negative');
	return next is_empty('select * from (select *, sum(units) over (partition by fund_id order by effective_at, position) as again
		from fundes.unit_register) r where fund_units <> again', rule || ': so do those of the fund');
	return next is((select count(*) from fundes.audit_trail),
		(select count(*) from fundes.event_log where stream ~ '^(fund|holding|investor|index)-'), rule || ': the audit trail has every event');
	return next is_empty('select * from fundes.daily_control where ''books do not balance'' = any (findings) or ''negative figure'' = any (findings)',
		rule || ': daily_control finds the books in order');
end
$$;
select pg_temp.ledgers_agree('the worked example');

select pg_temp.same($$select day, type, is_reversal, investor_id, asset_id = pg_temp.asset('M1') as of_m1, detail, cash_in, cash_out, balance
		from fundes.cash_ledger where fund_id = 1 and day > '2023-06-02' order by effective_at, position$$, $$values
	(date '2023-06-10', 'RoyaltyReceived', false, null, true, null, 12345, 0, 761475),
	('2023-06-10', 'RoyaltyReceived', true, null, true, null, 0, 12345, 749130),
	('2023-06-10', 'RoyaltyReceived', false, null, true, null, 12354, 0, 761484),
	('2023-06-15', 'McpSold', false, null, false, null, 470000, 0, 1231484),
	('2023-06-20', 'McpPurchased', false, null, false, null, 0, 333333, 898151),
	('2023-07-03', 'InvestmentWithdrawn', false, 'A', null, null, 0, 411136, 487015),
	('2023-07-10', 'DistributionPaid', false, null, null, '1', 0, 9999, 477016),
	('2023-07-11', 'FeePaid', false, null, null, 'management', 0, 1500, 475516)$$, 'cash_ledger: by effective time, reversals under their kind');
select pg_temp.same($$select day, royalties, net, closing_cash from fundes.fund_flow where fund_id = 1 and day = '2023-06-10'$$,
	$$values (date '2023-06-10', 12354, 12354, 761484)$$, 'fund_flow: a reversal lessens its kind');
select pg_temp.same($$select investor_id, type, units, unit_price, cash, holding_units, fund_units from fundes.unit_register where fund_id = 1 order by effective_at, position$$, $$values
	('A', 'InvestmentCreated', 1000, 1000.0000, 1000000, 1000, 1000),
	('B', 'InvestmentCreated', 500, 1000.0000, 500000, 500, 1500),
	('C', 'InvestmentCreated', 295, 1014.0000, 299130, 295, 1795),
	('A', 'InvestmentWithdrawn', -400, 1027.8412, -411136, 600, 1395)$$, 'unit_register');
select pg_temp.same($$select number, account, class, balance from fundes.trial_balance where fund_id = 1 order by number$$, $$values
	(1000, 'cash', 'asset', 475516), (1100, 'copyrights at cost', 'asset', 933333), (1200, 'revaluation of copyrights', 'asset', 15000),
	(2000, 'fees payable', 'liability', 0), (2100, 'distributions payable', 'liability', 0),
	(3000, 'subscriptions', 'equity', -1799130), (3100, 'redemptions', 'equity', 411136), (3200, 'distributed', 'equity', 9999),
	(4000, 'realised gain', 'income', -20000), (4100, 'unrealised gain', 'income', -15000), (4200, 'royalties', 'income', -12354),
	(5000, 'fees', 'expense', 1500)$$, 'trial_balance');

-- nav_error: nothing until it is restated, then each deal at the old price.
select pg_temp.same($$select valuation_date, struck_by, struck_at, struck_price, restated_price, event_id from fundes.nav_error$$, $$values
	(null::date, 'DistributionDeclared', timestamptz '2023-07-05 10:00', 1020.6738, 1020.6802, null::uuid)$$,
	'nav_error: no valuation is restated yet, but the royalty makes another ex price, at which nobody dealt');
select pg_temp.same($$select findings, restatements from fundes.daily_control where fund_id = 1$$,
	$$values (array['not valued yesterday', 'stale prices', 'price too old', 'restatement needed'], 1)$$,
	'daily_control of a fund that was left alone');
select fundes.restate_nav(1, '2023-06-01');
select pg_temp.same($$select valuation_date, struck_price, restated_price, difference, basis_points, investor_id, type, units, cash, restated_cash, off
		from fundes.nav_error where valuation_date is not null$$, $$values
	(date '2023-06-30', 1027.8412, 1027.8462, 0.0050, 0.0486, 'A', 'InvestmentWithdrawn', 400, 411136, 411138, -2)$$,
	'nav_error: A had 2 too little');
select is((select restatements from fundes.daily_control where fund_id = 1), 0::bigint, 'restated, it needs no look');

-- A day that is valued anew, for a moment before a deal that had been made by then.
select fundes.create_fund('Mended', effective_at => '2023-01-01') as f \gset
select fundes.create_investment('A', :f, 1000000, effective_at => '2023-01-02 09:00');
select fundes.purchase_mcp(:f, 'F0', 'R', 'S', 100000, effective_at => '2023-01-03 10:00');
select fundes.record_mcp_price('F0', 'R', 'S', '2023-01-03', 100000);
select fundes.update_mcp_asset_value(:f, '2023-01-03', effective_at => '2023-01-04 00:10');
select fundes.create_investment('A', :f, 100000, effective_at => '2023-01-04 09:00');
select fundes.record_mcp_price('F0', 'R', 'S', '2023-01-03', 110000);
select fundes.update_mcp_asset_value(:f, '2023-01-03', effective_at => '2023-01-04 00:20');
select fundes.create_investment('A', :f, 101000, effective_at => '2023-01-04 10:00');
select fundes.create_investment('A', :f, 20000, effective_at => '2023-01-04 00:15');
select pg_temp.same(format($$select struck_price, restated_price, effective_at, cash, restated_cash, off from fundes.nav_error where fund_id = %s$$, :f),
	$$values (1000.0000, 1010.0000, timestamptz '2023-01-04 09:00', 100000, 101000, 1000), (1000.0000, 1010.0000, timestamptz '2023-01-04 00:15', 20000, 20200, 200)$$,
	'nav_error: a deal that was made before the price was struck anew, and one that was dated between; none at the new price');

-- A pay-in at a price that is restated upwards, and one that was reversed.
select fundes.create_fund('Cents', 10, 2, 4, effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_investment('A', :f, 1000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(:f, 'F1', 'R', 'S', 500, effective_at => '2023-06-01 10:00') as f1 \gset
select fundes.record_mcp_price('F1', 'R', 'S', '2023-06-01', 510);
select fundes.update_mcp_asset_value(:f, '2023-06-01', effective_at => '2023-06-02 00:00');
select fundes.create_investment('B', :f, 100, effective_at => '2023-06-02 10:00');
select event_id as gone from fundes.create_investment('C', :f, 100, effective_at => '2023-06-02 11:00') \gset
select fundes.reverse_event(:'gone', 'by mistake', effective_at => '2023-06-02 12:00');
select fundes.record_royalty(:f, :f1, 3.03, effective_at => '2023-06-01 12:00', metadata => '{"actor": "lou", "reason": "found in the post"}');
select fundes.update_mcp_asset_value(:f, '2023-06-02', effective_at => '2023-06-03 00:00');
select fundes.create_investment('C', :f, 50, effective_at => '2023-06-03 10:00');
select fundes.create_investment('A', :f, 20, effective_at => '2023-06-03 00:00');
select fundes.create_investment('A', :f, 20, effective_at => '2023-06-01 15:00');
select fundes.restate_nav(:f, '2023-06-01');
select pg_temp.same(format($$select struck_price, restated_price, basis_points, investor_id, units, cash, restated_cash, off from fundes.nav_error where fund_id = %s and valuation_date = '2023-06-01'$$, :f),
	$$values (10.1000, 10.1277, 27.4257, 'B', 9.9009, 100.00, 100.28, 0.28)$$,
	'a pay-in: rounded up; deals before it, from the next strike on, and those reversed are left out');
select is((select restated_cash || ' ' || off from fundes.nav_error where fund_id = :f and valuation_date = '2023-06-01'), '100.28 0.28',
	'with as many decimals as the fund''s money has');
select fundes.record_royalty(:f, :f1, 3.03, effective_at => '2023-06-01 12:00', metadata => '{"actor": "lou", "reason": "found as well"}');
select fundes.restate_nav(:f, '2023-06-01');
select pg_temp.same(format($$select valuation_date, struck_revision, current_revision, restated_price from fundes.nav_error where fund_id = %s and valuation_date = '2023-06-01'$$, :f),
	$$values (date '2023-06-01', 1, 3, 10.1574)$$, 'restated again: the struck revision against the last');
select pg_temp.same(format($$select type, actor, reason, is_back_dated, reversed_by is not null as is_reversed from fundes.audit_trail where fund_id = %s and (reason is not null or reversed_by is not null) order by position$$, :f), $$values
	('InvestmentCreated', null, null, false, true),
	('EventReversed', null, 'by mistake', false, false),
	('RoyaltyReceived', 'lou', 'found in the post', true, false),
	('RoyaltyReceived', 'lou', 'found as well', true, false)$$, 'audit_trail: who, why, back-dated, reversed by what');
select matches((select actor || ': ' || what || ', ' || reason from fundes.audit_trail where event_id = :'e24'),
	'^kay: royalty of 12345 for asset \d+, at position \d+, is reversed, wrong amount$', 'audit_trail reads');
select is((select what from fundes.audit_trail where type = 'EventReversed' and what like '%C%'), 'pay-in of 100.00 by C, at position ' ||
	(select position from fundes.audit_trail where event_id = :'gone') || ', is reversed', 'of a deal with the investor') ;
select fundes.create_investor('Old', 'Old', effective_at => '2020-01-01 09:00');
select is((select is_back_dated from fundes.audit_trail where what like 'investor Old%'), false, 'an investor is not late after others');
select fundes.set_price_limits(:f, 0.5, '36 hours', effective_at => '2023-06-04 10:00');
select is((select what from fundes.audit_trail where fund_id = :f and type = 'PriceLimitsSet' order by position desc limit 1),
	'price limits: drift 0.5, age 36:00:00', 'an interval as a person reads it');
select is((select yield from fundes.mcp_holding where copyright_code = 'M1'), 0.020590, 'mcp_holding: royalties of its cost');
select is((select price_age from fundes.mcp_holding where copyright_code = 'M1'), current_date - date '2023-06-30', 'mcp_holding: the age of the quote');
select is((select reverses from fundes.audit_trail where event_id = :'e24'), :'e15', 'a reversal names what it reverses');
select is((select reversed_by from fundes.audit_trail where event_id = :'e15'), :'e24', 'and the other way round');
select is_empty($$select * from fundes.audit_trail where what is null or what = type$$, 'every event says what happened');
select pg_temp.ledgers_agree('with cents');

-- stale_price: since when, and with what.
select pg_temp.same($$select fund_id, copyright_code, value_cash, stale_since, valued_with, last_quote_date, last_quote
		from fundes.stale_price order by 1, 2$$, $$values
	(1, 'M1', 615000, date '2023-07-31', date '2023-06-30', date '2023-06-30', 615000),
	(1, 'M3', 333333, '2023-06-30', null, null, null),
	(2, 'M4', 100000, '2023-06-01', null, null, null)$$, 'stale_price: since the first valuation without a quote') ;
select fundes.record_mcp_price('M4', 'R4', 'S4', '2023-07-02', 110000);
select fundes.update_mcp_asset_value(2, '2023-07-02', effective_at => '2023-07-03 00:00');
select is_empty($$select * from fundes.stale_price where fund_id = 2$$, 'a quote ends it');
select fundes.update_mcp_asset_value(2, '2023-09-01', effective_at => '2023-09-02 00:00');
select pg_temp.same($$select stale_since, valued_with, last_quote from fundes.stale_price where fund_id = 2$$,
	$$values (date '2023-09-01', date '2023-07-02', 110000)$$, 'and its age begins it again');

-- daily_control: each finding by itself.
create function pg_temp.findings(fund bigint) returns text
language sql as $$ select array_to_string(findings, ', ') from fundes.daily_control where fund_id = fund $$;
select fundes.create_fund('Well') as g \gset
select is(pg_temp.findings(:g), '', 'a new fund has nothing to look at');
select fundes.create_investment('A', :g, 1000);
select is(pg_temp.findings(:g), '', 'nor has it with units on its first day');
select fundes.create_fund('Control', effective_at => now() - interval '3 days') as g \gset
select fundes.create_investment('A', :g, 1000000, effective_at => now() - interval '3 days');
select is(pg_temp.findings(:g), 'not valued yesterday', 'units, and no valuation');
select fundes.purchase_mcp(:g, 'Q1', 'R', 'S', 500000, effective_at => now() - interval '3 days') as q1 \gset
select fundes.record_mcp_price('Q1', 'R', 'S', (now() at time zone 'Asia/Seoul')::date - 2, 500000);
select fundes.update_mcp_asset_value(:g, (now() at time zone 'Asia/Seoul')::date - 2);
select is(pg_temp.findings(:g), 'not valued yesterday', 'valued the day before yesterday');
select fundes.record_mcp_price('Q1', 'R', 'S', (now() at time zone 'Asia/Seoul')::date - 1, 500000);
select fundes.update_mcp_asset_value(:g);
select is(pg_temp.findings(:g), '', 'valued yesterday');
select fundes.record_royalty(:g, :q1, 20000);
select is(pg_temp.findings(:g), '', 'a drift of exactly the limit');
select fundes.record_royalty(:g, :q1, 1);
select is(pg_temp.findings(:g), 'price drift over limit', 'a coin more');
select fundes.set_price_limits(:g, null, '1 hour');
select is(pg_temp.findings(:g), case when (now() at time zone 'Asia/Seoul')::time > '01:00' then 'price too old' else '' end, 'older than the limit');
select fundes.set_price_limits(:g, null, null);
select is(pg_temp.findings(:g), '', 'no limits');
select fundes.publish_index('test', '2020-01-01', 100, effective_at => now() - interval '2 hours');
select is(fundes.publish_index('test', '2020-01-02', 50, effective_at => now() - interval '1 hour'), true, 'a fall halts dealing');
select is(pg_temp.findings(:g), '', 'for twenty minutes, which went by');
select is((select what from fundes.audit_trail where type = 'TradingHalted'),
	'trading is halted until ' || to_char((now() - interval '40 minutes') at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC', 'a halt of the market, as a person reads it');
select fundes.halt_trading(:g, 'test');
select pg_temp.same(format('select findings, halted_until from fundes.daily_control where fund_id = %s', :g),
	$$values (array['trading halted'], 'infinity'::timestamptz)$$, 'halted until it is resumed');
select fundes.resume_trading(:g);
select is(pg_temp.findings(:g), '', 'resumed');
select fundes.halt_trading(null, 'test');
select is(pg_temp.findings(:g), 'trading halted', 'the whole market is halted');
select fundes.resume_trading();
select is(pg_temp.findings(:g), '', 'and resumed');
select fundes.declare_distribution(:g, 10000) as d \gset
select is(pg_temp.findings(:g), 'unpaid distribution', 'declared');
select fundes.pay_distribution(:g, :d);
select is(pg_temp.findings(:g), '', 'paid');
select fundes.record_royalty(:g, :q1, 5, effective_at => now() - interval '2 days');
select is(pg_temp.findings(:g), 'restatement needed', 'a royalty of the day before yesterday');
select fundes.restate_nav(:g, (now() at time zone 'Asia/Seoul')::date - 5);
select is(pg_temp.findings(:g), '', 'restated');
select fundes.sell_mcp(:g, :q1, 500000);
select fundes.withdraw_investment('A', :g, 1000);
select is(pg_temp.findings(:g), 'deals at a wrong ex price, residue without units',
	'all units are gone at a price without the late royalty, and some cash is not');
select fundes.sweep_residual(:g, 'the platform');
select is(pg_temp.findings(:g), 'deals at a wrong ex price', 'swept');
select pg_temp.same(format($$select residue_swept > 0 as swept, closing_cash from fundes.fund_flow where fund_id = %s order by day desc limit 1$$, :g),
	$$values (true, 0)$$, 'fund_flow shows what was swept');
select is((select detail from fundes.cash_ledger where fund_id = :g and type = 'ResidualSwept'), 'the platform', 'cash_ledger to whom');
select pg_temp.ledgers_agree('after a sweep');

select fundes.create_fund('Zero', effective_at => now() - interval '3 days') as z \gset
select fundes.set_price_limits(:z, null, null, effective_at => now() - interval '3 days');
select fundes.create_investment('A', :z, 100000, effective_at => now() - interval '3 days');
select fundes.purchase_mcp(:z, 'Q2', 'R', 'S', 100000, effective_at => now() - interval '3 days') as q2 \gset
select fundes.record_mcp_price('Q2', 'R', 'S', (now() at time zone 'Asia/Seoul')::date - 1, 0);
select fundes.update_mcp_asset_value(:z);
select is(pg_temp.findings(:z), 'price is 0', 'worth nothing');
select fundes.record_royalty(:z, :q2, 10);

-- What the commands never let happen; here the rows are spoilt by hand.
savepoint spoilt;
update fundes.fund set liabilities = 11 where fund_id = :z;
select is(pg_temp.findings(:z), 'cash below liabilities, negative figure, price is 0, books do not balance', 'owed more than there is');
rollback to spoilt;
update fundes.fund set capital_cash = 9 where fund_id = :z;
select is(pg_temp.findings(:z), 'price is 0, books do not balance', 'a coin is missing');
select is((select sum(balance) from fundes.trial_balance where fund_id = :z), -1::numeric, 'the trial balance shows it');
rollback to spoilt;
update fundes.mcp set value_cash = 1 where fund_id = :z;
select is(pg_temp.findings(:z), 'price is 0, books do not balance', 'a value that the fund does not have');
rollback to spoilt;
update fundes.investment set units = units + 1 where fund_id = :z;
select is(pg_temp.findings(:z), 'price is 0, books do not balance', 'a unit that the fund does not have');
rollback to spoilt;
insert into fundes.fee_account (fund_id, kind, accrued, paid, last_position) values (:z, 'x', 5, 4, 1);
select is((select sum(balance) from fundes.trial_balance where fund_id = :z), -1::numeric, 'a fee that is owed, but not by the fund');
rollback to spoilt;
select is(pg_temp.findings(:z), 'price is 0', 'put right');

-- Holders of record that became others after the declaration.
create function pg_temp.holders_differ(fund bigint) returns boolean
language sql as $$ select 'entitlements differ from holders of record' = any (findings) from fundes.daily_control where fund_id = fund $$;
select fundes.create_fund('Record', effective_at => '2023-03-01 09:00') as r \gset
select fundes.set_price_limits(:r, null, null, effective_at => '2023-03-01 09:00');
select event_id as ra from fundes.create_investment('A', :r, 10000, effective_at => '2023-03-01 10:00') \gset
select fundes.purchase_mcp(:r, 'R1', 'R', 'S', 2000, effective_at => '2023-03-01 11:00') as r1 \gset
select fundes.record_royalty(:r, :r1, 1000, effective_at => '2023-03-02 10:00');
select fundes.declare_distribution(:r, 1000, '2023-03-05', effective_at => '2023-03-07 10:00') as d \gset
select is(pg_temp.holders_differ(:r), false, 'as declared');
select event_id as rb from fundes.create_investment('B', :r, 2000, effective_at => '2023-03-06 00:00') \gset
select is(pg_temp.holders_differ(:r), false, 'a pay-in after the record date has no part in it');
select event_id as rb from fundes.create_investment('B', :r, 2000, effective_at => '2023-03-05 23:59:59.999999') \gset
select is(pg_temp.holders_differ(:r), true, 'one of its last moment has');
select fundes.reverse_event(:'rb', 'wrong day', effective_at => '2023-03-05 23:59:59.999999');
select is(pg_temp.holders_differ(:r), false, 'reversed, it has none');
savepoint record;
select fundes.create_investment('C', :r, 10000, effective_at => '2023-03-01 10:00');
select fundes.reverse_event(:'ra', 'wrong investor', effective_at => '2023-03-01 10:00');
select is(pg_temp.holders_differ(:r), true, 'as many units of another');
select fundes.pay_distribution(:r, :d, effective_at => '2023-03-10 10:00');
select is(pg_temp.holders_differ(:r), true, 'also when it is paid');
select fundes.close_period(:r, '2023-03-04', effective_at => '2023-03-11 10:00');
select is(pg_temp.holders_differ(:r), true, 'while the period is open');
select fundes.close_period(:r, '2023-03-05', effective_at => '2023-03-11 10:00');
select is(pg_temp.holders_differ(:r), false, 'until it is closed');
rollback to record;
select fundes.withdraw_investment('A', :r, 1, effective_at => '2023-03-04 10:00');
select is(pg_temp.holders_differ(:r), true, 'a unit less');
select event_id as declared from fundes.audit_trail where fund_id = :r and type = 'DistributionDeclared' \gset
select fundes.reverse_event(:'declared', 'holders', effective_at => '2023-03-07 10:00');
select is(pg_temp.holders_differ(:r), false, 'nobody is entitled to what was reversed');

-- A random history, back-dated and reversed: what is refused is refused.
do $$
declare
	fund bigint;
	at timestamptz;
	done text;
	accepted integer := 0;
	reversed integer := 0;
begin
	perform setseed(0.75);
	for f in 1 .. 2 loop
		fund := fundes.create_fund('Random ' || f, 10, f * 2 - 2, f * 3 - 3, effective_at => '2022-01-01 09:00');
		perform fundes.set_price_limits(fund, null, null, effective_at => '2022-01-01 09:00');
		perform fundes.create_investment('A', fund, 100000, effective_at => '2022-01-01 10:00');
		for i in 1 .. 150 loop
			at := timestamptz '2022-01-02 10:00' + i * interval '6 hours'
				  - case when random() < 0.3 then random() * i * interval '6 hours' else '0' end;
			done := case (random() * 10)::integer
				when 0 then format('create_investment(%L, %s, %s, %L)', chr(65 + (random() * 2)::integer), fund, 10 + (random() * 9999)::integer, at)
				when 1 then format('create_investment(%L, %s, %s, %L)', chr(65 + (random() * 2)::integer), fund, 10 + (random() * 9999)::integer, at)
				when 2 then format('withdraw_investment(%L, %s, %s, %L)', chr(65 + (random() * 2)::integer), fund, 1 + (random() * 300)::integer, at)
				when 3 then format('purchase_mcp(%s, %L, %L, %L, %s, effective_at => %L)', fund, 'Z' || f || i, 'R', 'S', 10 + (random() * 9999)::integer, at)
				when 4 then format('purchase_mcp(%s, %L, %L, %L, %s, effective_at => %L)', fund, 'Z' || f || i, 'R', 'S', 10 + (random() * 9999)::integer, at)
				when 5 then format('sell_mcp(%s, %s, %s, %L)', fund,
								   (select asset_id from fundes.mcp_holding where fund_id = fund order by random() limit 1), (random() * 9999)::integer, at)
				when 6 then format('record_royalty(%s, %s, %s, effective_at => %L)', fund,
								   (select asset_id from fundes.mcp_holding where fund_id = fund order by random() limit 1), 1 + (random() * 999)::integer, at)
				when 7 then format('accrue_fee(%s, %s, effective_at => %L)', fund, 1 + (random() * 99)::integer, at)
				when 8 then format('declare_distribution(%s, %s, effective_at => %L)', fund, 1 + (random() * 999)::integer, at)
				when 9 then format('pay_distribution(%s, %s, effective_at => %L)', fund,
								   (select max(payload ->> 'distribution_id') from fundes.read_stream('fund-' || fund, max_count => null)
									 where type = 'DistributionDeclared'), at)
				else format('reverse_event(%L, %L, effective_at => %L)',
							(select event_id from fundes.audit_trail where fund_id = fund and type <> 'EventReversed' order by random() limit 1), 'random', at)
				end;
			if i % 8 = 0 then
				perform fundes.record_mcp_price(copyright_code, 'R', 'S', (at at time zone 'Asia/Seoul')::date - 1, (random() * 9999)::integer)
				   from fundes.mcp_holding where fund_id = fund;
				perform fundes.update_mcp_asset_value(fund, (at at time zone 'Asia/Seoul')::date - 1, effective_at => at);
			end if;
			if (pg_temp.attempt('select fundes.' || done)).state = '00000' then
				accepted := accepted + 1;
				reversed := reversed + (done like 'reverse%')::integer;
			end if;
		end loop;
	end loop;
	raise notice '% accepted, % reversed', accepted, reversed;
end
$$;
select ok(count(*) > 100, 'a history of ' || count(*) || ' events') from fundes.audit_trail a join fundes.fund_sheet s using (fund_id) where name like 'Random%';
select ok(count(*) filter (where type = 'EventReversed') > 2 and count(*) filter (where is_back_dated) > 10, 'with reversals and back-dated events')
  from fundes.audit_trail a join fundes.fund_sheet s using (fund_id) where name like 'Random%';
select pg_temp.ledgers_agree('a random history');
select is_empty($$
	select s.fund_id, from_date, p
	  from fundes.fund_sheet s
	 cross join lateral (select date '2021-12-25' + (random() * 50)::integer as from_date, s.fund_id as again from generate_series(1, 20)) d
	 cross join lateral (select from_date + (random() * 20)::integer as to_date) e
	 cross join lateral fundes.fund_pnl(s.fund_id, from_date, to_date) p
	 cross join lateral (select coalesce(sum(subscriptions), 0) as subscriptions, coalesce(sum(redemptions), 0) as redemptions,
								coalesce(sum(royalties), 0) as royalties
						   from fundes.fund_flow f where f.fund_id = s.fund_id and f.day between from_date and to_date) f
	 where s.name like 'Random%'
	   and (p.closing_nav - p.opening_nav <> p.subscriptions - p.redemptions + p.realised + p.unrealised + p.royalties - p.fees - p.distributed
			or p.subscriptions <> f.subscriptions or p.redemptions <> f.redemptions or p.royalties <> f.royalties)$$,
	'fund_pnl on random days: its identity, and the flows of those days');

-- A role with nothing but SELECT and EXECUTE.
create role fundes_test_operator;
grant usage on schema fundes to fundes_test_operator;
grant select on fundes.fund_flow, fundes.cash_ledger, fundes.unit_register, fundes.trial_balance, fundes.daily_control, fundes.nav_error,
	fundes.stale_price, fundes.audit_trail, fundes.investor_portfolio to fundes_test_operator;
grant execute on function fundes.fund_pnl, fundes.investor_statement, fundes.twr, fundes.xirr, fundes.import_prices, fundes.import_royalties,
	fundes.import_index to fundes_test_operator;
create function pg_temp.count_as_operator(query text) returns text
language plpgsql as $$
declare
	n bigint;
begin
	set local role fundes_test_operator;
	execute format('select count(*) from (%s) q', query) into n;
	reset role;
	return case when n > 0 then 'rows' else 'no rows' end;
exception when others then
	return sqlstate;
end
$$;
grant execute on function pg_temp.count_as_operator to public;
select is(pg_temp.count_as_operator(query), 'rows', 'a role with a grant on it alone: ' || query)
  from unnest(array['select * from fundes.fund_flow', 'select * from fundes.cash_ledger', 'select * from fundes.unit_register',
	'select * from fundes.trial_balance', 'select * from fundes.daily_control', 'select * from fundes.nav_error',
	'select * from fundes.stale_price', 'select * from fundes.audit_trail', 'select * from fundes.investor_portfolio',
	'select * from fundes.fund_pnl(1, ''2023-06-01'', ''2023-06-30'')', 'select * from fundes.investor_statement(''A'', ''2023-06-01'', ''2023-06-30'')',
	'select * from fundes.twr(1, ''2023-06-01'', ''2023-06-30'')', 'select * from fundes.xirr(''A'', 1, ''2023-06-30'')',
	$$select * from fundes.import_prices('[["copyright_code","registration_number","music_id","price_date","price"]]')$$,
	$$select * from fundes.import_royalties('[["fund_id","amount"]]')$$,
	$$select * from fundes.import_index('[["index_name","index_date","level"],["mcpi","2023-06-01","200"]]')$$]) query;
select is(pg_temp.count_as_operator(query), '42501', 'what is below it is closed: ' || query)
  from unnest(array['select * from fundes.fund_movement', 'select * from fundes.strike_of_day(1, ''2023-06-01'', now())', 'select * from fundes.fund_entry',
	'select * from fundes.record_royalty(1, 1, 1)']) query;

select * from finish();
rollback;
