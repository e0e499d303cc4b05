-- The market: indexes, the circuit breaker, halts by hand, prices by index.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_fund('Soul', effective_at => '2023-06-01 09:00') as g \gset
select fundes.create_investment('A', f, 100000, effective_at => '2023-06-01 10:00') from unnest(array[:f, :g]) f;
select fundes.purchase_mcp(:f, 'M1', 'R', 'S', 10000, effective_at => '2023-06-01 11:00') as m1 \gset

create function pg_temp.publish(name text, day date, level numeric, at timestamptz) returns boolean
language sql as $$ select fundes.publish_index(name, day, level, effective_at => at) $$;
create function pg_temp.deal(fund bigint, at text) returns text
language sql as $$ select format('select fundes.create_investment(''A'', %s, 1000, effective_at => %L)', fund, at) $$;
create function pg_temp.last(stream text) returns jsonb
language sql as $$ select payload from fundes.read_stream(stream, backward => true, max_count => 1) $$;

select pg_temp.refuses(command, code, rule)
  from (values
	('select fundes.publish_index(null, ''2023-06-01'', 1)', '22004', 'no name'),
	('select fundes.publish_index(''X'', null, 1)', '22004', 'no day'),
	('select fundes.publish_index(''X'', ''2023-06-01'', null)', '22004', 'no level'),
	('select fundes.publish_index(''X'', ''2023-06-01'', 0)', 'UF005', 'a level of 0'),
	('select fundes.publish_index(''X'', ''2023-06-01'', -1)', 'UF005', 'a negative level'),
	('select fundes.publish_index(''X'', ''2023-06-01'', ''NaN'')', 'UF005', 'no number'),
	('select fundes.publish_index('''', ''2023-06-01'', 1.00001)', 'UF005', 'too many decimals, before the name'),
	('select fundes.publish_index(''X'', ''2023-06-01'', 1e20)', '22003', 'too large'),
	('select fundes.publish_index('''', ''2023-06-01'', 1)', '22023', 'an empty name'),
	('select fundes.publish_index(''market'', ''2023-06-01'', 1)', '22023', 'the name of the whole market'),
	('select fundes.publish_index(''X'', ''infinity'', 1)', '22023', 'no day of the calendar'),
	('select fundes.publish_index(''X'', ''2023-06-02'', 1, effective_at => ''2023-06-01 09:59:59.999999+00'')', 'UF020', 'a day that has not begun anywhere'),
	('select fundes.publish_index(''X'', ''2023-06-02'', 1, effective_at => ''2100-06-01'')', 'UF020', 'the future'),
	('select fundes.publish_index(''X'', ''2023-06-01'', 1, expected_version => 5)', 'UF021', 'another expected version')) v(command, code, rule);
select lives_ok($$select fundes.publish_index('X', '2023-06-02', 1, effective_at => '2023-06-01 10:00+00')$$, 'a day that has begun somewhere');

-- 8 % below the day before halts, and no less.
select is(pg_temp.publish('MCPI', '2023-06-01', 200, '2023-06-02 09:00'), false, 'a first level halts nothing');
select is(pg_temp.publish('MCPI', '2023-06-02', 184.01, '2023-06-03 09:00'), false, '200 -> 184.01 does not halt');
select is((select count(*) from fundes.event_log where type = 'TradingHalted'), 0::bigint, 'nothing is halted');
select is(pg_temp.publish('MCPI', '2023-06-02', 184.00, '2023-06-03 09:01'), true, '200 -> 184.00 halts, also as a correction of the day');
select is(pg_temp.last('index-MCPI'), '{"index_name": "MCPI", "reason": "184.0000 on 2023-06-02 after 200.0000 on 2023-06-01", "index_level": 184.0000, "change": -0.080000, "until": "2023-06-03T00:21:00+00:00"}'::jsonb, 'TradingHalted says why and until when');
select pg_temp.refuses(format(command, fund), 'UF010', format(command, fund))
  from unnest(array[
	'select fundes.create_investment(''A'', %s, 1000, effective_at => ''2023-06-03 09:01'')',
	'select fundes.create_investment(''A'', %s, 1000, effective_at => ''2023-06-03 09:20:59.999999'')',
	'select fundes.withdraw_investment(''A'', %s, 1, effective_at => ''2023-06-03 09:10'')',
	'select fundes.purchase_mcp(%s, ''M2'', ''R'', ''S'', 10, effective_at => ''2023-06-03 09:10'')']) command, unnest(array[:f, :g]) fund;
