-- Restatement: what is recorded late flags the valuations that it would have
-- changed; restate_nav makes them anew, and strikes nothing.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2024-01-01 09:00');
select fundes.create_fund('Ballads', effective_at => '2024-02-01 09:00') as f \gset
select fundes.set_price_limits(:f, null, null, effective_at => '2024-02-01 09:00');
select fundes.create_investment('A', :f, 100000, effective_at => '2024-02-01 10:00');
select fundes.purchase_mcp(:f, 'M1', 'R', 'S', 50000, effective_at => '2024-02-01 11:00') as m1 \gset
select fundes.record_mcp_price('M1', 'R', 'S', '2024-02-01', 51000);
select fundes.update_mcp_asset_value(:f, day, effective_at => (day + 1)::timestamp)
  from unnest(array['2024-02-27', '2024-02-28', '2024-02-29', '2024-03-01']::date[]) day;

create function pg_temp.flagged(fund bigint) returns text
language sql as $$
	select coalesce(string_agg(to_char(valuation_date, 'MM-DD'), ' ' order by valuation_date), 'none')
	  from fundes.nav_history where fund_id = fund and needs_restatement
$$;
create function pg_temp.current(fund bigint) returns text
language sql as $$
	select string_agg(format('%s r%s %s', to_char(valuation_date, 'MM-DD'), revision, nav), ', ' order by valuation_date)
	  from fundes.nav_history where fund_id = fund and is_current
$$;
select is(pg_temp.flagged(:f), 'none', 'nothing is flagged');
select is((select array_agg(struck order by valuation_date) from fundes.nav_history where fund_id = :f), array[true, true, true, true], 'all were struck');

-- What flags, and which days. Midnight is the fund's, whatever the session's zone.
set local timezone = 'Pacific/Auckland';
select fundes.record_royalty(:f, :m1, 10, effective_at => '2024-03-01 00:00+09');
select is(pg_temp.flagged(:f), '03-01', 'a royalty at the midnight that ends a day is of the next one');
select fundes.record_royalty(:f, :m1, 20, effective_at => '2024-02-29 23:59:59.999999+09');
select is(pg_temp.flagged(:f), '02-29 03-01', 'a moment before, it is of that day: the 29th of February');
set local timezone = 'Asia/Seoul';
select fundes.set_price_limits(:f, null, null, effective_at => '2024-02-27 12:00');
select fundes.close_period(:f, '2024-02-01', effective_at => '2024-02-27 12:00');
select fundes.halt_trading(:f, effective_at => '2024-02-27 12:00');
select fundes.resume_trading(:f, effective_at => '2024-02-27 12:01');
select is(pg_temp.flagged(:f), '02-29 03-01', 'what is not in the books flags nothing');
select fundes.record_royalty(:f, :m1, 1, effective_at => '2024-03-02 00:00');
select is(pg_temp.flagged(:f), '02-29 03-01', 'nor what came after the last valuation');
select pg_temp.same(format('select valuation_date, as_of, struck from fundes.nav_history where fund_id = %s order by 1 desc limit 2', :f),
	$$values (date '2024-03-01', timestamptz '2024-03-02 00:00', true), ('2024-02-29', timestamptz '2024-03-01 00:00', true)$$, 'as_of is the end of the day');

-- Arguments.
select pg_temp.refuses(format(command, :f), code, rule)
  from (values
	('select * from fundes.restate_nav(null, ''2024-02-01'')', '22004', 'no fund'),
	('select * from fundes.restate_nav(%s, null)', '22004', 'no day'),
	('select * from fundes.restate_nav(%s, ''-infinity'')', '22023', 'no day of the calendar'),
	('select * from fundes.restate_nav(99, ''2024-02-01'')', 'UF002', 'an unknown fund'),
	('select * from fundes.restate_nav(%s, ''2024-02-01'', effective_at => ''2100-01-01'')', 'UF020', 'the future'),
	('select * from fundes.restate_nav(%s, ''2024-02-01'', expected_version => 1)', 'UF021', 'another expected version')) v(command, code, rule);

-- New revisions; nothing is struck.
select pg_temp.books_balance('the books balance before');
select to_jsonb(s) as before from fundes.fund_sheet s where fund_id = :f \gset
select pg_temp.writes_nothing(format('select * from fundes.restate_nav(%s, ''2024-03-02'')', :f), 'from a later day on');
select pg_temp.same(format('select fund_id, valuation_date, nav::numeric, capital_cash::numeric, total_supply::numeric, base_price::numeric, stale_count, status from fundes.restate_nav(%s, ''2024-02-01'', effective_at => ''2024-03-05 09:00'', event_id => ''86000000-0000-4000-8000-000000000001'')', :f),
	format($$values (%1$s::bigint, date '2024-02-29', 101020::numeric, 50020::numeric, 100::numeric, 1010.2::numeric, 0, 'revised'), (%1$s, '2024-03-01', 101030, 50030, 100, 1010.3, 0, 'revised')$$, :f), 'the flagged days, with what is known now');
