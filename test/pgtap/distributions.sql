-- Distributions: who gets what, what is owed, the price without it.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(id, id, effective_at => '2023-01-01 09:00') from unnest(array['A', 'B', 'C']) id;
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_investment(i, :f, amount, effective_at => '2023-06-01 10:00') from (values ('A', 3000), ('B', 5000)) v(i, amount);
select fundes.purchase_mcp(:f, 'M1', 'R', 'S', 6000, effective_at => '2023-06-02 09:00') as m1 \gset
select fundes.record_royalty(:f, :m1, 110, effective_at => '2023-06-05 09:00');
create function pg_temp.last(fund bigint) returns jsonb
language sql as $$ select payload from fundes.read_stream('fund-' || fund, backward => true, max_count => 1) $$;

-- Arguments, and what the books allow.
select pg_temp.refuses(format(command, :f), code, rule)
  from (values
	('select fundes.declare_distribution(null, 10)', '22004', 'no fund'),
	('select fundes.declare_distribution(%s, null)', '22004', 'no amount'),
	('select fundes.declare_distribution(%s, 0)', 'UF005', 'nothing'),
	('select fundes.declare_distribution(%s, -1)', 'UF005', 'less than nothing'),
	('select fundes.declare_distribution(%s, 0.5)', 'UF005', 'half a coin'),
	('select fundes.declare_distribution(%s, 0.5, ''infinity'')', 'UF005', 'the amount comes before the date'),
	('select fundes.declare_distribution(%s, 10, ''infinity'')', '22023', 'a date that is none'),
	('select fundes.declare_distribution(99, 10)', 'UF002', 'an unknown fund'),
	('select fundes.declare_distribution(%s, 10, ''2023-06-06'', effective_at => ''2023-06-05 23:59'')', 'UF020', 'a record date after the day of effective_at'),
	('select fundes.declare_distribution(%s, 10, ''2023-05-31'', effective_at => ''2023-06-06 12:00'')', '22023', 'a record date before the fund was created'),
	('select fundes.declare_distribution(%s, 10, effective_at => ''2023-06-06 12:00'', expected_version => 0)', 'UF021', 'another expected version'),
	('select fundes.declare_distribution(%s, 2111, effective_at => ''2023-06-06 12:00'')', 'UF003', 'more than may be spent'),
	('select fundes.pay_distribution(%s, null)', '22004', 'no distribution'),
	('select fundes.pay_distribution(99, 1)', 'UF002', 'an unknown fund, paid'),
	('select fundes.pay_distribution(%s, 1)', '22023', 'a distribution that is not declared')) v(command, code, rule);

-- 8 units: of 100 each gets 12.5 a unit; floors leave the rest in the fund.
select is(fundes.declare_distribution(:f, 101, effective_at => '2023-06-06 12:00', event_id => '81000000-0000-4000-8000-000000000001'), 1::bigint, 'the first is 1');
select is(pg_temp.last(:f), format('{"fund_id": %s, "distribution_id": 1, "record_date": "2023-06-06", "amount": 101, "per_unit": 12.6250, "entitlements": {"A": 37, "B": 63}, "total": 100, "base_price": 1001.2500}', :f)::jsonb,
	'what it states: floor(3 * 12.625), floor(5 * 12.625), and the price without it');
select is(pg_temp.figures(:f, 'capital_cash', 'liabilities', 'nav', 'distributed', 'base_price', 'nav_per_unit'),
	'capital_cash 2110, liabilities 100, nav 8010, distributed 100, base_price 1001.25, nav_per_unit 1001.25', 'it is owed, and the price is struck without it');
select pg_temp.books_balance('the books balance after it is declared');
select pg_temp.writes_nothing(format('select fundes.declare_distribution(%s, 101, event_id => ''81000000-0000-4000-8000-000000000001'')', :f), 'repeated, the date left out again');
select pg_temp.writes_nothing(format('select fundes.declare_distribution(%s, 101.0, ''2023-06-06'', event_id => ''81000000-0000-4000-8000-000000000001'')', :f), 'repeated with the day of effective_at');
select is(fundes.declare_distribution(:f, 101, event_id => '81000000-0000-4000-8000-000000000001'), 1::bigint, 'returns the same id');
select pg_temp.refuses(format('select fundes.declare_distribution(%s, %s, event_id => ''81000000-0000-4000-8000-000000000001'')', :f, args), 'UF008', 'repeated: ' || args)
  from unnest(array['100', '101, ''2023-06-05''']) args;

