-- purchase_mcp, sell_mcp, record_royalty, accrue_fee, pay_fee.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 08:00');
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Jazz', effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', 1, 1000000, effective_at => '2023-06-01 09:10');
select fundes.create_investment('A', 2, 1000000, effective_at => '2023-06-01 09:10');

-- purchase_mcp
select pg_temp.refuses('select fundes.purchase_mcp(' || arguments || ')', code, 'purchase_mcp: ' || rule)
  from (values
	($$null, 'M1', 'R1', 'S1', 600000$$, '22004', 'fund_id is null'),
	($$1, null, 'R1', 'S1', 600000$$, '22004', 'copyright_code is null'),
	($$1, 'M1', null, 'S1', 600000$$, '22004', 'registration_number is null'),
	($$1, 'M1', 'R1', null, 600000$$, '22004', 'music_id is null'),
	($$1, 'M1', 'R1', 'S1', null$$, '22004', 'price_cash is null'),
	($$1, 'M1', 'R1', 'S1', 0$$, 'UF005', 'price 0'),
	($$1, 'M1', 'R1', 'S1', -1$$, 'UF005', 'price -1'),
	($$1, 'M1', 'R1', 'S1', 'NaN'$$, 'UF005', 'price NaN'),
	($$1, 'M1', 'R1', 'S1', 'Infinity'$$, 'UF005', 'price Infinity'),
	($$1, 'M1', 'R1', 'S1', 10.5$$, 'UF005', 'price with more decimals than the scale'),
	($$1, 'M1', 'R1', 'S1', 1e20$$, '22003', 'price too large'),
	($$1, 'M1', 'R1', 'S1', 600000, -1$$, 'UF005', 'estimated value -1'),
	($$1, 'M1', 'R1', 'S1', 600000, 'NaN'$$, 'UF005', 'estimated value NaN'),
	($$1, 'M1', 'R1', 'S1', 600000, 10.5$$, 'UF005', 'estimated value with more decimals than the scale'),
	($$1, 'M1', 'R1', 'S1', 600000, 1e20$$, '22003', 'estimated value too large'),
	($$1, '', 'R1', 'S1', 600000$$, '22023', 'copyright_code is empty'),
	($$1, 'M1', '', 'S1', 600000$$, '22023', 'registration_number is empty'),
	($$1, 'M1', 'R1', '', 600000$$, '22023', 'music_id is empty'),
	($$1, repeat('x', 256), 'R1', 'S1', 600000$$, '22023', 'copyright_code is too long'),
	($$1, 'M1', repeat('x', 256), 'S1', 600000$$, '22023', 'registration_number is too long'),
	($$1, 'M1', 'R1', repeat('x', 256), 600000$$, '22023', 'music_id is too long'),
	($$1, 'M1', 'R1', 'S1', 600000, acquisition_date => 'infinity'$$, '22023', 'acquisition_date infinity'),
	($$1, 'M1', 'R1', 'S1', 600000, acquisition_date => '2023-06-04', effective_at => '2023-06-02 09:00'$$, '22023', 'acquisition_date two days after the purchase'),
	($$99, 'M1', 'R1', 'S1', 600000$$, 'UF002', 'unknown fund'),
	($$1, 'M1', 'R1', 'S1', 600000, effective_at => now() + interval '1 hour'$$, 'UF020', 'in the future'),
	($$1, 'M1', 'R1', 'S1', 600000, effective_at => '2023-06-01 10:00', expected_version => 9$$, 'UF021', 'expected_version of the fund''s stream'),
	($$1, 'M1', 'R1', 'S1', 1000001, effective_at => '2023-06-01 10:00'$$, 'UF003', 'beyond the cash'),
	($$1, 'M1', 'R1', 'S1', 1000001, effective_at => '2023-06-01 10:00', expected_version => 9$$, 'UF021', 'expected_version before the cash'),
	($$99, '', 'R1', 'S1', -1$$, 'UF005', 'amounts before other arguments'),
	($$99, '', 'R1', 'S1', 1$$, '22023', 'arguments before the fund')) v(arguments, code, rule);

