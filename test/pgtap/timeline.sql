-- Commands dated into the past: what they would contradict, then or at a later
-- moment, refuses them; and nothing struck is struck anew.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(id, id, effective_at => '2023-01-01 09:00') from unnest(array['A', 'B', 'C']) id;

-- Units: an investor has them, then and from then on.
select fundes.create_fund('Ballads', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:00');
select fundes.create_investment('B', :f, 100000, effective_at => '2023-06-05 09:00');
select fundes.withdraw_investment('A', :f, 60, effective_at => '2023-06-10 09:00');
select fundes.create_investment('A', :f, 60000, effective_at => '2023-06-20 09:00');
select pg_temp.refuses(format('select fundes.withdraw_investment(%L, %s, %s, effective_at => %L)', investor, :f, units, at), 'UF004', rule)
  from (values
	('B', 1, '2023-06-04 09:00', 'a withdrawal before the first pay-in'),
	('B', 100, '2023-06-04 09:00', 'all of it'),
	('B', 1, '2023-06-05 08:59:59.999999', 'the last moment before it'),
	('A', 41, '2023-06-05 09:00', 'units that a later withdrawal needed'),
	('A', 50, '2023-06-05 09:00', 'though there are enough then, and enough now'),
	('A', 41, '2023-06-10 09:00', 'at the moment of that withdrawal')) v(investor, units, at, rule);
select pg_temp.refuses(format('select fundes.withdraw_investment(''C'', %s, 1, effective_at => ''2023-06-04 09:00'')', :f), 'UF006', 'who never had units');
select pg_temp.accepts(format('select fundes.withdraw_investment(%L, %s, %s, effective_at => %L)', investor, :f, units, at), rule)
  from (values
	('A', 40, '2023-06-05 09:00', 'what no later withdrawal needs may be withdrawn in the past'),
	('B', 100, '2023-06-05 09:00', 'at the moment of the pay-in')) v(investor, units, at, rule);
select is(pg_temp.figures(:f, 'capital_cash', 'total_supply'), 'capital_cash 60000, total_supply 60', 'what is left');

-- Sales before a valuation.
select fundes.create_fund('Soul', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:00');
select fundes.purchase_mcp(:f, 'V1', 'R', 'S', 50000, effective_at => '2023-06-02 09:00') as v1 \gset
select fundes.record_mcp_price('V1', 'R', 'S', '2023-06-04', 60000);
select fundes.purchase_mcp(:f, 'V2', 'R', 'S', 10000, effective_at => '2023-06-05 09:00') as v2 \gset
select fundes.update_mcp_asset_value(:f, '2023-06-04', effective_at => '2023-06-06 00:00');
select fundes.record_royalty(:f, :v1, 1, effective_at => '2023-06-08 09:00');
-- a sale takes back what a later valuation added, where it was added
create function pg_temp.sold_at(fund bigint, asset bigint, at timestamptz) returns text language plpgsql as $$
declare
	path text;
begin
	perform fundes.sell_mcp(fund, asset, 55000, effective_at => at);
	select string_agg((fundes.fund_state_at(fund, moment)).asset_value::text, ' ' order by moment) into path
	  from unnest(array['2023-06-02 12:00', '2023-06-04 12:00', '2023-06-05 23:00', '2023-06-06 12:00', '2023-06-09 00:00']::timestamptz[]) moment;
	if path is not null and exists (select from fundes.verify_projections()) then
		path := path || ', but the log gives other rows';
	end if;
	raise sqlstate 'TT000' using message = path;
exception when sqlstate 'TT000' then
	return path;
end $$;
select is((fundes.fund_state_at(:f, '2023-06-06 12:00')).asset_value, 70000::numeric, 'a valuation that added to a value');
select is(pg_temp.sold_at(:f, :v1, '2023-06-03 09:00'), '50000 0 10000 10000 10000', 'a sale on a day before one that was valued');
select is(pg_temp.sold_at(:f, :v1, '2023-06-05 23:59:59.999999'), '50000 50000 60000 10000 10000', 'a sale before the moment of a valuation of what is sold');
select is(pg_temp.sold_at(:f, :v1, '2023-06-06 00:00'), '50000 50000 60000 10000 10000', 'at the moment of the valuation');
select is(pg_temp.sold_at(:f, :v1, '2023-06-02 09:00'), '0 0 10000 10000 10000', 'at the moment of the purchase');
select pg_temp.refuses(format($$select fundes.append('fund-%s', 'McpSold', '{"fund_id": %s, "asset_id": %s, "price_cash": 1, "carrying_value": 60000, "cost_cash": 50000, "realised_gain": -49999, "taken_back": [%s]}', effective_at => '2023-06-03 09:00')$$, :f, :f, :v1, part), 'UF023', rule)
  from (values
	('{"amount": 1}', 'a part that was taken back at no moment'),
	('{"effective_at": "2023-06-06T00:00:00+09:00", "amount": "1"}', 'a part that is no number'),
	('{"effective_at": "2023-06-06T00:00:00", "amount": 1}', 'a part at a moment without an offset'),
	('{"effective_at": "2033-06-06T00:00:00+09:00", "amount": 1}', 'a part after all that happened'),
	('1', 'a part that is no object')) v(part, rule);
select pg_temp.refuses(format('select fundes.sell_mcp(%s, %s, 55000, effective_at => ''2023-06-01 09:00'')', :f, :v1), 'UF007', 'a sale before the purchase');
select pg_temp.accepts(format('select fundes.sell_mcp(%s, %s, 12000, effective_at => ''2023-06-05 12:00'')', :f, :v2), 'a sale before a valuation that did not value what is sold');
select pg_temp.accepts(format('select fundes.sell_mcp(%s, %s, 55000, effective_at => ''2023-06-07 09:00'')', :f, :v1), 'a sale in the past after the last valuation');
select is(pg_temp.figures(:f, 'capital_cash', 'asset_value', 'realised_gain'), 'capital_cash 107001, asset_value 0, realised_gain 7000', 'and what they come to');
select pg_temp.books_balance('the books balance after sales in the past');

select fundes.create_fund('Folk', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:00');
select fundes.purchase_mcp(:f, 'V3', 'R', 'S', 50000, effective_at => '2023-06-02 09:00') as v3 \gset
select fundes.record_royalty(:f, :v3, 5, effective_at => '2023-06-08 09:00');
select pg_temp.accepts(format('select fundes.sell_mcp(%s, %s, 40000, effective_at => ''2023-06-03 09:00'')', :f, :v3), 'a sale in the past of a fund that was never valued');
select pg_temp.books_balance('the books balance after it');

-- A copyright is held by one fund at a time, also in the past.
select fundes.create_fund('Rock', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_fund('Jazz', effective_at => '2023-01-01 09:00') as g \gset
select fundes.create_investment('A', fund, 100000, effective_at => '2023-06-01 09:00') from unnest(array[:f, :g]) fund;
select fundes.purchase_mcp(:f, 'H1', 'R', 'S', 1000, effective_at => '2023-06-02 09:00') as h1 \gset
select fundes.sell_mcp(:f, :h1, 1000, effective_at => '2023-06-20 09:00');
select pg_temp.refuses(format('select fundes.purchase_mcp(%s, ''H1'', ''R'', ''S'', 1000, effective_at => %L)', fund, at), 'UF016', rule)
  from (values
	(:g, '2023-06-10 09:00', 'a copyright that another fund held then'),
	(:g, '2023-06-02 09:00', 'from the moment of the purchase'),
	(:g, '2023-06-20 08:59:59.999999', 'to the sale'),
	(:g, '2023-06-01 10:00', 'one that another fund bought later'),
	(:f, '2023-06-10 09:00', 'one that the fund itself held then')) v(fund, at, rule);
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''H1'', ''R'', ''S'', 1000, effective_at => ''2023-06-21 09:00'')', :g), 'one that was sold the day before');
select pg_temp.refuses(format('select fundes.purchase_mcp(%s, ''H1'', ''R'', ''S'', 1000, effective_at => ''2023-06-20 12:00'')', :f), 'UF016', 'one that another fund has held since');

-- Prices are struck in the order of time.
select fundes.create_fund('Blues', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:00');
select fundes.purchase_mcp(:f, 'P1', 'R', 'S', 50000, effective_at => '2023-06-02 09:00');
select fundes.record_mcp_price('P1', 'R', 'S', '2023-06-03', 60000);
select fundes.update_mcp_asset_value(:f, '2023-06-03', effective_at => '2023-06-10 00:00');
select fundes.record_mcp_price('P1', 'R', 'S', '2023-06-03', 70000);
select pg_temp.accepts(format('select fundes.update_mcp_asset_value(%s, %L, effective_at => %L)', :f, day, at), rule || ', is history only')
  from (values
	('2023-06-03', '2023-06-05 00:00', 'a valuation of the latest day, before the price that is struck'),
	('2023-06-03', '2023-06-09 23:59:59.999999', 'the last moment before it'),
	('2023-06-05', '2023-06-06 00:00', 'a valuation of a later day, before it')) v(day, at, rule);
select is(pg_temp.figures(:f, 'asset_value', 'base_price'), 'asset_value 60000, base_price 1100', 'nothing is struck before what was struck');
select pg_temp.accepts(format('select fundes.update_mcp_asset_value(%s, ''2023-06-03'', effective_at => ''2023-06-11 00:00'')', :f), 'a new revision of the latest day, after it');
select is(pg_temp.figures(:f, 'asset_value', 'base_price'), 'asset_value 70000, base_price 1200', 'strikes a new price');

select fundes.create_fund('Latin', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-05 09:00');
select fundes.purchase_mcp(:f, 'P2', 'R', 'S', 50000, effective_at => '2023-06-05 10:00') as p2 \gset
select fundes.record_mcp_price('P2', 'R', 'S', '2023-06-05', 60000);
select fundes.update_mcp_asset_value(:f, '2023-06-05', effective_at => '2023-06-06 00:00');
select pg_temp.refuses(format('select fundes.create_investment(''B'', %s, 1000, effective_at => ''2023-06-03 09:00'')', :f), '0A000', 'a pay-in into a fund without units yet, before a price that is struck');
select fundes.sell_mcp(:f, :p2, 60000, effective_at => '2023-06-06 09:00');
select fundes.withdraw_investment('A', :f, 100, effective_at => '2023-06-10 09:00');
select is(pg_temp.figures(:f, 'nav', 'total_supply', 'base_price'), 'nav 0, total_supply 0, base_price 1100', 'nothing is left');
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-20 09:00');
select is(pg_temp.figures(:f, 'base_price'), 'base_price 1000', 'a pay-in strikes the initial price');
select pg_temp.refuses(format('select fundes.create_investment(''B'', %s, 1000, effective_at => ''2023-06-15 09:00'')', :f), '0A000', 'a pay-in into a fund without units then, before a price that is struck');
select pg_temp.refuses(format('select fundes.create_investment(''B'', %s, 1100, effective_at => ''2023-06-07 09:00'')', :f), 'UF017', 'a pay-in at 1100 while there were units, which would be there when units are issued at 1000');

-- Fees: paid no more than was accrued of the kind by then.
select fundes.create_fund('Opera', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-01-02 09:00');
select fundes.accrue_fee(:f, 10, 'a', effective_at => '2023-01-05 09:00');
select fundes.accrue_fee(:f, 10, 'b', effective_at => '2023-01-25 09:00');
select pg_temp.refuses(format('select fundes.pay_fee(%s, %s, %L, effective_at => %L)', :f, amount, kind, at), 'UF003', rule)
  from (values
	(10, 'b', '2023-01-06 09:00', 'a fee that was accrued later, though as much was owed of another kind'),
	(1, 'b', '2023-01-25 08:59:59.999999', 'the last moment before'),
	(1, 'a', '2023-01-04 09:00', 'before anything was owed')) v(amount, kind, at, rule);
select pg_temp.accepts(format('select fundes.pay_fee(%s, 4, ''a'', effective_at => ''2023-01-20 09:00'')', :f), 'a part, in the past');
select pg_temp.refuses(format('select fundes.pay_fee(%s, 7, ''a'', effective_at => ''2023-01-06 09:00'')', :f), 'UF003', 'what a later payment needed');
select fundes.accrue_fee(:f, 10, 'a', effective_at => '2023-01-26 09:00');
select pg_temp.refuses(format('select fundes.pay_fee(%s, 7, ''a'', effective_at => ''2023-01-06 09:00'')', :f), 'UF003', 'though enough is owed now');
select pg_temp.accepts(format('select fundes.pay_fee(%s, 6, ''a'', effective_at => ''2023-01-06 09:00'')', :f), 'what is left then');
select pg_temp.accepts(format('select fundes.pay_fee(%s, 10, ''b'', effective_at => ''2023-01-25 09:00'')', :f), 'at the moment of the accrual');
select is(pg_temp.figures(:f, 'capital_cash', 'liabilities'), 'capital_cash 99980, liabilities 10', 'what is left');

-- Cash: what may be spent is never less than nothing.
select fundes.create_fund('Choir', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 1000, effective_at => '2023-06-01 09:00');
select fundes.purchase_mcp(:f, 'C1', 'R', 'S', 800, effective_at => '2023-06-10 09:00') as c1 \gset
select fundes.record_royalty(:f, :c1, 500, effective_at => '2023-06-20 09:00');
select fundes.accrue_fee(:f, 50, effective_at => '2023-06-12 09:00');
select pg_temp.refuses(format('select fundes.purchase_mcp(%s, ''C2'', ''R'', ''S'', %s, effective_at => %L)', :f, price, at), 'UF003', rule)
  from (values
	(300, '2023-06-05 09:00', 'a purchase with cash that a later purchase needed, though there is enough then, and enough now'),
	(201, '2023-06-05 09:00', 'one cash too much'),
	(151, '2023-06-05 09:00', 'cash that was owed later'),
	(151, '2023-06-15 09:00', 'cash that was owed then')) v(price, at, rule);
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''C2'', ''R'', ''S'', 150, effective_at => ''2023-06-05 09:00'')', :f), 'all that nothing later needed');
select pg_temp.refuses(format('select fundes.accrue_fee(%s, 1, effective_at => ''2023-06-15 09:00'')', :f), 'UF003', 'then nothing is left on that day');
select pg_temp.accepts(format('select fundes.accrue_fee(%s, 500, effective_at => ''2023-06-20 09:00'')', :f), 'but all that came later');
select pg_temp.books_balance('the books balance after all of it');

-- acquisition_date, left out, is the day of effective_at; so it is in a repeat.
select fundes.create_fund('Dance', effective_at => '2023-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:00');
create function pg_temp.purchase(fund bigint, code text, id integer, extra text) returns text
language sql as $$
	select format('select fundes.purchase_mcp(%s, %L, ''R'', ''S'', 10, event_id => ''70000000-0000-4000-8000-%s''%s)',
				  fund, code, lpad(id::text, 12, '0'), extra)
$$;
select pg_temp.accepts(pg_temp.purchase(:f, code, id, extra || $$, effective_at => '2023-06-02 23:00'$$), 'a purchase, ' || rule)
  from (values
	('D1', 1, $$, acquisition_date => '2020-02-29'$$, 'acquisition_date given'),
	('D2', 2, $$, acquisition_date => '2023-06-02'$$, 'acquisition_date given, the day of effective_at'),
	('D3', 3, '', 'acquisition_date left out')) v(code, id, extra, rule);
select pg_temp.refuses(pg_temp.purchase(:f, code, id, extra), 'UF008', rule)
  from (values
	('D1', 1, '', 'acquisition_date given first and left out in the repeat'),
	('D1', 1, $$, effective_at => '2023-06-02 23:00'$$, 'the same with effective_at'),
	('D1', 1, $$, acquisition_date => '2020-03-01'$$, 'another acquisition_date'),
	('D3', 3, $$, acquisition_date => '2023-06-03'$$, 'left out first, another day in the repeat'),
	('D3', 3, $$, effective_at => '2023-06-03 01:00'$$, 'left out, effective_at of another day')) v(code, id, extra, rule);
select pg_temp.writes_nothing(pg_temp.purchase(:f, code, id, extra), rule)
  from (values
	('D1', 1, $$, acquisition_date => '2020-02-29'$$, 'a repeat with the same acquisition_date'),
	('D2', 2, '', 'acquisition_date given first and left out in the repeat, where it is the same day'),
	('D3', 3, $$, acquisition_date => '2023-06-02'$$, 'left out first, the same day in the repeat'),
	('D3', 3, '', 'left out both times, also on another day'),
	('D3', 3, $$, effective_at => '2023-06-02 23:00'$$, 'left out both times, effective_at given')) v(code, id, extra, rule);
select is((select fundes.purchase_mcp(:f, 'D3', 'R', 'S', 10, event_id => '70000000-0000-4000-8000-000000000003')), pg_temp.asset('D3'), 'the first result is returned');
select pg_temp.accepts(format('select fundes.update_mcp_asset_value(%s, effective_at => ''2023-06-04 09:00'', event_id => ''71000000-0000-4000-8000-000000000001'')', :f), 'a valuation, its day left out');
select pg_temp.writes_nothing(format('select fundes.update_mcp_asset_value(%s, %s event_id => ''71000000-0000-4000-8000-000000000001'')', :f, extra), 'repeated: ' || rule)
  from (values ('', 'left out again, on another day'), ($$'2023-06-03',$$, 'the same day given')) v(extra, rule);
select pg_temp.refuses(format('select fundes.update_mcp_asset_value(%s, ''2023-06-02'', event_id => ''71000000-0000-4000-8000-000000000001'')', :f), 'UF008', 'repeated: another day');

-- The order of the checks.
select pg_temp.refuses(format(command, :f), code, rule)
  from (values
	($$select fundes.purchase_mcp(%s, '', 'R', 'S', 10.5)$$, 'UF005', 'purchase_mcp: an amount that does not fit the scale before an empty code'),
	($$select fundes.purchase_mcp(%s, 'X', 'R', 'S', 10, 10.5, 'infinity')$$, 'UF005', 'purchase_mcp: an estimate before a date'),
	($$select fundes.create_investment('A', %s, 10.5, effective_at => 'infinity')$$, 'UF005', 'create_investment: before effective_at'),
	($$select fundes.withdraw_investment('A', %s, 0.5, effective_at => 'infinity')$$, 'UF005', 'withdraw_investment: before effective_at'),
	($$select fundes.sell_mcp(%s, 1, 0.5, metadata => '[]')$$, 'UF005', 'sell_mcp: before metadata'),
	($$select fundes.record_royalty(%s, 1, 0.5, 'infinity')$$, 'UF005', 'record_royalty: before period'),
	($$select fundes.accrue_fee(%s, 0.5, '')$$, 'UF005', 'accrue_fee: before kind'),
	($$select fundes.pay_fee(%s, 0.5, 'x', expected_version => -1)$$, 'UF005', 'pay_fee: before expected_version'),
	($$select fundes.purchase_mcp(%s, null, 'R', 'S', 10.5)$$, '22004', 'purchase_mcp: NULL before all'),
	($$select fundes.create_investment('A', %s, 10, effective_at => 'infinity')$$, '22023', 'create_investment: effective_at where the amount fits'),
	($$select fundes.create_investment('A', 99 + %s, 10.5, effective_at => 'infinity')$$, '22023', 'create_investment: effective_at before an unknown fund, whose scale nobody knows')) v(command, code, rule);

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