select is(pg_temp.current(:f), '02-27 r1 101000, 02-28 r1 101000, 02-29 r2 101020, 03-01 r2 101030', 'the others stay');
select is(pg_temp.flagged(:f), 'none', 'nothing is flagged any more');
select is((select to_jsonb(s) from fundes.fund_sheet s where fund_id = :f), :'before'::jsonb, 'figures, values and price are what they were');
select is((select array_agg(struck order by valuation_date, revision) from fundes.nav_history where fund_id = :f and valuation_date >= '2024-02-29'), array[true, false, true, false], 'the struck revisions stay on record');
select is((select string_agg(stream || ' ' || (payload ->> 'days_left'), ', ' order by position) from fundes.event_log where payload ? 'restated_from'), format('fund-%1$s 1, fund-%1$s 0', :f), 'an event a day');
select pg_temp.writes_nothing(format('select * from fundes.restate_nav(%s, ''2024-02-01'')', :f), 'again: nothing needs it');

-- Replay.
select fundes.record_royalty(:f, :m1, 3, effective_at => '2024-02-28 12:00', event_id => '86000000-0000-4000-8000-000000000002');
select pg_temp.same(format('select valuation_date, nav::numeric, status from fundes.restate_nav(%s, ''2024-02-01'', event_id => ''86000000-0000-4000-8000-000000000001'')', :f),
	$$values (date '2024-02-29', 101020::numeric, 'revised'), ('2024-03-01', 101030, 'revised')$$, 'repeated by its id: the first result, though more needs it now');
select pg_temp.writes_nothing(format('select * from fundes.restate_nav(%s, ''2024-02-01'', event_id => ''86000000-0000-4000-8000-000000000001'')', :f), 'and nothing is written');
select pg_temp.refuses(format('select * from fundes.restate_nav(%s, ''2024-02-02'', event_id => ''86000000-0000-4000-8000-000000000001'')', :f), 'UF008', 'with another day');
select pg_temp.refuses(format('select * from fundes.restate_nav(%s, ''2024-02-01'', event_id => ''86000000-0000-4000-8000-000000000002'')', :f), 'UF008', 'with the id of a royalty');
select is(pg_temp.flagged(:f), '02-28 02-29 03-01', 'a restated day is flagged anew');

-- A reversal flags too; where it all comes to the same the revision says so.
select fundes.reverse_event('86000000-0000-4000-8000-000000000002', effective_at => '2024-02-28 12:00');
select pg_temp.same(format('select valuation_date, nav::numeric, status from fundes.restate_nav(%s, ''2024-02-29'', effective_at => ''2024-03-05 10:00'')', :f),
	$$values (date '2024-02-29', 101020::numeric, 'unchanged'), ('2024-03-01', 101030, 'unchanged')$$, 'the same figures: unchanged');
select is(pg_temp.flagged(:f), '02-28', 'the flags are gone, but of the day before from_date');
select pg_temp.same(format('select valuation_date, status from fundes.restate_nav(%s, ''2024-02-01'', event_id => ''86000000-0000-4000-8000-000000000003'', effective_at => ''2024-03-05 11:00'')', :f), $$values (date '2024-02-28', 'unchanged')$$, 'that one');
select pg_temp.same(format('select valuation_date, status from fundes.restate_nav(%s, ''2024-02-01'', event_id => ''86000000-0000-4000-8000-000000000003'')', :f), $$values (date '2024-02-28', 'unchanged')$$, 'and repeated');

-- Every command that moves the books, dated into the past.
create temporary table late (n integer generated always as identity, call text);
insert into late (call) values
	('select fundes.create_investment(''A'', %1$s, 1010, effective_at => ''2024-02-28 10:00'')'),
	('select fundes.withdraw_investment(''A'', %1$s, 1, effective_at => ''2024-02-28 10:01'')'),
	('select fundes.purchase_mcp(%1$s, ''M2'', ''R'', ''S'', 10, effective_at => ''2024-02-28 10:02'')'),
	('select fundes.sell_mcp(%1$s, pg_temp.asset(''M2''), 11, effective_at => ''2024-02-28 10:03'')'),
	('select fundes.accrue_fee(%1$s, 5, effective_at => ''2024-02-28 10:04'')'),
	('select fundes.pay_fee(%1$s, 5, effective_at => ''2024-02-28 10:05'')');
create function pg_temp.flags(call text, fund bigint) returns text
language plpgsql as $$
begin
	perform count(*) from fundes.restate_nav(fund, '2024-02-01');
	execute format(call, fund);
	return pg_temp.flagged(fund);