select lives_ok($$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 600000.0, 650000, effective_at => '2023-06-01 10:00')$$, 'a purchase');
select is((select payload from fundes.read_stream('fund-1', backward => true, max_count => 1)),
		  jsonb_build_object('fund_id', 1, 'asset_id', pg_temp.asset('M1'), 'copyright_code', 'M1', 'registration_number', 'R1', 'music_id', 'S1',
							 'price_cash', 600000, 'estimated_value_cash', 650000, 'acquisition_date', '2023-06-01'),
		  'McpPurchased; acquisition_date is the day of effective_at');
select pg_temp.same(
	$$select fund_id, copyright_code, registration_number, music_id, acquisition_date, cost_cash::numeric, value_cash::numeric, unrealised_gain::numeric,
			 royalty_income::numeric, last_price_date, is_stale from fundes.mcp_holding$$,
	$$values (1::bigint, 'M1', 'R1', 'S1', date '2023-06-01', 600000::numeric, 600000::numeric, 0::numeric, 0::numeric, null::date, false)$$,
	'a copyright is carried at cost until it is valued');
select is(pg_temp.figures(1, 'capital_cash', 'asset_value', 'nav', 'accumulated_purchase_value', 'total_assets', 'price_drift'),
		  'capital_cash 400000, asset_value 600000, nav 1000000, accumulated_purchase_value 600000, total_assets 1000000, price_drift 0', 'cash becomes an asset');