-- The price age goes on: a distribution is no valuation.
select is((select price_since from fundes.fund where fund_id = :f), timestamptz '2023-06-02 09:00', 'the price ages from what it aged from');
select pg_temp.refuses(format('select fundes.create_investment(''C'', %s, 2000, effective_at => ''2023-06-09 09:00:01'')', :f), 'UF009', 'so it grows old as it would have');

-- Between declaration and payment somebody pays in: at the price without the claim, and gets nothing.
select is((select (units, unit_price, cash_taken) from fundes.create_investment('C', :f, 2005, effective_at => '2023-06-07 10:00')),
	(2::fundes.units, 1001.25::fundes.price, 2003::fundes.cash), 'a pay-in after it, at the price without it');
select pg_temp.refuses(format(command, :f), code, rule)
  from (values
	('select fundes.pay_distribution(%s, 1, effective_at => ''2023-06-06 11:59:59.999999'')', '22023', 'paid before it was declared'),
	('select fundes.pay_distribution(%s, 2, effective_at => ''2023-06-08 12:00'')', '22023', 'another one'),
	('select fundes.purchase_mcp(%s, ''M2'', ''R'', ''S'', 4014, effective_at => ''2023-06-08 12:00'')', 'UF003', 'what is owed to holders may not be spent'),
	('select fundes.pay_fee(%s, 1, effective_at => ''2023-06-08 12:00'')', 'UF003', 'nor is it an accrued fee'),
	('select fundes.declare_distribution(%s, 10, effective_at => ''2023-06-06 11:59'')', '0A000', 'another one before a price that was struck')) v(command, code, rule);
select fundes.pay_distribution(:f, 1, effective_at => '2023-06-08 12:00', event_id => '81000000-0000-4000-8000-000000000002');
select is(pg_temp.figures(:f, 'capital_cash', 'liabilities', 'nav', 'distributed', 'base_price'),
	'capital_cash 4013, liabilities 0, nav 10013, distributed 100, base_price 1001.25', 'paid');
select pg_temp.same(format('select investor_id, units::numeric, distributions::numeric from fundes.investment_current_value where fund_id = %s order by 1', :f),
	$$values ('A', 3::numeric, 37::numeric), ('B', 5, 63), ('C', 2, 0)$$, 'to those who held units then');
select pg_temp.same(format('select amount::numeric, total::numeric, status, declared_at, paid_at from fundes.distribution where fund_id = %s', :f),
	$$values (101::numeric, 100::numeric, 'paid', timestamptz '2023-06-06 12:00', timestamptz '2023-06-08 12:00')$$, 'the distribution is paid');
select pg_temp.refuses(format('select fundes.pay_distribution(%s, 1, effective_at => ''2023-06-08 13:00'')', :f), '22023', 'once');
select pg_temp.writes_nothing(format('select fundes.pay_distribution(%s, 1, event_id => ''81000000-0000-4000-8000-000000000002'')', :f), 'repeated by its id');
select pg_temp.refuses(format('select fundes.pay_distribution(%s, 2, event_id => ''81000000-0000-4000-8000-000000000002'')', :f), 'UF008', 'the id of another one');
select pg_temp.books_balance('the books balance after the payment');

