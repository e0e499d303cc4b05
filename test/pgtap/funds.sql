-- create_fund, set_price_limits, create_investor, authenticate_investor.

begin;
\ir helper.inc
select no_plan();

-- create_fund
select is(fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00'), 1::bigint, 'the first fund is 1');
select is(fundes.create_fund('Jazz', 12.3456, 2, 6, 'USD', 'America/New_York', effective_at => '2023-06-01 09:00', metadata => '{"actor": "Kim"}'),
		  2::bigint, 'the next is 2');
select is((select payload from fundes.read_stream('fund-1')),
		  '{"fund_id": 1, "name": "Ballads", "initial_price": 1000, "cash_scale": 0, "unit_scale": 0, "currency": "KRW", "time_zone": "Asia/Seoul"}'::jsonb,
		  'FundCreated states the fund, defaults included');
select pg_temp.same(
	$$select type, version, payload, metadata, effective_at from fundes.read_stream('fund-2')$$,
	$$values ('FundCreated', 1::bigint,
		'{"fund_id": 2, "name": "Jazz", "initial_price": 12.3456, "cash_scale": 2, "unit_scale": 6, "currency": "USD", "time_zone": "America/New_York"}'::jsonb,
		'{"actor": "Kim"}'::jsonb, timestamptz '2023-06-01 09:00')$$, 'or as it was given');
select pg_temp.same(
	$$select name, base_price::numeric, capital_cash::numeric, total_supply::numeric, nav_per_unit::numeric, last_valuation_date from fundes.fund_sheet where fund_id = 2$$,
	$$values ('Jazz', 12.3456, 0::numeric, 0::numeric, null::numeric, null::date)$$, 'base_price is initial_price, nav_per_unit NULL without units');
select pg_temp.same($$select max_price_drift::numeric, max_price_age from fundes.fund_sheet where fund_id = 1$$,
				  $$values (0.02, interval '7 days')$$, 'a fund''s price may drift 2 % and be 7 days old');

select pg_temp.refuses('select fundes.create_fund(' || arguments || ')', code, 'create_fund: ' || rule)
  from (values
	($$null$$, '22004', 'name is null'),
	($$'x', null$$, '22004', 'initial_price is null'),
	($$'x', cash_scale => null$$, '22004', 'cash_scale is null'),
	($$'x', unit_scale => null$$, '22004', 'unit_scale is null'),
	($$'x', currency => null$$, '22004', 'currency is null'),
	($$'x', time_zone => null$$, '22004', 'time_zone is null'),
	($$'x', 0$$, 'UF005', 'initial_price 0'),
	($$'x', -1$$, 'UF005', 'initial_price -1'),
	($$'x', 'NaN'$$, 'UF005', 'initial_price NaN'),
	($$'x', 'Infinity'$$, 'UF005', 'initial_price Infinity'),
	($$'x', '-Infinity'$$, 'UF005', 'initial_price -Infinity'),
	($$'x', 1000.00001$$, 'UF005', 'initial_price of 5 decimals'),
	($$'x', 10000000000000000$$, '22003', 'initial_price too large'),
	($$''$$, '22023', 'name is empty'),
	($$repeat('x', 256)$$, '22023', 'name of 256 characters'),
	($$'x', cash_scale => -1$$, '22023', 'cash_scale -1'),
	($$'x', cash_scale => 5$$, '22023', 'cash_scale 5'),
	($$'x', unit_scale => -1$$, '22023', 'unit_scale -1'),
	($$'x', unit_scale => 7$$, '22023', 'unit_scale 7'),
	($$'x', currency => 'krw'$$, '22023', 'currency in small letters'),
	($$'x', currency => 'KR'$$, '22023', 'currency of two letters'),
	($$'x', currency => 'KRWX'$$, '22023', 'currency of four letters'),
	($$'x', currency => 'K1W'$$, '22023', 'currency with a digit'),
	($$'x', currency => ''$$, '22023', 'currency is empty'),
	($$'x', time_zone => 'Asia/Nowhere'$$, '22023', 'unknown time_zone'),
	($$'x', time_zone => ''$$, '22023', 'time_zone is empty'),
	($$'x', effective_at => 'infinity'$$, '22023', 'effective_at infinity'),
	($$'x', effective_at => '-infinity'$$, '22023', 'effective_at -infinity'),
	($$'x', metadata => '[]'$$, '22023', 'metadata is no object'),
	($$'x', expected_version => -1$$, '22023', 'expected_version -1'),
	($$'x', effective_at => now() + interval '1 hour'$$, 'UF020', 'effective_at in the future'),
	($$'x', expected_version => 3$$, 'UF021', 'expected_version of a stream that is not there'),
	($$null, 0$$, '22004', 'NULL before amounts'),
	($$'', 0$$, 'UF005', 'amounts before other arguments'),
	($$'', effective_at => now() + interval '1 hour'$$, '22023', 'arguments before time'),
	($$'x', effective_at => now() + interval '1 hour', expected_version => 3$$, 'UF020', 'time before expected_version')
  ) v(arguments, code, rule);
select pg_temp.accepts('select fundes.create_fund(' || arguments || ')', 'create_fund: ' || rule)
  from (values
	($$repeat('é', 255)$$, 'a name of 255 characters'),
	($$'x', 1000.00000$$, 'zeros are no decimals'),
	($$'x', 9999999999999999.9999$$, 'the largest price'),
	($$'x', 0.0001, 4, 6$$, 'the smallest price and the largest scales'),
	($$'x', time_zone => 'UTC'$$, 'UTC'),
	($$'Ballads', expected_version => 0$$, 'the same name again; expected_version 0')) v(arguments, rule);
select is((select max(fund_id) from fundes.fund_sheet), 8::bigint, 'a refused command uses no fund_id');

-- set_price_limits
select fundes.set_price_limits(1, 0.05, '3 days', effective_at => '2023-06-01 10:00') as event_id \gset
select is((select event_id from fundes.event_log where type = 'PriceLimitsSet'), :'event_id', 'set_price_limits returns the event''s id');
select pg_temp.same($$select max_price_drift::numeric, max_price_age from fundes.fund_sheet where fund_id = 1$$,
				  $$values (0.05, interval '3 days')$$, 'limits can be set per fund');
select pg_temp.accepts($$select fundes.set_price_limits(1, null, null, effective_at => '2023-06-01 11:00')$$, 'NULL switches them off');
select pg_temp.same($$select max_price_drift::numeric, max_price_age from fundes.fund_sheet where fund_id = 1$$,
				  $$values (null::numeric, null::interval)$$, 'and is shown');
select pg_temp.refuses('select fundes.set_price_limits(' || arguments || ')', code, 'set_price_limits: ' || rule)
  from (values
	($$null, null, null$$, '22004', 'fund_id is null'),
	($$99, null, null$$, 'UF002', 'unknown fund'),
	($$1, -0.01, null$$, 'UF005', 'a negative drift'),
	($$1, 'NaN', null$$, 'UF005', 'a drift of NaN'),
	($$1, 'Infinity', null$$, 'UF005', 'a drift of Infinity'),
	($$1, 0.02, '-1 day'$$, '22023', 'a negative age'),
	($$1, max_price_drift => 0.05$$, '42883', 'one limit alone: the other would be set, too')) v(arguments, code, rule);

select ok(hint !~ 'Split', 'a price is not to be split: ' || hint) from pg_temp.attempt($$select fundes.create_fund('x', 1e16)$$);

-- create_investor
select is(fundes.create_investor('kim-01', 'Kim', 'open sesame', effective_at => '2023-06-01 09:00'), 'kim-01', 'create_investor returns the id');
select is(fundes.create_investor('lee', 'Kim', effective_at => '2023-06-01 09:00'), 'lee', 'names are not unique');
select pg_temp.same($$select type, payload from fundes.read_stream('investor-kim-01')$$,
				  $$values ('InvestorCreated', '{"investor_id": "kim-01", "name": "Kim"}'::jsonb)$$, 'InvestorCreated states id and name, not the password');
select is((select verifier ~ '^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]+=*:[A-Za-z0-9+/]+=*$' from fundes.investor_credential where investor_id = 'kim-01'), true,
		  'of the password a SCRAM-SHA-256 verifier is kept');
select ok(fundes.authenticate_investor('kim-01', 'open sesame'), 'the password is his');
select ok(not fundes.authenticate_investor(id, password), 'false: ' || rule)
  from (values ('kim-01', 'open sesame ', 'a wrong password'), ('kim-01', '', 'an empty password'), ('lee', 'open sesame', 'an investor without a password'),
			   ('lee', '', 'an investor without a password and none'), ('nobody', 'open sesame', 'an unknown investor')) v(id, password, rule);
select pg_temp.refuses($$select fundes.authenticate_investor(null, 'x')$$, '22004', 'authenticate_investor: id is null');
select pg_temp.refuses($$select fundes.authenticate_investor('kim-01', null)$$, '22004', 'authenticate_investor: password is null');
select pg_temp.refuses('select fundes.create_investor(' || arguments || ')', code, 'create_investor: ' || rule)
  from (values
	($$null, 'Kim'$$, '22004', 'id is null'),
	($$'x', null$$, '22004', 'name is null'),
	($$'', 'Kim'$$, '22023', 'id is empty'),
	($$repeat('x', 256), 'Kim'$$, '22023', 'id is too long'),
	($$e'a\nb', 'Kim'$$, '22023', 'id with a control character'),
	($$'x', ''$$, '22023', 'name is empty'),
	($$'x', repeat('x', 256)$$, '22023', 'name of 256 characters'),
	($$'x', 'Kim', effective_at => now() + interval '1 hour'$$, 'UF020', 'effective_at in the future'),
	($$'kim-01', 'Kim'$$, 'UF024', 'id taken'),
	($$'kim-01', 'Park', 'other'$$, 'UF024', 'id taken, with another name and password')) v(arguments, code, rule);
select ok(fundes.authenticate_investor('kim-01', 'open sesame'), 'a refused command leaves the password');
select pg_temp.accepts($$select fundes.create_investor('x', repeat('é', 255))$$, 'create_investor: a name of 255 characters');
select pg_temp.accepts($$select fundes.create_investor('한국-1', '김')$$, 'create_investor: any letters');
select is_empty($$select stream from fundes.event_log where event_log::text ~ 'sesame|SCRAM'$$, 'no password and no verifier in the log');

select * from finish();
rollback;
