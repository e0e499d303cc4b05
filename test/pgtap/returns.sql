-- fund_pnl, twr and xirr: the worked example to the last digit, the identity
-- of each row, and the edges of both returns.

begin;
\ir helper.inc
select no_plan();

\o /dev/null
\ir example.inc
\o

-- The worked example. E24 and E25 are effective on 06-10, so June has 9 more.
select pg_temp.same($$select * from fundes.fund_pnl(1, '2023-06-01', '2023-06-30')$$,
	$$values (0, 1799130, 0, 20000, 15000, 12354, 1500, 45854, 0, 1844984)$$, 'June');
select pg_temp.same($$select * from fundes.fund_pnl(1, '2023-07-01', '2023-07-31')$$,
	$$values (1844984, 0, 411136, 0, 0, 0, 0, 0, 9999, 1423849)$$, 'July');
select pg_temp.same($$select * from fundes.fund_pnl(1, '2023-06-01', '2023-07-31')$$,
	$$values (0, 1799130, 411136, 20000, 15000, 12354, 1500, 45854, 9999, 1423849)$$, 'both');
select pg_temp.same($$select * from fundes.fund_pnl(1, '2023-06-10', '2023-06-10')$$,
	$$values (1820130, 0, 0, 0, 0, 12354, 0, 12354, 0, 1832484)$$, 'a day: from the end of the day before to its end');
select pg_temp.same($$select * from fundes.fund_pnl(1, '2020-01-01', '2023-05-31')$$,
	$$values (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)$$, 'before the fund was created all is 0');
select is(fundes.twr(1, '2023-06-01', '2023-07-31'), 0.0278486449, 'twr since inception');
select is(fundes.twr(1, '2000-01-01', '2023-07-31'), 0.0278486449, 'a day before the fund''s creation is its creation');
select is(fundes.twr(1, '2023-06-02', '2023-06-30'), round(1027.8412 / 1014.0000 - 1, 10), 'between two prices');
select is(fundes.twr(1, '2023-07-05', '2023-07-05'), round((1020.6738 + 7.1684) / 1027.8412 - 1, 10), 'the day of a distribution: added at the ex price');
select is(fundes.twr(1, '2023-07-06', '2023-07-30'), 0.0000000000, 'no price, no return');
select is(fundes.twr(1, '2023-05-01', '2023-05-31'), null, 'NULL before there is a price');
select is(fundes.xirr('A', 1, '2023-07-31'), 0.2287716589, 'xirr of A');
select is(fundes.xirr('B', 1, '2023-07-31'), 0.1823494618, 'xirr of B');
select is(fundes.xirr('C', 1, '2023-07-31'), 0.0877385711, 'xirr of C');
select is(fundes.xirr('B', 2, '2023-07-31'), 0.0000000000, 'what stays the same has the rate 0');
select is(fundes.xirr('C', 2, '2023-07-31'), null, 'NULL without payments');
select is(fundes.xirr('A', 1, '2023-05-31'), null, 'NULL before the first');
select is(fundes.xirr('A', 1, '2023-06-01'), null, 'NULL where all are on one day');

-- Arguments.
select pg_temp.refuses($$select * from fundes.fund_pnl(99, '2023-06-01', '2023-06-30')$$, 'UF002', 'fund_pnl: unknown fund');
select pg_temp.refuses($$select * from fundes.fund_pnl(1, '2023-06-02', '2023-06-01')$$, '22023', 'fund_pnl: the period ends before it begins');
select pg_temp.refuses($$select * from fundes.fund_pnl(1, '2023-06-02', 'infinity')$$, '22023', 'fund_pnl: for ever');
select pg_temp.refuses(format('select * from fundes.fund_pnl(%s)', args), '22004', 'fund_pnl of null: ' || args)
  from unnest(array['null, ''2023-06-01'', ''2023-06-01''', '1, null, ''2023-06-01''', '1, ''2023-06-01'', null']) args;