-- The record date: holders at its end, in the fund's zone.
select fundes.withdraw_investment('A', :f, 3, effective_at => '2023-06-08 14:00');
set local timezone = 'America/New_York';
select fundes.declare_distribution(:f, 70, '2023-06-07', effective_at => '2023-06-08 06:00+00') as d \gset
set local timezone = 'Asia/Seoul';
select is(:d, 2, 'the next is 2');
select is(pg_temp.last(:f) -> 'entitlements', '{"A": 21, "B": 35, "C": 14}'::jsonb, 'all who held units at the end of the day, also who has withdrawn since');
select is(pg_temp.last(:f) ->> 'base_price', '991.4285', 'the price without it, for the units that are left: (7010 - 70) / 7');
select fundes.declare_distribution(:f, 70, '2023-06-06', effective_at => '2023-06-08 15:30');
select is(pg_temp.last(:f) -> 'entitlements', '{"A": 26, "B": 43}'::jsonb, 'before a pay-in of the next day: floor(3 * 8.75), floor(5 * 8.75)');
select fundes.create_investment('A', :f, 1000, effective_at => '2023-06-08 15:40');
select fundes.declare_distribution(:f, 80, '2023-06-08', effective_at => '2023-06-08 15:50');
select is(pg_temp.last(:f) -> 'entitlements', '{"A": 10, "B": 50, "C": 20}'::jsonb, 'a day that has not ended: the holders at effective_at');
select fundes.create_investment('A', :f, 5000, effective_at => '2023-06-08 23:59:59.999999');
select fundes.update_mcp_asset_value(:f, '2023-06-08', effective_at => '2023-06-09 00:00');
select fundes.create_investment('A', :f, 2000, effective_at => '2023-06-09 00:00');
select fundes.declare_distribution(:f, 1300, '2023-06-08', effective_at => '2023-06-09 09:00');
select is(pg_temp.last(:f) -> 'entitlements' -> 'A', '600'::jsonb, 'the last moment of the day counts, midnight does not');
select pg_temp.books_balance('the books balance after all of them');

-- A valuation of a day that ended before the last distribution is history only.
select fundes.record_mcp_price('M1', 'R', 'S', '2023-06-08', 9000);
select fundes.update_mcp_asset_value(:f, '2023-06-08', effective_at => '2023-06-09 10:00');
select is((select array[base_price::text, asset_value::text] from fundes.nav_history where fund_id = :f and is_current and valuation_date = '2023-06-08')
	<> array[s.base_price::text, s.asset_value::text], true, 'a revision of the day before it strikes nothing') from fundes.fund_sheet s where s.fund_id = :f;
select is(pg_temp.figures(:f, 'asset_value'), 'asset_value 6000', 'the values stay');
select fundes.update_mcp_asset_value(:f, '2023-06-09', effective_at => '2023-06-10 00:00');
select is(pg_temp.figures(:f, 'asset_value'), 'asset_value 9000', 'the day of the distribution strikes');

-- Nobody gets a coin; no units at all.
select fundes.create_fund('Dust', unit_scale => 6, effective_at => '2023-06-01 09:00') as g \gset
select pg_temp.refuses(format('select fundes.declare_distribution(%s, 1, effective_at => ''2023-06-01 10:00'')', :g), 'UF012', 'no units');
select fundes.create_investment(i, :g, 500, effective_at => '2023-06-01 10:00') from unnest(array['A', 'B', 'C']) i;
select pg_temp.refuses(format('select fundes.declare_distribution(%s, 2, effective_at => ''2023-06-01 11:00'')', :g), 'UF012', 'two coins for three equal holders: nobody gets one');
select pg_temp.refuses(format('select fundes.declare_distribution(%s, 3, ''2023-06-01'', effective_at => ''2023-06-01 09:30'')', :g), 'UF012', 'there were no units yet');
select is(fundes.declare_distribution(:g, 3, effective_at => '2023-06-01 11:00'), 1::bigint, 'three coins for three');
select is(pg_temp.last(:g) - 'record_date', format('{"fund_id": %s, "distribution_id": 1, "amount": 3, "per_unit": 2.0000, "entitlements": {"A": 1, "B": 1, "C": 1}, "total": 3, "base_price": 998.0000}', :g)::jsonb, 'one each');
select fundes.create_fund('Uneven', effective_at => '2023-06-01 09:00') as h \gset
select fundes.create_investment(i, :h, n * 1000, effective_at => '2023-06-01 10:00') from (values ('A', 1), ('B', 1000)) v(i, n);
select fundes.declare_distribution(:h, 500, effective_at => '2023-06-01 11:00');
select is(pg_temp.last(:h) -> 'entitlements', '{"B": 499}'::jsonb, 'who would get less than a coin is not listed: 1 * 0.4995 and 1000 * 0.4995');