end
$$;
select is(pg_temp.flags(call, :f), '02-28 02-29 03-01', 'flags: ' || call) from late order by n;

-- A valuation made after it knows it.
select fundes.update_mcp_asset_value(:f, '2024-03-04', effective_at => '2024-03-05 12:00');
select is(pg_temp.flagged(:f), '02-28 02-29 03-01', 'a valuation made since is not flagged');
select fundes.record_mcp_price('M1', 'R', 'S', '2024-02-29', 52000);
select fundes.update_mcp_asset_value(:f, '2024-02-29', effective_at => '2024-03-05 13:00');
select is(pg_temp.flagged(:f), '02-28 03-01', 'a revision by a valuation of the day is as good');

-- Closed periods and funds.
select fundes.close_period(:f, '2024-02-28', effective_at => '2024-03-06 09:00');
select pg_temp.refuses(format('select * from fundes.restate_nav(%s, ''2024-02-01'')', :f), 'UF011', 'a day of a closed period');
select pg_temp.refuses(format('select * from fundes.restate_nav(%s, ''2024-02-29'', effective_at => ''2024-02-28 12:00'')', :f), 'UF011', 'in a closed period');
select pg_temp.same(format('select valuation_date, status from fundes.restate_nav(%s, ''2024-02-29'')', :f), $$values (date '2024-03-01', 'revised'), ('2024-03-04', 'revised')$$, 'the days after it, also the one that is not flagged: its quote was mended');
select pg_temp.books_balance('the books balance after all');

-- A mended quote flags nothing; the days that were valued with it come out anew.
select fundes.create_fund('Mended', effective_at => '2024-02-01 09:00') as q \gset
select fundes.set_price_limits(:q, null, null, effective_at => '2024-02-01 09:00');
select fundes.create_investment('A', :q, 100000, effective_at => '2024-02-01 10:00');
select fundes.purchase_mcp(:q, c, 'R', 'S', 10000, effective_at => '2024-02-01 11:00') from unnest(array['Q1', 'Q2']) c;
select fundes.record_mcp_price('Q1', 'R', 'S', day, price) from (values (date '2024-02-10', 11000), ('2024-02-20', 12000)) v(day, price);
select fundes.update_mcp_asset_value(:q, day, effective_at => (day + 1)::timestamp)
  from unnest(array['2024-02-09', '2024-02-10', '2024-02-11', '2024-02-19', '2024-02-20', '2024-03-25']::date[]) day;
select fundes.create_investment('A', :q, 10000, effective_at => '2024-02-12 10:00');
select fundes.record_mcp_price('Q1', 'R', 'S', '2024-02-10', 10500);
select is(pg_temp.flagged(:q), '02-19 02-20 03-25', 'only what is recorded late flags');
select to_jsonb(s) as before from fundes.fund_sheet s where fund_id = :q \gset
select pg_temp.same(format('select valuation_date, asset_value, status from fundes.restate_nav(%s, ''2024-02-01'', event_id => ''86000000-0000-4000-8000-000000000005'', effective_at => ''2024-03-26 09:00'')', :q),
	$$values (date '2024-02-10', 20500, 'revised'), ('2024-02-11', 20500, 'revised'), ('2024-02-19', 20500, 'revised'), ('2024-02-20', 22000, 'revised'), ('2024-03-25', 22000, 'revised')$$,
	'those with the mended quote and the flagged ones; not 02-09, which had none');
select pg_temp.same(format('select valuation_date, asset_value, status from fundes.restate_nav(%s, ''2024-02-01'', event_id => ''86000000-0000-4000-8000-000000000005'')', :q),
	$$values (date '2024-02-10', 20500, 'revised'), ('2024-02-11', 20500, 'revised'), ('2024-02-19', 20500, 'revised'), ('2024-02-20', 22000, 'revised'), ('2024-03-25', 22000, 'revised')$$,
	'repeated by its id');
select is((select to_jsonb(s) from fundes.fund_sheet s where fund_id = :q), :'before'::jsonb, 'nothing is struck');
select is((select count(*) from fundes.nav_error where fund_id = :q and valuation_date = '2024-02-11' and off = -45), 1::bigint, 'nav_error has the deal at the wrong price');
select pg_temp.writes_nothing(format('select * from fundes.restate_nav(%s, ''2024-02-01'')', :q), 'again: nothing differs');
select fundes.record_mcp_price('Q1', 'R', 'S', '2024-02-10', 10400);
select is_empty(format('select * from fundes.restate_nav(%s, ''2024-02-20'')', :q), 'from a day on that has a later quote: nothing differs');
select fundes.close_period(:q, '2024-02-19', effective_at => '2024-03-26 10:00');
select pg_temp.refuses(format('select * from fundes.restate_nav(%s, ''2024-02-12'')', :q), 'UF011', 'a day of a closed period whose quote was mended');
select is_empty(format('select * from fundes.restate_nav(%s, ''2024-02-20'')', :q), 'the days after it stay');