select pg_temp.refuses($$select fundes.twr(99, '2023-06-01', '2023-06-30')$$, 'UF002', 'twr: unknown fund');
select pg_temp.refuses($$select fundes.twr(1, '2023-06-02', '2023-06-01')$$, '22023', 'twr: the period ends before it begins');
select pg_temp.refuses(format('select fundes.twr(%s)', args), '22004', 'twr of null: ' || args)
  from unnest(array['null, ''2023-06-01'', ''2023-06-01''', '1, null, ''2023-06-01''', '1, ''2023-06-01'', null']) args;
select pg_temp.refuses($$select fundes.xirr('nobody', 1, '2023-06-01')$$, 'UF001', 'xirr: unknown investor');
select pg_temp.refuses($$select fundes.xirr('A', 99, '2023-06-01')$$, 'UF002', 'xirr: unknown fund');
select pg_temp.refuses(format('select fundes.xirr(%s)', args), '22004', 'xirr of null: ' || args)
  from unnest(array['null, 1, ''2023-06-01''', '''A'', null, ''2023-06-01''', '''A'', 1, null']) args;

-- A valuation counts at the end of its day, also where it is made later.
select fundes.create_fund('Late', effective_at => '2023-01-01 09:00') as f \gset
select fundes.set_price_limits(:f, null, null, effective_at => '2023-01-01 09:00');
select fundes.create_investment('A', :f, 100000, effective_at => '2023-01-01 09:10');
select fundes.purchase_mcp(:f, 'L1', 'R', 'S', 40000, effective_at => '2023-01-01 10:00') as l1 \gset
select fundes.record_mcp_price('L1', 'R', 'S', '2023-01-31', 50000);
select fundes.update_mcp_asset_value(:f, '2023-01-31', effective_at => '2023-02-01 03:00');
select pg_temp.same(format($$select unrealised, closing_nav from fundes.fund_pnl(%s, '2023-01-01', '2023-01-31')$$, :f),
	$$values (10000, 110000)$$, 'a valuation made at three in the morning is part of its day');
select pg_temp.same(format($$select opening_nav, unrealised, closing_nav from fundes.fund_pnl(%s, '2023-02-01', '2023-02-28')$$, :f),
	$$values (110000, 0, 110000)$$, 'and not of the next');
select is(fundes.twr(:f, '2023-01-01', '2023-01-31'), 0.1000000000, 'so is its price');
select is(fundes.twr(:f, '2023-01-01', '2023-01-30'), 0.0000000000, 'not before');
select is(fundes.fund_nav(:f, '2023-02-01 00:00'), 100000::numeric, 'as of the moment itself it had not been made');
select fundes.sell_mcp(:f, :l1, 45000, effective_at => '2023-01-20 10:00');
select pg_temp.same(format($$select realised, unrealised, closing_nav from fundes.fund_pnl(%s, '2023-01-01', '2023-01-31')$$, :f),
	$$values (5000, 0, 105000)$$, 'a sale recorded later takes back what it changed');

-- Prices struck anew and prices of 0.
select fundes.create_fund('Again', effective_at => '2023-01-01 09:00') as g \gset
select fundes.set_price_limits(:g, null, null, effective_at => '2023-01-01 09:00');
select fundes.create_investment('A', :g, 100000, effective_at => '2023-01-01 09:10');
select fundes.purchase_mcp(:g, 'G1', 'R', 'S', 100000, effective_at => '2023-01-01 10:00') as g1 \gset
select fundes.sell_mcp(:g, :g1, 50000, effective_at => '2023-01-02 10:00');
select fundes.update_mcp_asset_value(:g, '2023-01-02', effective_at => '2023-01-03 00:00');
select fundes.withdraw_investment('A', :g, 100, effective_at => '2023-01-04 10:00');
select fundes.create_investment('A', :g, 200000, effective_at => '2023-01-05 10:00');
select is((select base_price from fundes.fund_sheet where fund_id = :g)::numeric, 1000.0000, 'the fund starts again at its first price');
select is(fundes.twr(:g, '2023-01-01', '2023-01-05'), -0.5000000000, 'to start again is no return');
select fundes.purchase_mcp(:g, 'G2', 'R', 'S', 200000, effective_at => '2023-01-05 11:00') as g2 \gset
select fundes.record_mcp_price('G2', 'R', 'S', '2023-01-05', 300000);
select fundes.update_mcp_asset_value(:g, '2023-01-05', effective_at => '2023-01-06 00:00');
select is(fundes.twr(:g, '2023-01-01', '2023-01-05'), -0.2500000000, 'links are multiplied: 0.5 and 1.5');
select is(fundes.twr(:g, '2023-01-05', '2023-01-05'), 0.5 * 1.5 / 0.5 - 1.0000000000, 'from the price of the day before');
select fundes.record_mcp_price('G2', 'R', 'S', '2023-01-06', 0);
select fundes.update_mcp_asset_value(:g, '2023-01-06', effective_at => '2023-01-07 00:00');
select is(fundes.twr(:g, '2023-01-01', '2023-01-06'), -1.0000000000, 'a price of 0 is a total loss');
select is(fundes.twr(:g, '2023-01-07', '2023-01-07'), null, 'what stays worth nothing has no return');
select fundes.record_mcp_price('G2', 'R', 'S', '2023-01-07', 100000);
select fundes.update_mcp_asset_value(:g, '2023-01-07', effective_at => '2023-01-08 00:00');
select is(fundes.twr(:g, '2023-01-01', '2023-01-07'), -0.7500000000, 'who held on through it has what the last price says');
select is(fundes.twr(:g, '2023-01-07', '2023-01-07'), null, 'from a price of 0 there is no return');

-- A valuation without units that strikes the first price again is no return,
-- and a price of exactly midnight is that of the day that begins.
select fundes.create_fund('Empty', effective_at => '2023-01-01 00:00') as e \gset
select fundes.set_price_limits(:e, null, null, effective_at => '2023-01-01 09:00');
select fundes.create_investment('A', :e, 100000, effective_at => '2023-01-01 09:10');
select fundes.purchase_mcp(:e, 'E1', 'R', 'S', 100000, effective_at => '2023-01-01 10:00') as e1 \gset
select fundes.sell_mcp(:e, :e1, 50000, effective_at => '2023-01-02 10:00');
select fundes.update_mcp_asset_value(:e, '2023-01-02', effective_at => '2023-01-03 00:00');
select fundes.withdraw_investment('A', :e, 100, effective_at => '2023-01-04 10:00');
select fundes.update_mcp_asset_value(:e, '2023-01-04', effective_at => '2023-01-05 00:00');
select is((select base_price from fundes.fund_sheet where fund_id = :e)::numeric, 1000.0000, 'a valuation without units strikes the first price');
select is(fundes.twr(:e, '2023-01-01', '2023-01-04'), -0.5000000000, 'which is no return');
select is(fundes.twr(:e, '2022-12-31', '2022-12-31'), null, 'a fund created at midnight has no price on the day that ends there');
select is(fundes.twr(:e, '2023-01-01', '2023-01-01'), 0.0000000000, 'but on the one that begins');

-- A declaration that was reversed gave nothing.
select fundes.create_fund('Taken back', effective_at => '2023-01-01 09:00') as t \gset
select fundes.set_price_limits(:t, null, null, effective_at => '2023-01-01 09:00');
select fundes.create_investment('A', :t, 100000, effective_at => '2023-01-01 09:10');
select fundes.declare_distribution(:t, 1000, effective_at => '2023-01-02 10:00');
select event_id as declared from fundes.audit_trail where fund_id = :t and type = 'DistributionDeclared' \gset
select fundes.reverse_event(:'declared', 'never paid', effective_at => '2023-01-03 10:00');
select fundes.update_mcp_asset_value(:t, '2023-01-03', effective_at => '2023-01-04 00:00');
select is(fundes.twr(:t, '2023-01-01', '2023-01-03'), 0.0000000000, 'a distribution that was reversed is no return');
select is(fundes.twr(:t, '2023-01-01', '2023-01-02'), 0.0000000000, 'before that it had been one: 990 and 10');

-- Reversed in a later period, it is taken back there.
select fundes.create_fund('Taken back later', effective_at => '2024-05-01 09:00') as u \gset
select fundes.set_price_limits(:u, null, null, effective_at => '2024-05-01 09:00');
select fundes.create_investment('A', :u, 1000000, effective_at => '2024-05-02 10:00');
select fundes.declare_distribution(:u, 10000, effective_at => '2024-06-20 10:00');
select event_id as declared from fundes.audit_trail where fund_id = :u and type = 'DistributionDeclared' \gset
select fundes.reverse_event(:'declared', 'never paid', effective_at => '2024-07-03 10:00');
select is(fundes.twr(:u, '2024-06-01', '2024-06-30'), 0.0000000000, 'declared in June: 990 and 10');
select is(fundes.twr(:u, '2024-07-01', '2024-07-31'), 0.0000000000, 'reversed in July: from 990 to 1000 is what June had given');
select is(fundes.twr(:u, '2024-06-01', '2024-07-31'), 0.0000000000, 'both months: nothing');
select is((select total from fundes.fund_pnl(:u, '2024-07-01', '2024-07-31')), 0::numeric, 'as the profit says');

-- Where all was given, what comes back has no return.
select fundes.create_fund('All given', effective_at => '2024-05-01 09:00') as v \gset
select fundes.set_price_limits(:v, null, null, effective_at => '2024-05-01 09:00');
select fundes.create_investment('A', :v, 1000000, effective_at => '2024-05-02 10:00');
select fundes.declare_distribution(:v, 1000000, effective_at => '2024-06-20 10:00');
select event_id as declared from fundes.audit_trail where fund_id = :v and type = 'DistributionDeclared' \gset
select fundes.reverse_event(:'declared', 'never paid', effective_at => '2024-07-03 10:00');
select is(fundes.twr(:v, '2024-06-01', '2024-06-30'), 0.0000000000, 'a whole fund given: 0 and 1000');
select is(fundes.twr(:v, '2024-07-01', '2024-07-31'), null, 'reversed: from an ex price of 0 there is no return');
select is(fundes.twr(:v, '2024-06-01', '2024-07-31'), 0.0000000000, 'both months: nothing');

-- Half up: 1000.0000 to 1000.0005 / 3 ... of two thirds.
select fundes.create_fund('Thirds', 3, effective_at => '2023-01-01 09:00') as h \gset
select fundes.set_price_limits(:h, null, null, effective_at => '2023-01-01 09:00');
select fundes.create_investment('A', :h, 30000, effective_at => '2023-01-01 09:10');
select fundes.purchase_mcp(:h, 'H1', 'R', 'S', 30000, effective_at => '2023-01-01 10:00');
select fundes.record_mcp_price('H1', 'R', 'S', '2023-01-01', 50000);
select fundes.update_mcp_asset_value(:h, '2023-01-01', effective_at => '2023-01-02 00:00');
select fundes.record_mcp_price('H1', 'R', 'S', '2023-01-02', 20000);
select fundes.update_mcp_asset_value(:h, '2023-01-02', effective_at => '2023-01-03 00:00');
select is(fundes.twr(:h, '2023-01-01', '2023-01-01'), 0.6666666667, 'rounded up from the half');
select is(fundes.twr(:h, '2023-01-02', '2023-01-02'), -0.6000000000, '5 to 2');
select is(fundes.twr(:h, '2023-01-01', '2023-01-02'), -0.3333333333, 'a third less: the growth 0.66666666666 is rounded');

-- xirr: the payments' present values add up to 0, whatever they are. The sum
-- is made here with numerics, from the log.
create function pg_temp.present_value(investor text, fund bigint, day date, rate numeric) returns numeric
language sql as $$
	with paid as (
		select (effective_at at time zone 'Asia/Seoul')::date as on_day,
			   coalesce((payload ->> 'withdrawn_amount')::numeric, -(payload ->> 'cash_taken')::numeric) as amount
		  from fundes.event_log
		 where stream = 'holding-' || fund || '-' || investor
		 union all
		select day, current_value from fundes.investment_current_value
		 where investor_id = investor and fund_id = fund)
	select sum(amount * power(1 + rate, -(on_day - (select min(on_day) from paid)) / 365.0)) / sum(abs(amount)) from paid
$$;
select fundes.create_fund('Flows', 1, effective_at => '2020-01-01 09:00') as x \gset
select fundes.set_price_limits(:x, null, null, effective_at => '2020-01-01 09:00');
select fundes.create_investment('A', :x, 1000000, effective_at => '2020-01-01 10:00');
do $$
declare
	fund bigint := (select max(fund_id) from fundes.fund_sheet);
	asset bigint := fundes.purchase_mcp(fund, 'X1', 'R', 'S', 1000, effective_at => '2020-01-01 11:00');
	day date := '2020-01-02';
	who text;
begin
	perform setseed(0.25);
	for i in 1 .. 12 loop
		who := 'x' || i;
		perform fundes.create_investor(who, who, effective_at => '2020-01-01 09:00');
		for j in 1 .. 1 + (random() * 5)::integer loop
			perform fundes.record_mcp_price('X1', 'R', 'S', day - 1, (random() * 3000000)::integer);
			perform fundes.update_mcp_asset_value(fund, day - 1, effective_at => day);
			if j = 1 or random() < 0.6 then
				perform fundes.create_investment(who, fund, 1000 + (random() * 100000)::integer, effective_at => day + time '10:00');
			else
				perform fundes.withdraw_investment(who, fund, 1 + (random() * 90)::integer, effective_at => day + time '10:00');
			end if;
			day := day + 1 + (random() * 40)::integer;
		end loop;
	end loop;
end
$$;
select ok(abs(pg_temp.present_value(who, :x, '2023-12-31', rate)) < 1e-9, who || ': present value 0 at ' || rate)
  from (select 'x' || i as who, fundes.xirr('x' || i, :x, '2023-12-31') as rate from generate_series(1, 12) i) r
 where rate is not null;
select ok(count(*) >= 10, 'most of them have a rate')
  from generate_series(1, 12) i where fundes.xirr('x' || i, :x, '2023-12-31') is not null;

-- Two changes of sign and no rate: the search ends.
select fundes.create_investor('E', 'Eve', effective_at => '2020-01-01 09:00');
select fundes.create_fund('Down', 1, effective_at => '2023-01-01 09:00') as z \gset
select fundes.set_price_limits(:z, null, null, effective_at => '2023-01-01 09:00');
select fundes.create_investment('E', :z, 1000, effective_at => '2023-01-01 10:00');
select fundes.withdraw_investment('E', :z, 10, effective_at => '2023-01-02 10:00');
select fundes.create_investment('E', :z, 1000, effective_at => '2023-01-03 10:00');
select fundes.purchase_mcp(:z, 'Z1', 'R', 'S', 1990, effective_at => '2023-01-03 11:00');
select fundes.record_mcp_price('Z1', 'R', 'S', '2023-01-03', 0);
select fundes.update_mcp_asset_value(:z, '2023-01-03', effective_at => '2023-01-04 00:00');
set local statement_timeout = '5s';
select is(fundes.xirr('E', :z, '2023-01-04'), null, 'NULL where no rate does it');
set local statement_timeout = 0;

-- The sum may touch 0 and turn, cross it twice nearby, or just not come to it.
create function pg_temp.twice(again numeric, earned numeric default 1200000) returns numeric
language plpgsql as $$
declare
	fund bigint := fundes.create_fund('Twice', 1, effective_at => '2022-01-01 00:00');
	who text := 't' || fund;
	asset bigint;
begin
	perform fundes.set_price_limits(fund, null, null, effective_at => '2022-01-01 00:00');
	perform fundes.create_investor(who, who, effective_at => '2022-01-01 00:00');
	perform fundes.create_investment(who, fund, 1000000, effective_at => '2022-01-01 10:00');
	asset := fundes.purchase_mcp(fund, 'T' || fund, 'R', 'S', 1000, effective_at => '2022-01-01 11:00');
	perform fundes.record_royalty(fund, asset, earned, effective_at => '2022-12-31 10:00');
	perform fundes.sell_mcp(fund, asset, 1000, effective_at => '2022-12-31 11:00');
	perform fundes.update_mcp_asset_value(fund, '2022-12-31', effective_at => '2023-01-01 00:00');
	perform fundes.withdraw_investment(who, fund, 1000000, effective_at => '2023-01-01 10:00');
	perform fundes.create_investment(who, fund, again, effective_at => '2024-01-01 10:00');
	asset := fundes.purchase_mcp(fund, 'T' || fund, 'R', 'S', again, effective_at => '2024-01-01 11:00');
	perform fundes.record_mcp_price('T' || fund, 'R', 'S', '2024-01-01', 0);
	perform fundes.update_mcp_asset_value(fund, '2024-01-01', effective_at => '2024-01-02 00:00');
	return fundes.xirr(who, fund, '2024-01-01');
end
$$;
set local statement_timeout = '60s';
select is(pg_temp.twice(1210000), 0.1000000000, '-1000000, 2200000, -1210000: 0 is touched at 10 %');
select is(pg_temp.twice(1210001), null, 'and never come to with one more');
select is(pg_temp.twice(1209999), 0.0990000000, 'crossed twice with one less, around 10 %: the one nearer to 0');
select is(pg_temp.twice(1215506, 1205000), round(2 * 1215506 / 2206000.0 - 1, 10), 'also where both are within a step of the search');
select is(pg_temp.twice(1209000), round(1 / ((2.2 + sqrt(0.004)) / 2 / 1.209) - 1, 10), 'farther apart');
select is(pg_temp.twice(1200000), 0.0000000000, '0 itself, and 20 %');
select is(pg_temp.twice(1152381), -0.1400395801, 'below 0, and one farther above');
set local statement_timeout = 0;

-- From a payment of 1 to 10^8 in a day is 10^2920 a year.
select fundes.create_fund('X', 0.0001, effective_at => '2024-02-01 00:00') as w \gset
select fundes.set_price_limits(:w, null, null, effective_at => '2024-02-01 00:00');
select fundes.create_investment('A', :w, 1, effective_at => '2024-02-01 10:00');
select fundes.purchase_mcp(:w, 'W1', 'R', 'S', 1, effective_at => '2024-02-01 11:00');
select fundes.record_mcp_price('W1', 'R', 'S', '2024-02-02', 100000000);
select fundes.update_mcp_asset_value(:w, '2024-02-02', effective_at => '2024-02-03 00:00');
select is(fundes.xirr('A', :w, '2024-02-02'), null, 'NULL where the rate is 10^1000 or more');
select is(fundes.xirr('A', :w, '2024-02-03'), null, '10^1460');
select ok(fundes.xirr('A', :w, '2024-02-04') > 1e973, '10^973');
-- What is paid and received on one day is no payment.
select fundes.create_fund('To and fro', 1, effective_at => '2024-02-01 00:00') as o \gset
select fundes.set_price_limits(:o, null, null, effective_at => '2024-02-01 00:00');
select fundes.create_investment('B', :o, 100, effective_at => '2024-02-01 10:00');
select fundes.withdraw_investment('B', :o, 100, effective_at => '2024-02-01 11:00');
select is(fundes.xirr('B', :o, '2024-03-01'), null, 'paid and received on one day: no rate');
select fundes.create_investment('B', :o, 100, effective_at => '2024-02-03 10:00');
select is(fundes.xirr('B', :o, '2024-03-01'), 0.0000000000, 'then as without it');

-- A total loss has no rate; what is lost but for a coin within a day has one.
select fundes.create_fund('Loss', 1, effective_at => '2023-01-01 09:00') as y \gset
select fundes.set_price_limits(:y, null, null, effective_at => '2023-01-01 09:00');
select fundes.create_investment('A', :y, 1000000, effective_at => '2023-01-01 10:00');
select fundes.create_investment('B', :y, 10000, effective_at => '2023-01-01 10:00');
select fundes.purchase_mcp(:y, 'Y1', 'R', 'S', 1010000, effective_at => '2023-01-01 11:00');
select fundes.record_mcp_price('Y1', 'R', 'S', '2023-01-02', 101);
select fundes.update_mcp_asset_value(:y, '2023-01-02', effective_at => '2023-01-03 00:00');
select is(fundes.xirr('A', :y, '2023-01-02'), -1.0000000000, 'a ten thousandth is left after a day');
select is(fundes.xirr('B', :y, '2023-01-02'), -1.0000000000, 'one coin is left after a day');
select fundes.record_mcp_price('Y1', 'R', 'S', '2023-01-03', 0);
select fundes.update_mcp_asset_value(:y, '2023-01-03', effective_at => '2023-01-04 00:00');
select is(fundes.xirr('A', :y, '2023-01-03'), null, 'NULL where nothing came back');
select fundes.record_mcp_price('Y1', 'R', 'S', '2023-01-04', 2020000);
select fundes.update_mcp_asset_value(:y, '2023-01-04', effective_at => '2023-01-05 00:00');
select is(trunc(fundes.xirr('A', :y, '2024-01-01'), 10), 1.0000000000, 'twice as much after a year of 365 days');
select ok(fundes.xirr('A', :y, '2023-01-04') > 1e36, 'twice as much after three days');

-- A closed period stays as it was reported, whatever can still be recorded: at
-- the very midnight, or between it and the valuation of the last day.
select fundes.create_fund('Closed', effective_at => '2023-05-01 09:00') as k \gset
select fundes.set_price_limits(:k, null, null, effective_at => '2023-05-01 09:00');
select fundes.create_investor('K', 'Kit', effective_at => '2023-05-01 09:00');
select fundes.create_investment('K', :k, 100000, effective_at => '2023-05-02 10:00');
select fundes.purchase_mcp(:k, 'K1', 'R', 'S', 20000, effective_at => '2023-05-02 11:00') as k1 \gset
select fundes.purchase_mcp(:k, 'K2', 'R', 'S', 20000, effective_at => '2023-05-02 11:00') as k2 \gset
select fundes.purchase_mcp(:k, 'K3', 'R', 'S', 20000, effective_at => '2023-05-02 11:00') as k3 \gset
select fundes.sell_mcp(:k, :k3, 21000, effective_at => '2023-05-04 11:00');
select event_id as sold from fundes.audit_trail where fund_id = :k and type = 'McpSold' \gset
select event_id as deal from fundes.create_investment('K', :k, 3000, effective_at => '2023-05-05 10:00') \gset
select fundes.record_mcp_price('K1', 'R', 'S', '2023-05-31', 25000), fundes.record_mcp_price('K2', 'R', 'S', '2023-05-31', 26000);
create function pg_temp.reported(fund bigint, till date) returns jsonb
language sql as $$
	select jsonb_build_array(fundes.twr(fund, '2023-05-01', till), fundes.xirr('K', fund, till),
		(select to_jsonb(p) from fundes.fund_pnl(fund, '2023-05-01', till) p),
		(select jsonb_agg(s) from fundes.investor_statement('K', '2023-05-01', till) s))
$$;
create function pg_temp.recorded(fund bigint, made timestamptz, commands text[]) returns setof text
language plpgsql as $$
declare
	was jsonb;
	began numeric;
	command text;
begin
	perform fundes.update_mcp_asset_value(fund, '2023-05-31', effective_at => made);
	perform fundes.close_period(fund, '2023-05-31', effective_at => made);
	was := pg_temp.reported(fund, '2023-05-31');
	return next is(was #>> '{2,closing_nav}', '115000', format('valued at %s: the valuation is part of the last day', made));
	foreach command in array commands loop
		return next is((pg_temp.attempt(command)).state, '00000', 'accepted: ' || command);
		return next is(pg_temp.reported(fund, '2023-05-31'), was, 'the closed period stays');
		return next ok(pg_temp.reported(fund, '2023-06-01') #- '{0}' <> was #- '{0}', 'and the next day has it');
		select opening_nav into began from fundes.fund_pnl(fund, '2023-06-01', '2023-06-01');
		return next is(began, 115000::numeric, 'which opens where that closed');
		return next is((select holding_units from fundes.investor_statement('K', '2023-06-01', '2023-06-01') where entry = 'opening'),
					   103::numeric, 'and so does the statement');
	end loop;
end
$$;
savepoint closed;
select pg_temp.recorded(:k, made, array[
		format('select fundes.record_royalty(%s, %s, 1000, effective_at => %L)', :k, :k1, at),
		format('select fundes.create_investment(''K'', %s, 5000, effective_at => %L)', :k, at),
		format('select fundes.withdraw_investment(''K'', %s, 7, effective_at => %L)', :k, at),
		format('select fundes.accrue_fee(%s, 11, effective_at => %L)', :k, at),
		format('select fundes.sell_mcp(%s, %s, 24000, effective_at => %L)', :k, :k2, at),
		format('select fundes.purchase_mcp(%s, ''K9'', ''R'', ''S'', 2000, effective_at => %L)', :k, at),
		format('select fundes.reverse_event(%L, ''bounced'', effective_at => %L)', :'deal', at),
		format('select fundes.reverse_event(%L, ''never paid'', effective_at => %L)', :'sold', at)]
		|| case when made <= at then array[format('select fundes.declare_distribution(%s, 500, effective_at => %L)', :k, at)] end)
  from (values (timestamptz '2023-06-01 00:00', timestamptz '2023-06-01 00:00')) v(made, at);
rollback to closed;
select pg_temp.recorded(:k, made, array[
		format('select fundes.record_royalty(%s, %s, 1000, effective_at => %L)', :k, :k1, at),
		format('select fundes.create_investment(''K'', %s, 5000, effective_at => %L)', :k, at),
		format('select fundes.withdraw_investment(''K'', %s, 7, effective_at => %L)', :k, at),
		format('select fundes.sell_mcp(%s, %s, 24000, effective_at => %L)', :k, :k2, at),
		format('select fundes.reverse_event(%L, ''never paid'', effective_at => %L)', :'sold', at)])
  from (values (timestamptz '2023-06-01 03:00', timestamptz '2023-06-01 00:00')) v(made, at);
rollback to closed;

-- The identity of the row, and that periods meet, on random days of all funds.
select setseed(0.5) is not null as seeded \gset
select is_empty(format($$
	select fund_id, from_date, to_date, p
	  from fundes.fund_sheet s
	 cross join lateral (select date '2022-12-01' + (random() * 300)::integer as from_date,
								(random() * 60)::integer as days, s.fund_id as again
						   from generate_series(1, 20)) d
	 cross join lateral (select from_date + days as to_date) e
	 cross join lateral fundes.fund_pnl(s.fund_id, from_date, to_date) p
	 cross join lateral fundes.fund_pnl(s.fund_id, to_date + 1, to_date + 20) following
	 where p.closing_nav - p.opening_nav <> p.subscriptions - p.redemptions + p.realised + p.unrealised + p.royalties - p.fees - p.distributed
		or p.total <> p.realised + p.unrealised + p.royalties - p.fees
		or following.opening_nav <> p.closing_nav$$), 'closing - opening is what the row says, and the next period opens there');
select pg_temp.same(
	$$select fund_id, p.closing_nav, p.subscriptions, p.redemptions, p.realised, p.unrealised, p.royalties, p.fees, p.distributed
		from fundes.fund_sheet, fundes.fund_pnl(fund_id, '2000-01-01', '2099-12-31') p order by 1$$,
	$$select fund_id, nav, subscriptions, redemptions, realised_gain, unrealised_gain, royalty_income, fee_expense, distributed
		from fundes.fund_sheet order by 1$$, 'the whole time is the fund''s sheet');

select * from finish();
rollback;