-- All of the cash may be distributed, and no more along the timeline.
select fundes.create_fund('All', effective_at => '2023-06-01 09:00') as k \gset
select fundes.create_investment('A', :k, 1000, effective_at => '2023-06-01 10:00');
select fundes.accrue_fee(:k, 100, effective_at => '2023-06-10 10:00');
select pg_temp.refuses(format('select fundes.declare_distribution(%s, 901, effective_at => ''2023-06-05 10:00'')', :k), 'UF003', 'in the past: what is owed later');
select pg_temp.accepts(format('select fundes.declare_distribution(%s, 900, effective_at => ''2023-06-05 10:00'')', :k), 'all that is not');
select is(pg_temp.figures(:k, 'nav', 'base_price'), 'nav 0, base_price 100', 'the price of that moment: (1000 - 900) / 1');
select pg_temp.accepts(format('select fundes.pay_distribution(%s, 1, effective_at => ''2023-06-05 10:00'')', :k), 'paid at the same moment');
select pg_temp.books_balance('the books balance with nothing left');

-- Appended directly.
create function pg_temp.declared(fund bigint, change jsonb) returns text
language sql as $$
	select format('select fundes.append(''fund-%s'', ''DistributionDeclared'', %L)', fund,
		jsonb_build_object('fund_id', fund, 'distribution_id', 2, 'record_date', '2023-06-02', 'amount', 30, 'per_unit', 20,
			'entitlements', '{"A": 10, "B": 10, "C": 10}'::jsonb, 'total', 30) || change)
$$;
select pg_temp.refuses(pg_temp.declared(:g, change), code, 'appended: ' || change::text)
  from (values
	('{"distribution_id": 1}'::jsonb, 'UF023'), ('{"distribution_id": 3}', 'UF023'), ('{"total": 29}', 'UF023'), ('{"amount": 29}', 'UF023'),
	('{"entitlements": {"A": 30, "B": 0}}', 'UF023'), ('{"entitlements": {"A": "30"}}', 'UF023'), ('{"entitlements": {"Z": 30}}', 'UF006'),
	('{"entitlements": {"A": 10.5, "B": 19.5}}', 'UF005')) v(change, code);
select pg_temp.accepts(pg_temp.declared(:g, '{}'), 'appended as it should be, without a price');
select is(pg_temp.figures(:g, 'base_price', 'liabilities'), 'base_price 978, liabilities 33', 'the price is that of the books');
select pg_temp.refuses(format('select fundes.append(''fund-%1$s'', ''DistributionPaid'', ''{"fund_id": %1$s, "distribution_id": %2$s, "total": %3$s}'')', :g, id, total), 'UF023', format('paid, appended: %s of %s', total, id))
  from (values (3, 30), (2, 29)) v(id, total);
select pg_temp.accepts(format('select fundes.append(''fund-%1$s'', ''DistributionPaid'', ''{"fund_id": %1$s, "distribution_id": 2, "total": 30}'')', :g), 'paid, appended as it should be');
select pg_temp.refuses(format('select fundes.append(''fund-%1$s'', ''DistributionPaid'', ''{"fund_id": %1$s, "distribution_id": 2, "total": 30}'')', :g), 'UF023', 'and again');