select pg_temp.refuses(format('select fundes.sell_mcp(%s, %s, 10, effective_at => ''2023-06-03 09:10'')', :f, :m1), 'UF010', 'a sale');
select pg_temp.accepts(command, command)
  from unnest(array[pg_temp.deal(:f, '2023-06-03 09:00:59.999999'), pg_temp.deal(:f, '2023-06-03 09:21'),
	format('select fundes.record_royalty(%s, %s, 10, effective_at => ''2023-06-03 09:10'')', :f, :m1),
	format('select fundes.accrue_fee(%s, 10, effective_at => ''2023-06-03 09:10'')', :f),
	format('select fundes.update_mcp_asset_value(%s, ''2023-06-02'', effective_at => ''2023-06-03 09:15'')', :f)]) command;

-- The order of the checks.
select fundes.set_price_limits(:g, 0.02, '0', effective_at => '2023-06-03 09:05');
select fundes.purchase_mcp(:g, 'M3', 'R', 'S', 10, effective_at => '2023-06-02 09:05');
select pg_temp.refuses(pg_temp.deal(:g, '2023-06-03 09:10'), 'UF010', 'halted before the price');
select pg_temp.refuses(pg_temp.deal(:g, '2023-06-03 09:30'), 'UF009', 'which is old');
select pg_temp.refuses(format('select fundes.create_investment(''A'', %s, 1000, effective_at => ''2023-06-03 09:10'', expected_version => 9)', :f), 'UF010', 'halted before the expected version');

-- The same level again; an older day; a day further on.
select pg_temp.writes_nothing($$select fundes.publish_index('MCPI', '2023-06-02', 184, effective_at => '2023-06-03 09:05')$$, 'the same level again');
select is(pg_temp.publish('MCPI', '2023-06-02', 184, '2023-06-03 09:20:59'), true, 'says that dealing is halted');
select is(pg_temp.publish('MCPI', '2023-06-02', 184, '2023-06-03 09:21'), false, 'until it is not');
select is(pg_temp.publish('MCPI', '2023-06-05', 200, '2023-06-05 20:00'), false, 'a rise');
select is(pg_temp.publish('MCPI', '2023-06-04', 100, '2023-06-05 20:01'), false, 'an older day halts nothing');
select is(pg_temp.publish('MCPI', '2023-06-06', 91, '2023-06-06 20:00'), true, 'it is compared with the last day before, not with the last publication');
select is(pg_temp.publish('OTHER', '2023-06-06', 1, '2023-06-07 20:00'), false, 'indexes do not mix');
select is((select (payload ->> 'change')::numeric from fundes.event_log where type = 'TradingHalted' order by position desc limit 1), -0.545, 'the change is a fraction');
select fundes.publish_index('T', '2023-06-01', 3, effective_at => '2023-06-02 09:00');
select fundes.publish_index('T', '2023-06-02', 1, effective_at => '2023-06-02 09:30');
select is(pg_temp.last('index-T') ->> 'change', '-0.666667', 'with 6 decimals, half up: 1/3 - 1');