select pg_temp.refuses($$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 1, effective_at => '2023-06-01 10:10')$$, 'UF016', 'a copyright that the fund holds');
select pg_temp.refuses($$select fundes.purchase_mcp(2, 'M1', 'R1', 'S1', 1, effective_at => '2023-06-01 10:10')$$, 'UF016', 'one that another fund holds');
select pg_temp.refuses($$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 400001, effective_at => '2023-06-01 10:10')$$, 'UF003', 'the cash comes before that');
select pg_temp.accepts($$select fundes.purchase_mcp(1, 'M1', 'R1', 'S2', 1, effective_at => '2023-06-01 10:10')$$, 'another music_id is another copyright');
select is((select count(*) from fundes.mcp_holding where fund_id = 1), 2::bigint, 'the fund holds both');
select fundes.create_fund('Soul', time_zone => 'UTC', effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', 3, 1000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(3, 'M3', 'R3', 'S3', 500, effective_at => '2023-06-02 08:59');
select fundes.purchase_mcp(3, 'M4', 'R4', 'S4', 100, acquisition_date => '2020-02-29', effective_at => '2023-06-02 09:00');
select fundes.purchase_mcp(3, 'M4b', 'R4', 'S4', 100, acquisition_date => '2023-06-03', effective_at => '2023-06-02 09:00');
select pg_temp.same($$select copyright_code, acquisition_date from fundes.mcp_holding where fund_id = 3 order by 1$$,
				  $$values ('M3', date '2023-06-01'), ('M4', '2020-02-29'), ('M4b', '2023-06-03')$$, 'acquisition_date is the day in the fund''s zone, or what is given');

-- sell_mcp
create function pg_temp.sale(arguments text) returns text
language sql as $$ select 'select fundes.sell_mcp(' || replace(arguments, 'M1', 'pg_temp.asset(''M1b'')') || ')' $$;
select fundes.purchase_mcp(1, 'M1b', 'R1', 'S1', 300000, effective_at => '2023-06-02 09:00');
select pg_temp.refuses(pg_temp.sale(arguments), code, 'sell_mcp: ' || rule)
  from (values
	('null, M1, 1', '22004', 'fund_id is null'),
	('1, null, 1', '22004', 'asset_id is null'),
	('1, M1, null', '22004', 'price_cash is null'),
	('1, M1, -1', 'UF005', 'price -1'),
	($$1, M1, 'NaN'$$, 'UF005', 'price NaN'),
	($$1, M1, 'Infinity'$$, 'UF005', 'price Infinity'),
	('1, M1, 10.5', 'UF005', 'price with more decimals than the scale'),
	('1, M1, 1e20', '22003', 'price too large'),
	('99, M1, 1', 'UF002', 'unknown fund'),
	('1, 0, 1', 'UF007', 'asset 0'),
	('1, 9223372036854775807, 1', 'UF007', 'unknown asset'),
	('2, M1, 1', 'UF007', 'another fund''s copyright'),
	($$1, M1, 1, effective_at => now() + interval '1 hour'$$, 'UF020', 'in the future'),
	($$1, M1, 1, effective_at => '2023-06-02 10:00', expected_version => 0$$, 'UF021', 'expected_version of the fund''s stream'),
	('99, M1, -1', 'UF005', 'amounts before the fund'),
	($$1, 0, 1, effective_at => now() + interval '1 hour'$$, 'UF007', 'what before time')) v(arguments, code, rule);
select is(fundes.sell_mcp(1, pg_temp.asset('M1b'), 250000, effective_at => '2023-06-02 10:00'), -50000::numeric, 'a loss is a negative gain');
select is(pg_temp.figures(1, 'capital_cash', 'asset_value', 'accumulated_sold_value', 'realised_gain', 'unrealised_gain'),
		  'capital_cash 349999, asset_value 600001, accumulated_sold_value 250000, realised_gain -50000, unrealised_gain 0', 'an asset becomes cash');
select pg_temp.refuses(pg_temp.sale('1, M1, 1'), 'UF007', 'a copyright that is sold');
select pg_temp.books_balance('the books balance after a loss');
select is((select count(*) from fundes.mcp_holding where copyright_code = 'M1b'), 0::bigint, 'it is no holding any more');
select pg_temp.asset('M1b') as sold \gset
select fundes.purchase_mcp(2, 'M1b', 'R1', 'S1', 10, effective_at => '2023-06-02 11:00') as bought \gset
select ok(:bought <> :sold, 'bought again after a sale, by another fund, it has a new asset_id');
select is(fundes.sell_mcp(2, :bought, 0, effective_at => '2023-06-02 12:00'), -10::numeric, 'a sale at 0 is allowed');
select is(fundes.compute_fund_value(2), 10::numeric, 'compute_fund_value is purchases less sales');

-- record_royalty
select pg_temp.refuses('select fundes.record_royalty(' || replace(arguments, 'M1', 'pg_temp.asset(''M1'')') || ')', code, 'record_royalty: ' || rule)
  from (values
	('null, M1, 1', '22004', 'fund_id is null'),
	('1, null, 1', '22004', 'asset_id is null'),
	('1, M1, null', '22004', 'amount is null'),
	('1, M1, 0', 'UF005', 'amount 0'),
	('1, M1, -1', 'UF005', 'amount -1'),
	($$1, M1, 'NaN'$$, 'UF005', 'amount NaN'),
	($$1, M1, '-Infinity'$$, 'UF005', 'amount -Infinity'),
	('1, M1, 0.1', 'UF005', 'amount with more decimals than the scale'),
	('1, M1, 1e20', '22003', 'amount too large'),
	('1, M1, 99999999999999999999', '22003', 'a sum of cash that is too large'),
	($$1, M1, 1, 'infinity'$$, '22023', 'period infinity'),
	('99, M1, 1', 'UF002', 'unknown fund'),
	('1, 0, 1', 'UF007', 'unknown asset'),
	('2, M1, 1', 'UF007', 'a copyright that the fund never held'),
	($$1, M1, 1, effective_at => now() + interval '1 hour'$$, 'UF020', 'in the future'),
	('1, M1, 1, expected_version => 0', 'UF021', 'expected_version of the fund''s stream')) v(arguments, code, rule);
select fundes.record_royalty(1, pg_temp.asset('M1'), 700, '2023-05-01', effective_at => '2023-06-03 09:00') as event_id \gset
select is((select payload from fundes.event_log where event_id = :'event_id'),
		  jsonb_build_object('fund_id', 1, 'asset_id', pg_temp.asset('M1'), 'amount', 700, 'period', '2023-05-01'), 'record_royalty returns the id of RoyaltyReceived');
select is(pg_temp.figures(1, 'capital_cash', 'royalty_income', 'asset_value'), 'capital_cash 350699, royalty_income 700, asset_value 600001', 'a royalty is cash');
select is((select royalty_income::numeric from fundes.mcp_holding where asset_id = pg_temp.asset('M1')), 700::numeric, 'and stands with its copyright');
select pg_temp.same($$select yield, price_age from fundes.mcp_holding where asset_id = pg_temp.asset('M1')$$,
	$$values (700.000000, null::integer)$$, 'which has a yield on its cost, and no price yet');
select pg_temp.accepts(format('select fundes.record_royalty(1, %s, 5, effective_at => ''2023-06-03 10:00'')', :sold), 'a royalty may come after the sale');
select pg_temp.refuses(format('select fundes.record_royalty(1, %s, 5, effective_at => ''2023-06-03 10:00'')', :bought), 'UF007', 'not for what another fund bought later');

-- accrue_fee, pay_fee
select pg_temp.refuses(format('select fundes.%s(%s)', command, arguments), code, command || ': ' || rule)
  from unnest(array['accrue_fee', 'pay_fee']) command,
	   (values
		('null, 1', '22004', 'fund_id is null'),
		('1, null', '22004', 'amount is null'),
		('1, 1, null', '22004', 'kind is null'),
		('1, 0', 'UF005', 'amount 0'),
		('1, -1', 'UF005', 'amount -1'),
		($$1, 'NaN'$$, 'UF005', 'amount NaN'),
		($$1, 'Infinity'$$, 'UF005', 'amount Infinity'),
		('1, 0.5', 'UF005', 'amount with more decimals than the scale'),
		('1, 1e20', '22003', 'amount too large'),
		($$1, 1, ''$$, '22023', 'kind is empty'),
		($$1, 1, repeat('x', 256)$$, '22023', 'kind is too long'),
		('99, 1', 'UF002', 'unknown fund'),
		($$1, 1, effective_at => now() + interval '1 hour'$$, 'UF020', 'in the future'),
		('1, 1, expected_version => 0', 'UF021', 'expected_version of the fund''s stream'),
		('1, 99999999, expected_version => 0', 'UF021', 'expected_version before the cash'),
		('1, 99999999', 'UF003', 'beyond the cash'),
		($$99, -1, ''$$, 'UF005', 'amounts before the rest'),
		($$99, 1, ''$$, '22023', 'kind before the fund')) v(arguments, code, rule);
select fundes.accrue_fee(1, 1000, effective_at => '2023-06-04 09:00') as event_id \gset
select is((select payload from fundes.event_log where event_id = :'event_id'), '{"fund_id": 1, "amount": 1000, "kind": "management"}'::jsonb,
		  'accrue_fee returns the id of FeeAccrued');
select fundes.accrue_fee(1, 200, 'audit', effective_at => '2023-06-04 10:00');
select is(pg_temp.figures(1, 'capital_cash', 'liabilities', 'fee_expense', 'nav'), 'capital_cash 350704, liabilities 1200, fee_expense 1200, nav 949505', 'a fee is owed');
select pg_temp.refuses($$select fundes.pay_fee(1, 201, 'audit', effective_at => '2023-06-04 11:00')$$, 'UF003', 'pay_fee beyond what is accrued of that kind');
select pg_temp.refuses($$select fundes.pay_fee(1, 1, 'custody', effective_at => '2023-06-04 11:00')$$, 'UF003', 'pay_fee of a kind that was never accrued');
select fundes.pay_fee(1, 200, 'audit', effective_at => '2023-06-04 11:00') as event_id \gset
select is((select payload from fundes.event_log where event_id = :'event_id'), '{"fund_id": 1, "amount": 200, "kind": "audit"}'::jsonb, 'pay_fee returns the id of FeePaid');
select is(pg_temp.figures(1, 'capital_cash', 'liabilities', 'fee_expense', 'nav'), 'capital_cash 350504, liabilities 1000, fee_expense 1200, nav 949505', 'and paid');
select pg_temp.refuses($$select fundes.pay_fee(1, 1, 'audit', effective_at => '2023-06-04 12:00')$$, 'UF003', 'pay_fee when all is paid');
select pg_temp.refuses($$select fundes.accrue_fee(1, 349505, effective_at => '2023-06-04 12:00')$$, 'UF003', 'accrue_fee beyond cash less liabilities');
select pg_temp.refuses($$select fundes.purchase_mcp(1, 'M9', 'R9', 'S9', 349505, effective_at => '2023-06-04 12:00')$$, 'UF003', 'a purchase beyond cash less liabilities');
select pg_temp.accepts($$select fundes.purchase_mcp(1, 'M9', 'R9', 'S9', 349000, effective_at => '2023-06-04 12:00')$$, 'a purchase within it');
select pg_temp.accepts($$select fundes.accrue_fee(1, 504, effective_at => '2023-06-04 12:00')$$, 'a fee of all that is left');
select is(pg_temp.figures(1, 'capital_cash', 'liabilities'), 'capital_cash 1504, liabilities 1504', 'all cash is owed');
select pg_temp.books_balance('the books balance');
select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');

select * from finish();
rollback;