-- Paid once at every moment, whatever else is owed.
select fundes.create_fund('Once', effective_at => '2024-01-01 09:00') as n \gset
select fundes.set_price_limits(:n, null, null, effective_at => '2024-01-01 09:00');
select fundes.create_investment('A', :n, 1000000, effective_at => '2024-01-01 10:00');
select fundes.accrue_fee(:n, 50000, effective_at => '2024-01-02 10:00');
select fundes.declare_distribution(:n, 20000, effective_at => '2024-01-03 10:00', event_id => '81000000-0000-4000-8000-000000000011');
select fundes.pay_distribution(:n, 1, effective_at => '2024-01-04 10:00', event_id => '81000000-0000-4000-8000-000000000012');
select fundes.reverse_event('81000000-0000-4000-8000-000000000012', effective_at => '2024-01-10 10:00');
create function pg_temp.once(fund bigint) returns text
language sql as $$
	select string_agg(concat_ws(' ', trim_scale(f.liabilities), trim_scale(f.distributed), trim_scale(i.distributions)), ', ' order by at)
	  from unnest(array['2024-01-05', '2024-01-08', '2024-01-11']::timestamptz[]) at, fundes.fund_state_at(fund, at) f, fundes.investment_value_at('A', fund, at) i
$$;
select is(pg_temp.once(:n), '50000 20000 20000, 50000 20000 20000, 70000 20000 0', 'paid from 01-04 until the payment is reversed on 01-10');
select pg_temp.refuses(format('select fundes.pay_distribution(%s, 1, effective_at => %L)', :n, at), '22023', 'paid a second time, though a fee is owed as well: ' || at)
  from unnest(array['2024-01-03 12:00', '2024-01-04 10:00', '2024-01-06 10:00', '2024-01-10 09:59:59.999999']) at;
select pg_temp.refuses(format('select fundes.reverse_event(''81000000-0000-4000-8000-000000000011'', effective_at => %L)', at), 'UF014', 'reversed while it is paid, though a fee is owed as well: ' || at)
  from unnest(array['2024-01-03 10:00', '2024-01-06 10:00', '2024-01-10 09:59:59.999999']) at;
select pg_temp.refuses(format($$select fundes.append('fund-%1$s', 'DistributionPaid', '{"fund_id": %1$s, "distribution_id": 1, "total": 20000}', effective_at => '2024-01-06 10:00')$$, :n), 'UF023', 'appended, a second payment');
select pg_temp.refuses(format($$select fundes.append('fund-%s', 'EventReversed', %L, effective_at => '2024-01-06 10:00')$$, :n, jsonb_build_object('fund_id', :n, 'reversed_event_id', event_id, 'reversed_type', type, 'reversed_position', position, 'reversed', payload)), 'UF023', 'appended, a reversal while it is paid')
  from fundes.event_log where event_id = '81000000-0000-4000-8000-000000000011';
savepoint open_again;
select pg_temp.accepts(format('select fundes.pay_distribution(%s, 1, effective_at => ''2024-01-10 10:00'')', :n), 'from the reversal on it may be paid again');
select is(pg_temp.once(:n), '50000 20000 20000, 50000 20000 20000, 50000 20000 20000', 'it is paid at every moment, once');
rollback to open_again;
select pg_temp.accepts('select fundes.reverse_event(''81000000-0000-4000-8000-000000000011'', effective_at => ''2024-01-10 10:00'')', 'or reversed');
-- a payment that is reversed at its own moment never was
select fundes.declare_distribution(:n, 20000, effective_at => '2024-02-03 10:00', event_id => '81000000-0000-4000-8000-000000000013');
select fundes.pay_distribution(:n, 2, effective_at => '2024-02-08 10:00', event_id => '81000000-0000-4000-8000-000000000014');
select fundes.reverse_event('81000000-0000-4000-8000-000000000014', 'another day', effective_at => '2024-02-08 10:00');
select pg_temp.refuses(format('select fundes.pay_distribution(%s, 2, effective_at => ''2024-02-03 09:59:59'')', :n), '22023', 'before it was declared, still');
savepoint never_paid;
select pg_temp.accepts(format('select fundes.pay_distribution(%s, 2, effective_at => ''2024-02-06 10:00'')', :n), 'the right day of a payment may be before the wrong one');
rollback to never_paid;
select pg_temp.accepts('select fundes.reverse_event(''81000000-0000-4000-8000-000000000013'', effective_at => ''2024-02-03 10:00'')', 'and the declaration be reversed before it');
select pg_temp.books_balance('the books balance after these');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