-- Repeated by its id.
select is(fundes.publish_index('R', '2023-06-01', 10, effective_at => '2023-06-08 09:00', event_id => '82000000-0000-4000-8000-000000000001'), false, 'published');
select is(fundes.publish_index('R', '2023-06-02', 9.2, effective_at => '2023-06-08 09:10', event_id => '82000000-0000-4000-8000-000000000002'), true, 'published and halted');
select fundes.resume_trading(effective_at => '2023-06-08 09:11', event_id => '82000000-0000-4000-8000-000000000003');
select pg_temp.writes_nothing($$select fundes.publish_index('R', '2023-06-02', 9.2, event_id => '82000000-0000-4000-8000-000000000002')$$, 'repeated');
select is(array[fundes.publish_index('R', '2023-06-01', 10, event_id => '82000000-0000-4000-8000-000000000001'),
				fundes.publish_index('R', '2023-06-02', 9.2, event_id => '82000000-0000-4000-8000-000000000002')], array[false, true], 'the first results, though it was resumed');
select pg_temp.refuses($$select fundes.publish_index('R', '2023-06-02', 9.1, event_id => '82000000-0000-4000-8000-000000000002')$$, 'UF008', 'another level');
select pg_temp.accepts(pg_temp.deal(:f, '2023-06-08 09:11'), 'resumed, dealing goes on at once');

