-- What events that are appended directly meet, and arguments far off.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', 1, 100000, effective_at => '2023-06-01 09:10');

select pg_temp.refuses($$select fundes.append('fund-1', 'FeeAccrued', '{"fund_id": 1, "amount": 0.5, "kind": "x"}')$$,
	'UF005', 'an appended amount has no more decimals than the fund');
select fundes.purchase_mcp(1, 'Mfence', 'R', 'S', 1000, effective_at => '2023-06-01 09:20') as mfence \gset
select is((pg_temp.attempt(replace(command, ':mfence', :'mfence'))).detail, format('key "%s" of the payload is 1.5, which has more than 0 decimals.', key), 'that is said of key ' || key)
  from (values
	('amount', $$select fundes.append('fund-1', 'FeeAccrued', '{"fund_id": 1, "amount": 1.5, "kind": "x"}')$$),
	('amount', $$select fundes.append('fund-1', 'RoyaltyReceived', '{"fund_id": 1, "asset_id": :mfence, "amount": 1.5}')$$),
	('price_cash', $$select fundes.append('fund-1', 'McpPurchased', '{"fund_id": 1, "asset_id": 999999, "copyright_code": "a", "registration_number": "b", "music_id": "c", "price_cash": 1.5, "acquisition_date": "2023-06-01"}')$$),
	('cash_taken', $$select fundes.append('holding-1-A', 'InvestmentCreated', '{"investor_id": "A", "fund_id": 1, "investment_amount": 1.5, "unit_price": 1, "units": 1, "cash_taken": 1.5, "refund_cash": 0}')$$),
	('units', $$select fundes.append('holding-1-A', 'InvestmentCreated', '{"investor_id": "A", "fund_id": 1, "investment_amount": 1, "unit_price": 1, "units": 1.5, "cash_taken": 1, "refund_cash": 0}')$$)) v(key, command);
select pg_temp.refuses($$select fundes.append('fund-1', 'FeePaid', '{"fund_id": 1, "amount": 1, "kind": "x"}')$$,
	'UF003', 'an appended payment is not more than is owed');
select pg_temp.refuses($$select fundes.append('fund-2', 'FundCreated', '{"fund_id": 2, "name": "x", "initial_price": 1, "cash_scale": 0, "unit_scale": 0, "currency": "KRW", "time_zone": "Asia/Nowhere"}')$$,
	'22023', 'an appended fund has a known time zone');
select pg_temp.refuses($$select fundes.append('fund-1', 'McpPurchased', '{"fund_id": 1, "asset_id": 9223372036854775807, "copyright_code": "a", "registration_number": "b", "music_id": "c", "price_cash": 1, "acquisition_date": "2023-06-01"}')$$,
	'UF023', 'an appended id is one that JSON readers have exactly');
select pg_temp.refuses($$insert into fundes.event values (1000000, 1, 1000, now(), now(), 10, '{"fund": 1}', 'f0000000-0000-0000-0000-000000000000')$$,
	'UF023', 'a superuser''s insert of what is no event of its type');

select fundes.purchase_mcp(1, 'M0', 'R', 'S', 1) as first \gset
select fundes.append('fund-1', 'McpPurchased', format('{"fund_id": 1, "asset_id": %s, "copyright_code": "%s", "registration_number": "b", "music_id": "c", "price_cash": 1, "acquisition_date": "2023-06-01"}', id, id)::jsonb)
  from unnest(array[:first + 1, :first + 2, 9007199254740991]) id;
select is(array(select fundes.purchase_mcp(1, 'M' || i, 'R', 'S', 1) - :first from generate_series(1, 3) i),
	array[3, 4, 5]::bigint[], 'purchases skip the asset ids that imported events brought');

select pg_temp.refuses($$select fundes.create_fund('x', time_zone => '+09')$$, '22023', 'an offset is no time zone');
select pg_temp.refuses($$select fundes.create_fund('x', time_zone => 'Asia/Seoul9')$$, '22023', 'nor is a rule');
select lives_ok($$select fundes.create_fund('x', time_zone => 'Etc/GMT+9')$$, 'a zone of the database is');
select lives_ok($$select fundes.create_fund('x', time_zone => 'UTC')$$, 'and one without a slash');
select pg_temp.refuses($$select fundes.get_mcp_index('M', 'R', 'S', '5874897-12-31')$$, '22023', 'a date that no timestamp reaches');
select pg_temp.refuses($$select fundes.update_mcp_asset_value(1, '5874897-12-31')$$, '22023', 'the same for a valuation');
select throws_ok($$set fundes.max_quote_age = '-1 day'$$, '22023', null, 'an age is not negative');
select throws_ok($$set fundes.max_quote_age = 'soon'$$, '22023', null, 'an age is an interval');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