-- Strikes are in the order of time: a valuation dated before one is history only.
select fundes.create_fund('Soul', effective_at => '2024-02-01 09:00') as g \gset
select fundes.set_price_limits(:g, null, null, effective_at => '2024-02-01 09:00');
select fundes.create_investment('A', :g, 1000, effective_at => '2024-02-01 10:00');
select fundes.update_mcp_asset_value(:g, '2024-02-10', effective_at => '2024-02-12 00:00');
select fundes.update_mcp_asset_value(:g, '2024-02-11', effective_at => '2024-02-12 00:00');
select fundes.update_mcp_asset_value(:g, '2024-02-10', effective_at => '2024-02-13 00:00');
select fundes.declare_distribution(:g, 100, effective_at => '2024-02-13 00:00');
select fundes.update_mcp_asset_value(:g, '2024-02-12', effective_at => '2024-02-14 00:00');
select is((select string_agg(to_char(valuation_date, 'MM-DD') || ' ' || struck, ', ' order by valuation_date) from fundes.nav_history where fund_id = :g), '02-10 true, 02-11 true, 02-12 false',
	'a day that ended as a distribution was declared is history only');
select is(pg_temp.figures(:g, 'base_price', 'nav_per_unit'), 'base_price 900, nav_per_unit 900', 'the price without it stays');
select fundes.update_mcp_asset_value(:g, '2024-02-13', effective_at => '2024-02-14 00:00');
select is((select struck from fundes.nav_history where fund_id = :g and valuation_date = '2024-02-13'), true, 'the day of the distribution strikes');

-- Appended directly: what struck says must be so.
create function pg_temp.valued(fund bigint, change jsonb) returns text
language sql as $$
	select format('select fundes.append(''fund-%s'', ''FundValued'', %L, effective_at => ''2024-02-20 00:00'')', fund,
		jsonb_build_object('fund_id', fund, 'valuation_date', '2024-02-14', 'revision', 1, 'values', '{}'::jsonb, 'sources', '{}'::jsonb, 'stale', '[]'::jsonb,
			'asset_value', 0, 'capital_cash', 1000, 'liabilities', 100, 'nav', 900, 'total_supply', 1, 'base_price', 900) || change)
$$;
select pg_temp.refuses(pg_temp.valued(:g, '{"valuation_date": "2024-02-09", "struck": true}'), 'UF023', 'appended: struck for a day before the last one');
select pg_temp.refuses(pg_temp.valued(:g, '{"as_of": "2024-02-15 00:00"}'), 'UF023', 'appended: a moment without an offset');
select pg_temp.accepts(pg_temp.valued(:g, '{"struck": false}'), 'appended: history only');
select is((select last_valuation_date from fundes.fund_sheet where fund_id = :g), date '2024-02-13', 'it is');
select pg_temp.accepts(pg_temp.valued(:g, '{"revision": 2}'), 'appended: without as_of and struck');
select is((select (as_of, struck) from fundes.nav_history where fund_id = :g and is_current and valuation_date = '2024-02-14'), (timestamptz '2024-02-15 00:00', true), 'its moment is the fund''s midnight, and it strikes');

-- The worked example: the NAV of 06-30, restated.
select fundes.create_fund('OKCOW', effective_at => '2024-05-01 09:00') as k \gset
select fundes.create_investor('B', 'Lee', effective_at => '2024-05-01 09:00');
select fundes.create_investment('B', :k, 1000000, effective_at => '2024-05-01 10:00');
select fundes.purchase_mcp(:k, 'K1', 'R', 'S', 600000, effective_at => '2024-05-01 11:00') as k1 \gset
select fundes.record_royalty(:k, :k1, 12345, effective_at => '2024-05-02 12:00', event_id => '86000000-0000-4000-8000-000000000004');
select fundes.update_mcp_asset_value(:k, '2024-05-31', effective_at => '2024-06-01 00:00');
select fundes.reverse_event('86000000-0000-4000-8000-000000000004', effective_at => '2024-05-02 12:00');
select fundes.record_royalty(:k, :k1, 12354, effective_at => '2024-05-02 12:00');
select pg_temp.same(format('select nav::numeric, base_price::numeric, status from fundes.restate_nav(%s, ''2024-05-31'')', :k), $$values (1012354::numeric, 1012.354, 'revised')$$, 'a corrected royalty');
select is(pg_temp.figures(:k, 'base_price'), 'base_price 1012.345', 'the struck price stays');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select is(fundes.rebuild_projections(), 0::bigint, 'and nothing is to be mended');
select * from finish();
rollback;