-- By hand: the whole market, or one fund.
select pg_temp.refuses(command, code, rule)
  from (values
	('select fundes.halt_trading(99)', 'UF002', 'an unknown fund'),
	('select fundes.resume_trading(99)', 'UF002', 'an unknown fund, resumed'),
	('select fundes.halt_trading(reason => '''')', '22023', 'an empty reason'),
	('select fundes.resume_trading()', '22023', 'resumed where nothing is halted'),
	(format('select fundes.resume_trading(%s)', :f), '22023', 'nor of the fund'),
	('select fundes.halt_trading(effective_at => ''2100-01-01'')', 'UF020', 'in the future'),
	('select fundes.halt_trading(expected_version => 9)', 'UF021', 'another expected version')) v(command, code, rule);
select pg_temp.accepts('select fundes.halt_trading(reason => ''index under review'', effective_at => ''2023-06-08 10:00'', event_id => ''82000000-0000-4000-8000-000000000004'')', 'the whole market');
select is(pg_temp.last('index-market'), '{"index_name": "market", "reason": "index under review"}'::jsonb, 'what it states');
select pg_temp.refuses(pg_temp.deal(fund, '2023-06-08 15:00'), 'UF010', 'all funds, until it is resumed') from unnest(array[:f, :g]) fund;
select matches((pg_temp.attempt(pg_temp.deal(:f, '2023-06-08 15:00'))).detail, 'all funds.*until it is resumed: index under review', 'DETAIL says so, and why');
select pg_temp.refuses(format('select fundes.resume_trading(%s, effective_at => ''2023-06-08 11:00'')', :f), '22023', 'a halt of the market is not one of the fund');
-- an index that falls meanwhile does not shorten it
select is(pg_temp.publish('R', '2023-06-03', 5, '2023-06-08 10:30'), true, 'an index falls meanwhile');
select is(pg_temp.last('index-R') ->> 'until', null, 'its halt has no end either');
select pg_temp.refuses(pg_temp.deal(:f, '2023-06-08 10:51'), 'UF010', 'so dealing is halted still');
select pg_temp.accepts('select fundes.resume_trading(reason => ''reviewed'', effective_at => ''2023-06-08 11:00'')', 'resumed: every halt of the market');
select pg_temp.accepts(pg_temp.deal(:f, '2023-06-08 11:00'), 'a deal');
select pg_temp.refuses(pg_temp.deal(:f, '2023-06-08 10:59:59.999999'), 'UF010', 'not one dated into the halt');
select pg_temp.writes_nothing('select fundes.halt_trading(reason => ''index under review'', event_id => ''82000000-0000-4000-8000-000000000004'')', 'repeated');
select pg_temp.refuses('select fundes.halt_trading(reason => ''why'', event_id => ''82000000-0000-4000-8000-000000000004'')', 'UF008', 'with another reason');
select pg_temp.refuses(format('select fundes.halt_trading(%s, ''index under review'', event_id => ''82000000-0000-4000-8000-000000000004'')', :f), 'UF008', 'of a fund');

select is(pg_temp.publish('L', '2023-06-01', 10, '2023-06-09 09:00') or pg_temp.publish('L', '2023-06-02', 1, '2023-06-09 10:00'), true, 'an index halts for 20 minutes');
set local fundes.halt_duration = '5 minutes';
select pg_temp.publish('L', '2023-06-03', 0.5, '2023-06-09 10:05');
select is(pg_temp.last('index-L') ->> 'until', '2023-06-09T01:20:00+00:00', 'another one meanwhile, with a shorter time, does not end it sooner');

select pg_temp.accepts(format('select fundes.halt_trading(%s, ''audit'', effective_at => ''2023-06-10 09:00'')', :f), 'one fund');
select is(pg_temp.last('fund-' || :f), format('{"fund_id": %s, "reason": "audit"}', :f)::jsonb, 'what it states');
select pg_temp.refuses(pg_temp.deal(:f, '2023-06-10 10:00'), 'UF010', 'that fund');
select fundes.update_mcp_asset_value(f, '2023-06-09', effective_at => '2023-06-10 00:00') from unnest(array[:f, :g]) f;
select fundes.set_price_limits(:g, 0.02, '7 days', effective_at => '2023-06-10 00:01');
select pg_temp.accepts(pg_temp.deal(:g, '2023-06-10 10:00'), 'not the other');
select pg_temp.refuses('select fundes.resume_trading(effective_at => ''2023-06-10 10:00'')', '22023', 'a halt of a fund is not one of the market');
select pg_temp.accepts(format('select fundes.resume_trading(%s, effective_at => ''2023-06-10 11:00'')', :f), 'resumed');
select pg_temp.accepts(pg_temp.deal(:f, '2023-06-10 11:00'), 'dealing goes on');
select fundes.halt_trading(:f);
select pg_temp.refuses(format('select fundes.create_investment(''A'', %s, 1000)', :f), 'UF010', 'halted now');
select fundes.resume_trading(:f);
select fundes.halt_trading();
select fundes.resume_trading();
select isnt((pg_temp.attempt(format('select fundes.create_investment(''A'', %s, 1000)', :f))).state, 'UF010', 'resumed in the same transaction');

-- Settings.
select throws_ok(format('set fundes.halt_threshold = %L', value), '22023', null, 'no threshold: ' || value) from unnest(array['1', '8', '-0.1', '8 %', '', '0.', '.08', '1e-2', '0,08']) value;
select throws_ok($$set fundes.halt_duration = 'a while'$$, '22023', null, 'no duration');
set local fundes.halt_threshold = '0.5';
select pg_temp.publish('S', '2023-06-01', 10, '2023-06-11 09:00');
select is(pg_temp.publish('S', '2023-06-02', 5.0001, '2023-06-11 09:10'), false, 'less than the threshold that is set');
select is(pg_temp.publish('S', '2023-06-02', 5, '2023-06-11 09:20'), true, 'just so much');
select is(pg_temp.last('index-S') ->> 'until', '2023-06-11T00:25:00+00:00', 'for as long as is set');

-- Appended directly.
select pg_temp.refuses(format('select fundes.append(%L, %L, %L)', stream, type, payload), 'UF023', 'appended: ' || payload)
  from (values
	('index-Q', 'IndexPublished', '{"index_name": "P", "index_date": "2023-06-01", "level": 1}'),
	('index-Q', 'IndexPublished', '{"index_name": "Q", "index_date": "2023-06-01", "level": 0}'),
	('index-Q', 'TradingHalted', '{"reason": "x"}'),
	('index-Q', 'TradingHalted', '{"index_name": "P"}'),
	('index-Q', 'TradingHalted', '{"index_name": "Q", "fund_id": 1}'),
	('fund-1', 'TradingHalted', '{"index_name": "Q", "fund_id": 1}'),
	('index-Q', 'TradingHalted', '{"index_name": "Q", "until": "2023-06-01T00:00:00Z"}'),
	('index-Q', 'TradingHalted', '{"index_name": "Q", "until": "2023-06-01 00:00"}'),
	('index-Q', 'TradingResumed', '{"fund_id": 1}')) v(stream, type, payload);
select pg_temp.refuses($$select fundes.append('fund-99', 'TradingHalted', '{"fund_id": 99}')$$, 'UF002', 'appended: an unknown fund');
select pg_temp.refuses($$select fundes.append('index-Q', 'OrderPlaced', '{}')$$, '22023', 'the category is reserved');
select pg_temp.refuses($$select fundes.append('order-Q', 'IndexPublished', '{"index_name": "Q", "index_date": "2023-06-01", "level": 1}')$$, '22023', 'and the types belong to it');
select pg_temp.accepts($$select fundes.append('index-Q', 'IndexPublished', '{"index_name": "Q", "index_date": "2023-06-01", "level": 1}')$$, 'appended as it should be');

-- Prices by index: a quote, or cost * level / level at acquisition.
select fundes.create_fund('Folk', effective_at => '2023-06-01 09:00') as k \gset
select fundes.create_investment('A', :k, 100000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(:k, code, 'R', 'S', cost, acquisition_date => acquired, effective_at => '2023-06-10 12:00')
  from (values ('P1', 1000, date '2023-06-05'), ('P2', 1000, '2023-05-31'), ('P3', 700, '2023-06-06')) v(code, cost, acquired);
select is(fundes.get_mcp_price_by_index('P1', 'R', 'S', '2023-06-06'), 455.00000000, '1000 * 91 / 200');
select is(fundes.get_mcp_price_by_index('P1', 'R', 'S', '2023-06-30'), 455.00000000, 'the last level published');
select is(fundes.get_mcp_price_by_index('P1', 'R', 'S', '2023-06-05'), 1000.00000000, 'the day of the acquisition');
select is(fundes.get_mcp_price_by_index('P1', 'R', 'S', '2023-06-04'), null, 'before it, it was not bought');
select is(fundes.get_mcp_price_by_index('P2', 'R', 'S', '2023-06-06'), null, 'no level at its acquisition');
select is(fundes.get_mcp_price_by_index('P3', 'R', 'S', '2023-07-07'), null, 'no level for the day that is not too old');
select is(fundes.get_mcp_price_by_index('P9', 'R', 'S', '2023-06-06'), null, 'nobody has bought it');
select fundes.publish_index('MCPI', '2023-06-09', 92, effective_at => '2023-06-12 09:00');
select is(fundes.get_mcp_price_by_index('P3', 'R', 'S', '2023-06-09'), 707.69230769, '700 * 92 / 91, floor at 8 decimals');
select fundes.record_mcp_price('P1', 'R', 'S', '2023-06-07', 123.45);
select is(fundes.get_mcp_price_by_index('P1', 'R', 'S', '2023-06-06'), 455.00000000, 'a quote of a later day is none');
select is(fundes.get_mcp_price_by_index('P1', 'R', 'S', '2023-06-07'), 123.45, 'a quote goes before');
set local fundes.price_index = 'OTHER';
select is(fundes.get_mcp_price_by_index('P3', 'R', 'S', '2023-06-09'), 700.00000000, 'another index');
set local fundes.price_index = 'MCPI';
set local fundes.price_function = 'fundes.get_mcp_price_by_index';
select fundes.update_mcp_asset_value(:k, '2023-06-10', effective_at => '2023-06-12 10:00');
select pg_temp.same(format('select copyright_code, value_cash::numeric, is_stale from fundes.mcp_holding where fund_id = %s order by 1', :k),
	$$values ('P1', 123::numeric, false), ('P2', 1000, true), ('P3', 708, false)$$, 'a valuation by it');
select throws_ok($$select fundes.get_mcp_price_by_index(null, 'R', 'S', '2023-06-09')$$, '22004', null, 'NULL');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
