-- update_mcp_asset_value: what a day is worth, revisions, stale prices.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(id, id, effective_at => '2023-05-01') from unnest(array['A', 'B']) id;

-- One row of update_mcp_asset_value as words.
create function pg_temp.valued(fund bigint, day date, at timestamptz, extra text default '') returns text
language plpgsql as $$
declare
	r text;
begin
	execute format('select string_agg(format(''%%s %%s %%s: asset %%s, cash %%s, nav %%s, supply %%s, price %%s, stale %%s'', fund_id, valuation_date, status,'
				   ' trim_scale(asset_value::numeric), trim_scale(capital_cash::numeric), trim_scale(nav::numeric), trim_scale(total_supply::numeric),'
				   ' trim_scale(base_price::numeric), stale_count), ''; '') from fundes.update_mcp_asset_value(%s, %L, effective_at => %L%s)',
				   coalesce(fund::text, 'null'), day, at, extra) into r;
	return r;
end
$$;
create function pg_temp.quote(code text, day date, price numeric) returns void
language sql as $$ select fundes.record_mcp_price(code, 'R', 'S', day, price) $$;

-- A day and what comes after it.
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(:f, 'M1', 'R', 'S', 50000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(:f, 'M2', 'R', 'S', 20000, effective_at => '2023-06-01 10:00');
select fundes.accrue_fee(:f, 100, effective_at => '2023-06-01 23:59:59.999999');
select fundes.record_royalty(:f, pg_temp.asset('M1'), 50, effective_at => '2023-06-02 00:00');
select fundes.create_investment('B', :f, 10000, effective_at => '2023-06-02 09:00');
select fundes.purchase_mcp(:f, 'M3', 'R', 'S', 8000, effective_at => '2023-06-02 09:10');
select fundes.sell_mcp(:f, pg_temp.asset('M2'), 21000, effective_at => '2023-06-02 09:20');
select fundes.pay_fee(:f, 100, effective_at => '2023-06-02 09:30');
select pg_temp.quote('M1', '2023-06-01', 50999.5), pg_temp.quote('M2', '2023-06-01', 20500.4999), pg_temp.quote('M3', '2023-06-01', 9000);

select pg_temp.refuses('select * from fundes.update_mcp_asset_value(' || arguments || ')', code, 'update_mcp_asset_value: ' || rule)
  from (values
	($$99, '2023-06-01'$$, 'UF002', 'unknown fund'),
	($$1, '2023-06-02', effective_at => '2023-06-02 23:59:59.999999'$$, 'UF020', 'a day that has not ended'),
	($$1, '2023-06-09', effective_at => '2023-06-03 00:00'$$, 'UF020', 'a day that has not come'),
	($$1, '2023-06-01', effective_at => now() + interval '1 hour'$$, 'UF020', 'effective_at in the future'),
	($$1, '2023-05-31', effective_at => '2023-06-03 00:00'$$, '22023', 'a day before the fund was created'),
	($$1, 'infinity'$$, '22023', 'infinity'),
	($$1, '-infinity'$$, '22023', '-infinity'),
	($$1, '2023-06-01', effective_at => 'infinity'$$, '22023', 'effective_at infinity'),
	($$1, '2023-06-01', metadata => '[]'$$, '22023', 'metadata is no object'),
	($$event_id => gen_random_uuid()$$, '22023', 'event_id without fund_id'),
	($$expected_version => 1$$, '22023', 'expected_version without fund_id'),
	($$1, '2023-06-01', effective_at => '2023-06-03 00:00', expected_version => 1$$, 'UF021', 'expected_version of the fund''s stream')) v(arguments, code, rule);

select is(pg_temp.valued(:f, '2023-06-01', '2023-06-02 10:00'),
		  '1 2023-06-01 valued: asset 71500, cash 30000, nav 101400, supply 100, price 1014, stale 0',
		  'the figures are those of the end of the day, also when the job runs after deals of the next');
select is(pg_temp.figures(:f, 'capital_cash', 'asset_value', 'liabilities', 'nav', 'total_supply', 'base_price'),
		  'capital_cash 52950, asset_value 59000, liabilities 0, nav 111950, total_supply 110, base_price 1014',
		  'the fund: new values of what is still held, cost of what came later, and the day''s price');
select pg_temp.same($$select copyright_code, value_cash::numeric, last_price_date, is_stale from fundes.mcp_holding order by 1$$,
				  $$values ('M1', 51000::numeric, date '2023-06-01', false), ('M3', 8000, null, false)$$, 'a quote is rounded half up at cash_scale when it is used');
select is((select payload - 'sources' from fundes.read_stream('fund-1', backward => true, max_count => 1)),
		  jsonb_build_object('fund_id', 1, 'valuation_date', '2023-06-01', 'revision', (select revision from fundes.nav_history),
			'values', jsonb_build_object(pg_temp.asset('M1')::text, 51000, pg_temp.asset('M2')::text, 20500), 'stale', '[]'::jsonb,
			'asset_value', 71500, 'capital_cash', 30000, 'liabilities', 100, 'nav', 101400, 'total_supply', 100, 'base_price', 1014,
			'as_of', '2023-06-01T15:00:00+00:00', 'struck', true),
		  'FundValued states every figure');
select is((select effective_at from fundes.read_stream('fund-1', backward => true, max_count => 1)), '2023-06-02 10:00'::timestamptz, 'at effective_at');
select is((select last_valuation_date from fundes.fund_sheet), '2023-06-01'::date, 'last_valuation_date');
select pg_temp.books_balance('the books balance');
select is(pg_temp.valued(:f, '2023-06-01', '2023-06-02 11:00'),
		  '1 2023-06-01 unchanged: asset 71500, cash 30000, nav 101400, supply 100, price 1014, stale 0', 'the same inputs again: unchanged');
select pg_temp.writes_nothing($$select * from fundes.update_mcp_asset_value(1, '2023-06-01', effective_at => '2023-06-02 11:00')$$, 'and nothing is written');

-- Deals after it do not change the day.
select fundes.withdraw_investment('A', :f, 10, effective_at => '2023-06-02 12:00');
select is(pg_temp.valued(:f, '2023-06-01', '2023-06-02 13:00'),
		  '1 2023-06-01 unchanged: asset 71500, cash 30000, nav 101400, supply 100, price 1014, stale 0', 'deals after the day''s end do not change its figures');

-- Other inputs for the same day: a new revision.
select pg_temp.quote('M1', '2023-06-01', 52000);
select is(pg_temp.valued(:f, '2023-06-01', '2023-06-02 14:00'),
		  '1 2023-06-01 revised: asset 72500, cash 30000, nav 102400, supply 100, price 1024, stale 0', 'another price for the day: revised');
select pg_temp.same($$select revision - first_value(revision) over (order by revision), is_current, base_price::numeric, nav::numeric from fundes.nav_history order by revision$$,
				  $$values (0, false, 1014::numeric, 101400::numeric), (1, true, 1024, 102400)$$, 'nav_history keeps both');
select is((select (payload ->> 'unit_price')::numeric from fundes.read_stream('holding-1-A', 2)), 1014::numeric, 'a price that an investor has dealt at stays on record');
select is(pg_temp.figures(:f, 'base_price', 'asset_value'), 'base_price 1024, asset_value 60000', 'the fund has the new price');

-- Yesterday is relative to effective_at, in the fund's zone.
select is(pg_temp.valued(:f, null, '2023-06-03 00:00'),
		  '1 2023-06-02 valued: asset 61000, cash 42810, nav 103810, supply 100, price 1038.1, stale 0', 'the default is the day that ended at the midnight');
select is(split_part(pg_temp.valued(:f, null, '2023-06-03 23:59:59'), ':', 1), '1 2023-06-02 unchanged', 'all day long');

-- Stale.
select fundes.create_fund('Jazz', effective_at => '2023-06-01 09:00') as g \gset
select fundes.create_investment('A', :g, 100000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(:g, 'J1', 'R', 'S', 50000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(:g, 'J2', 'R', 'S', 20000, effective_at => '2023-06-01 10:00');
select pg_temp.quote('J1', '2023-05-02', 60000), pg_temp.quote('J2', '2023-05-01', 30000);
select is(pg_temp.valued(:g, '2023-06-01', '2023-06-02 00:00'),
		  '2 2023-06-01 valued: asset 80000, cash 30000, nav 110000, supply 100, price 1100, stale 1',
		  'a quote of exactly 30 days counts; an older one does not, and cost is carried');
select pg_temp.same($$select copyright_code, value_cash::numeric, last_price_date, is_stale from fundes.mcp_holding where fund_id = 2 order by 1$$,
				  $$values ('J1', 60000::numeric, date '2023-05-02', false), ('J2', 20000, null, true)$$, 'and is flagged');
select is((select payload -> 'stale' from fundes.read_stream('fund-2', backward => true, max_count => 1)), jsonb_build_array(pg_temp.asset('J2')), 'and listed');
select is(pg_temp.valued(:g, '2023-06-02', '2023-06-03 00:00'),
		  '2 2023-06-02 valued: asset 80000, cash 30000, nav 110000, supply 100, price 1100, stale 2', 'without a quote the last value is carried');
select pg_temp.quote('J2', '2023-06-02', 20000);
select is(pg_temp.valued(:g, '2023-06-02', '2023-06-03 01:00'),
		  '2 2023-06-02 revised: asset 80000, cash 30000, nav 110000, supply 100, price 1100, stale 1', 'equal values with another stale list are revised');
select is((select is_stale from fundes.mcp_holding where copyright_code = 'J2'), false, 'a price ends the staleness');

-- An older day makes a revision only.
set local fundes.max_quote_age = '0';
select pg_temp.quote('J1', '2023-06-04', 70000), pg_temp.quote('J2', '2023-06-04', 21000);
select is(pg_temp.valued(:g, '2023-06-04', '2023-06-05 00:00'),
		  '2 2023-06-04 valued: asset 91000, cash 30000, nav 121000, supply 100, price 1210, stale 0', 'a later day');
select is(pg_temp.valued(:g, '2023-06-03', '2023-06-05 01:00'),
		  '2 2023-06-03 valued: asset 80000, cash 30000, nav 110000, supply 100, price 1100, stale 2', 'an older day carries the values as of that day');
select pg_temp.quote('J1', '2023-06-01', 55000), pg_temp.quote('J2', '2023-06-01', 25000);
select is(pg_temp.valued(:g, '2023-06-01', '2023-06-05 02:00'),
		  '2 2023-06-01 revised: asset 80000, cash 30000, nav 110000, supply 100, price 1100, stale 0', 'an older day is revised');
select is(pg_temp.figures(:g, 'base_price', 'asset_value', 'nav'), 'base_price 1210, asset_value 91000, nav 121000', 'current figures stay');
select pg_temp.same($$select copyright_code, value_cash::numeric, last_price_date, is_stale from fundes.mcp_holding where fund_id = 2 order by 1$$,
				  $$values ('J1', 70000::numeric, date '2023-06-04', false), ('J2', 21000, '2023-06-04', false)$$, 'those of the copyrights too');
select is((select last_valuation_date from fundes.fund_sheet where fund_id = 2), '2023-06-04'::date, 'and last_valuation_date');
select pg_temp.same($$select valuation_date, base_price::numeric from fundes.nav_history where fund_id = 2 and is_current order by 1$$,
				  $$values (date '2023-06-01', 1100::numeric), ('2023-06-02', 1100), ('2023-06-03', 1100), ('2023-06-04', 1210)$$, 'nav_history has one current row a day');
reset fundes.max_quote_age;

-- No copyrights, no units.
select fundes.create_fund('Empty', 500, effective_at => '2023-06-01 09:00') as e \gset
select is(pg_temp.valued(:e, '2023-06-01', '2023-06-02 00:00'), '3 2023-06-01 valued: asset 0, cash 0, nav 0, supply 0, price 500, stale 0', 'a fund that has nothing has its initial price');
select fundes.create_investment('A', :e, 100000, effective_at => '2023-06-02 09:00');
select fundes.purchase_mcp(:e, 'E1', 'R', 'S', 50000, effective_at => '2023-06-02 09:10');
select pg_temp.quote('E1', '2023-06-02', 60000);
select is(pg_temp.valued(:e, '2023-06-02', '2023-06-03 00:00'), '3 2023-06-02 valued: asset 60000, cash 50000, nav 110000, supply 200, price 550, stale 0', 'then a price');
select fundes.sell_mcp(:e, pg_temp.asset('E1'), 60000, effective_at => '2023-06-03 09:00');
select fundes.withdraw_investment('A', :e, 200, effective_at => '2023-06-03 09:10');
select is(pg_temp.valued(:e, '2023-06-03', '2023-06-04 00:00'), '3 2023-06-03 valued: asset 0, cash 0, nav 0, supply 0, price 500, stale 0', 'no units and NAV 0: initial_price');
select fundes.create_fund('Left', 500, effective_at => '2023-06-01 09:00') as l \gset
select fundes.create_investment('A', :l, 100000, effective_at => '2023-06-02 09:00');
select fundes.purchase_mcp(:l, 'L1', 'R', 'S', 50000, effective_at => '2023-06-02 09:10');
select pg_temp.quote('L1', '2023-06-02', 60000);
select pg_temp.valued(:l, '2023-06-02', '2023-06-03 00:00');
select fundes.sell_mcp(:l, pg_temp.asset('L1'), 60000, effective_at => '2023-06-03 09:00');
select fundes.withdraw_investment('A', :l, 200, effective_at => '2023-06-03 09:10');
select fundes.record_royalty(:l, pg_temp.asset('L1'), 7, effective_at => '2023-06-03 09:20');
select is(pg_temp.valued(:l, '2023-06-03', '2023-06-04 00:00'), '4 2023-06-03 valued: asset 0, cash 7, nav 7, supply 0, price 550, stale 0', 'no units and a residue: the price stays');

-- Days of another zone.
select fundes.create_fund('Soul', time_zone => 'America/New_York', effective_at => '2023-06-10 00:00-04') as s \gset
select pg_temp.refuses(format($$select * from fundes.update_mcp_asset_value(%s, '2023-06-10', effective_at => '2023-06-10 23:59:59-04')$$, :s), 'UF020', 'a day ends in the fund''s zone');
select is(split_part(pg_temp.valued(:s, '2023-06-10', '2023-06-11 00:00-04'), ':', 1), :s || ' 2023-06-10 valued', 'at its midnight');
select is(split_part(pg_temp.valued(:s, null, '2023-06-11 23:59:59-04'), ':', 1), :s || ' 2023-06-10 unchanged', 'and yesterday is counted there');

-- What happens at the midnight belongs to the day that begins.
select fundes.create_fund('Midnight', effective_at => '2023-06-01 09:00') as m \gset
select fundes.create_investment('A', :m, 100000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(:m, 'N1', 'R', 'S', 50000, effective_at => '2023-06-01 23:59:59.999999');
select fundes.sell_mcp(:m, pg_temp.asset('N1'), 51000, effective_at => '2023-06-02 00:00');
select fundes.purchase_mcp(:m, 'N2', 'R', 'S', 10000, effective_at => '2023-06-02 00:00');
select is(pg_temp.valued(:m, '2023-06-01', '2023-06-02 00:00'),
		  :m || ' 2023-06-01 valued: asset 50000, cash 50000, nav 100000, supply 100, price 1000, stale 1', 'what is bought or sold at the midnight belongs to the day that begins');
select is(pg_temp.figures(:m, 'capital_cash', 'asset_value', 'nav'), 'capital_cash 91000, asset_value 10000, nav 101000', 'and the fund has it');

-- All funds: one that has a closed period, and one (5) that was not there yet.
select fundes.create_fund('Closed', effective_at => '2023-06-01 09:00') as closed \gset
select fundes.close_period(:closed, '2023-06-05', effective_at => '2023-06-06 09:00');
create temporary table everyone as
select row_number() over () as n, r.* from fundes.update_mcp_asset_value(valuation_date => '2023-06-05', effective_at => '2023-06-12 12:00+09') r;
select pg_temp.same($$select fund_id, case when status like 'error: %' then left(status, 12) else status end from everyone order by n$$,
	$$values (1::bigint, 'valued'), (2, 'valued'), (3, 'valued'), (4, 'valued'), (6, 'valued'), (7, 'error: UF011')$$, 'a row a fund that there was, ascending; an error is the fund''s status, the others go on');
select ok((select status from everyone where fund_id = 7) ~ '^error: UF011 \S', 'error: CODE message');
select is((select count(*) from fundes.event_log where type = 'FundValued' and payload ->> 'valuation_date' = '2023-06-05'), 5::bigint, 'an event for each that was valued');
select is((select string_agg(distinct status, ' ') from fundes.update_mcp_asset_value(valuation_date => '2023-06-05', effective_at => '2023-06-12 12:00+09') where fund_id <> 7), 'unchanged',
		  'again: unchanged');
select is((select string_agg(fund_id || ' ' || valuation_date, ', ' order by fund_id) from fundes.update_mcp_asset_value(effective_at => '2023-06-12 12:00+09')),
		  '1 2023-06-11, 2 2023-06-11, 3 2023-06-11, 4 2023-06-11, 5 2023-06-10, 6 2023-06-11, 7 2023-06-11', 'yesterday is that of each fund''s zone');

-- An event_id is used by an event only.
select pg_temp.valued(:f, '2023-06-12', '2023-06-13 00:00');
select is(pg_temp.valued(:f, '2023-06-12', '2023-06-13 01:00', $$, event_id => '40000000-0000-4000-8000-000000000001'$$),
		  pg_temp.valued(:f, '2023-06-12', '2023-06-13 01:00'), 'unchanged with an event_id');
select is((select count(*) from fundes.event_log where event_id = '40000000-0000-4000-8000-000000000001'), 0::bigint, 'uses it not');
select pg_temp.quote('M1', '2023-06-12', 77000);
select is(split_part(pg_temp.valued(:f, '2023-06-12', '2023-06-13 01:00', $$, event_id => '40000000-0000-4000-8000-000000000001'$$), ':', 1), '1 2023-06-12 revised', 'it may be used later');
select pg_temp.quote('M1', '2023-06-12', 78000);
select is(split_part(pg_temp.valued(:f, '2023-06-12', '2023-06-13 01:00', $$, event_id => '40000000-0000-4000-8000-000000000001'$$), ':', 1), '1 2023-06-12 revised',
		  'and then returns its first result, whatever the quotes are by now');
select is((select value_cash::numeric from fundes.mcp_holding where copyright_code = 'M1'), 77000::numeric, 'with nothing written');

select pg_temp.books_balance('the books balance');
select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
