-- Funds without units: what was left is swept, and the fund starts anew. What is
-- recorded late must leave that as it was: no units, nothing in the fund.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(id, id, effective_at => '2023-01-01 09:00') from unnest(array['A', 'B', 'C']) id;
create function pg_temp.id(n integer) returns uuid
language sql as $$ select ('86000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
-- A's 1000 units, a NAV of 1500000
create function pg_temp.rich_fund(song text) returns bigint
language plpgsql as $$
declare
	fund bigint := fundes.create_fund(song, effective_at => '2024-01-01 09:00');
begin
	perform fundes.set_price_limits(fund, null, null, effective_at => '2024-01-01 09:00');
	perform fundes.create_investment('A', fund, 1000000, effective_at => '2024-01-01 10:00');
	perform fundes.purchase_mcp(fund, song, 'R', 'S', 500000, effective_at => '2024-01-02 11:00');
	perform fundes.sell_mcp(fund, pg_temp.asset(song), 1000000, effective_at => '2024-01-02 12:00');
	return fund;
end
$$;
create function pg_temp.path(fund bigint, variadic moments timestamptz[]) returns text
language sql as $$
	select string_agg(concat_ws(' ', trim_scale(nav), trim_scale(total_supply), trim_scale(base_price)), ', ' order by n)
	  from unnest(moments) with ordinality m(at, n), fundes.fund_state_at(fund, at)
$$;

-- Swept when nobody had units.
select pg_temp.rich_fund('T1') as f \gset
select event_id as out from fundes.withdraw_investment('A', :f, 1000, effective_at => '2024-01-03 10:00') \gset
select fundes.sweep_residual(:f, 'trustee', effective_at => '2024-01-05 10:00', event_id => pg_temp.id(1));
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => %L)', :'out', at), 'UF014', 'a withdrawal, before a sweep: ' || at)
  from unnest(array['2024-01-03 10:00', '2024-01-04 10:00', '2024-01-05 09:59:59.999999']) at;
select pg_temp.refuses(format('select fundes.create_investment(''B'', %s, 5000, effective_at => %L)', :f, at), 'UF017', 'units that would be there at the sweep: ' || at)
  from unnest(array['2024-01-01 12:00', '2024-01-03 09:59:59.999999']) at;
select pg_temp.accepts(format('select fundes.record_royalty(%s, %s, 70, effective_at => ''2024-01-04 10:00'')', :f, pg_temp.asset('T1')), 'a royalty before it, which stays');
savepoint swept;
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-05 10:00'')', :'out'), 'the withdrawal, after the sweep');
rollback to swept;
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-05 10:00'')', pg_temp.id(1)), 'the sweep');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-03 10:00'')', :'out'), 'and then the withdrawal, each at its own moment');
select is(pg_temp.path(:f, '2024-01-03', '2024-01-03 10:00', '2024-01-05 10:00'), '1500000 1000 1000, 1500000 1000 1000, 1500070 1000 1000', 'as if neither had been');
select pg_temp.books_balance('the books balance');

-- Units at the initial price, where there was nothing.
select pg_temp.rich_fund('T2') as f \gset
select event_id as out from fundes.withdraw_investment('A', :f, 1000, effective_at => '2024-01-03 10:00') \gset
select fundes.sweep_residual(:f, 'trustee', effective_at => '2024-01-04 10:00', event_id => pg_temp.id(2));
select event_id as in_anew from fundes.create_investment('B', :f, 100000, effective_at => '2024-01-05 10:00') \gset
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => %L)', pg_temp.id(2), at), 'UF014', 'the sweep, before somebody paid in: ' || at)
  from unnest(array['2024-01-04 10:00', '2024-01-04 11:00', '2024-01-05 09:59:59.999999']) at;
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2024-01-04 12:00'')', :'out'), 'UF014', 'the withdrawal, after the sweep and before the pay-in');
select pg_temp.refuses(format('select fundes.create_investment(''C'', %s, 5000, effective_at => ''2024-01-02 13:00'')', :f), 'UF017', 'units from before');
select pg_temp.refuses(format('select fundes.record_royalty(%s, %s, 70, effective_at => %L)', :f, pg_temp.asset('T2'), at), 'UF017', 'a royalty that would fall to the newcomer: ' || at)
  from unnest(array['2024-01-03 12:00', '2024-01-05 09:59:59.999999']) at;
select is((pg_temp.attempt(format('select fundes.record_royalty(%s, %s, 70, effective_at => ''2024-01-03 12:00'')', :f, pg_temp.asset('T2')))).detail,
	format('Fund %s was empty at 2024-01-05 10:00:00+09, when units were issued anew.', :f), 'which is said');
select pg_temp.accepts(format('select fundes.record_royalty(%s, %s, 70, effective_at => ''2024-01-05 10:00'')', :f, pg_temp.asset('T2')), 'a royalty after it');
select pg_temp.accepts(format('select fundes.create_investment(''C'', %s, 5000, effective_at => ''2024-01-05 11:00'')', :f), 'and more units');
savepoint anew;
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-05 11:30'')', pg_temp.id(2)), 'the sweep, from then on');
rollback to anew;
select fundes.reverse_event(event_id, effective_at => effective_at) from fundes.event_log where stream = 'holding-' || :f || '-C';
select fundes.reverse_event(event_id, effective_at => effective_at) from fundes.event_log where stream = 'fund-' || :f and type = 'RoyaltyReceived';
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-05 10:00'')', :'in_anew'), 'the pay-in, at its own moment');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-04 10:00'')', pg_temp.id(2)), 'and then the sweep');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-03 10:00'')', :'out'), 'and the withdrawal');
select is(pg_temp.path(:f, '2024-01-03 10:00', '2024-01-04 10:00', '2024-01-05 12:00'), '1500000 1000 1000, 1500000 1000 1000, 1500000 1000 1000', 'as if none had been');
select pg_temp.books_balance('the books balance');

-- What is worth nothing, or owed in full, is nothing as well.
select fundes.create_fund('Worthless', effective_at => '2024-01-01 09:00') as f \gset
select fundes.set_price_limits(:f, null, null, effective_at => '2024-01-01 09:00');
select fundes.create_investment('A', :f, 1000000, effective_at => '2024-01-01 10:00');
select fundes.purchase_mcp(:f, 'T3', 'R', 'S', 500000, effective_at => '2024-01-01 11:00', event_id => pg_temp.id(3)) as t3 \gset
select fundes.accrue_fee(:f, 100000, effective_at => '2024-01-01 12:00', event_id => pg_temp.id(4));
select fundes.record_mcp_price('T3', 'R', 'S', '2024-01-01', 0);
select fundes.update_mcp_asset_value(:f, '2024-01-01', effective_at => '2024-01-02 00:00');
select fundes.withdraw_investment('A', :f, 1000, effective_at => '2024-01-02 10:00');
select fundes.create_investment('B', :f, 100000, effective_at => '2024-01-03 10:00');
select is(pg_temp.path(:f, '2024-01-02 00:00', '2024-01-02 10:00', '2024-01-03 10:00'), '400000 1000 400, 0 0 400, 100000 100 1000', 'all that was left is owed');
select pg_temp.refuses(command, code, rule)
  from (values
	(format('select fundes.reverse_event(%L, effective_at => ''2024-01-02 12:00'')', pg_temp.id(4)), 'UF014', 'a fee that is owed then'),
	(format('select fundes.reverse_event(%L, effective_at => ''2024-01-02 12:00'')', pg_temp.id(3)), 'UF014', 'a purchase of what is worth nothing then'),
	(format('select fundes.sell_mcp(%s, %s, 1, effective_at => ''2024-01-02 12:00'')', :f, :t3), 'UF017', 'a sale of it')) v(command, code, rule);
select pg_temp.accepts(format('select fundes.pay_fee(%s, 60000, effective_at => ''2024-01-02 12:00'')', :f), 'the fee may be paid then');
select pg_temp.accepts(format('select fundes.sell_mcp(%s, %s, 0, effective_at => ''2024-01-02 12:00'')', :f, :t3), 'and the copyright be given away');
select pg_temp.books_balance('the books balance');

-- In a fund of cash only nothing is struck anew: one price from the beginning.
select fundes.create_fund('Cash', effective_at => '2024-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2024-01-01 10:00');
select event_id as out from fundes.withdraw_investment('A', :f, 100, effective_at => '2024-01-03 10:00') \gset
select fundes.create_investment('B', :f, 5000, effective_at => '2024-01-05 10:00');
select pg_temp.accepts(format('select fundes.create_investment(''C'', %s, 5000, effective_at => ''2024-01-02 10:00'')', :f), 'units from before');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2024-01-03 10:00'')', :'out'), 'the withdrawal');
select is(pg_temp.path(:f, '2024-01-02 10:00', '2024-01-05 10:00'), '105000 105 1000, 110000 110 1000', 'all at one price');

-- A day before the fund started anew is valued late: for history only.
select fundes.create_fund('Late', effective_at => '2023-12-31 09:00') as f \gset
select fundes.create_investment('A', :f, 1000000, effective_at => '2024-01-01 10:00');
select fundes.purchase_mcp(:f, 'T5', 'R', 'S', 1000000, effective_at => '2024-01-01 11:00') as t5 \gset
select fundes.record_mcp_price('T5', 'R', 'S', '2024-01-01', 500000);
select fundes.update_mcp_asset_value(:f, '2024-01-01', effective_at => '2024-01-02 00:00');
select fundes.sell_mcp(:f, :t5, 500000, effective_at => '2024-01-02 09:00');
select fundes.withdraw_investment('A', :f, 1000, effective_at => '2024-01-02 10:00');
select fundes.create_investment('B', :f, 1000000, effective_at => '2024-01-03 10:00', event_id => pg_temp.id(5));
select fundes.record_mcp_price('T5', 'R', 'S', '2024-01-01', 400000);
savepoint late;
select is((select concat_ws(' ', trim_scale(nav::numeric), trim_scale(base_price::numeric), status) from fundes.update_mcp_asset_value(:f, '2024-01-01', effective_at => '2024-01-03 12:00')), '400000 400 revised', 'the day is valued anew');
select is(pg_temp.path(:f, 'infinity'), '1000000 1000 1000', 'B''s units keep the price at which they were issued');
select is((select current_value::numeric from fundes.investment_current_value where fund_id = :f and investor_id = 'B'), 1000000::numeric, 'and their value');
select is((select array[payload ->> 'struck', payload ->> 'revision'] from fundes.read_stream('fund-' || :f, backward => true, max_count => 1)), array['false', '2'], 'the event says that it strikes nothing');
select is((select status from fundes.update_mcp_asset_value(:f, '2024-01-01', effective_at => '2024-01-03 13:00')), 'unchanged', 'repeated');
rollback to late;
select is((select concat_ws(' ', trim_scale(nav::numeric), status) from fundes.update_mcp_asset_value(:f, '2024-01-02', effective_at => '2024-01-03 12:00')), '0 valued', 'so is the day on which it was empty');
select is(pg_temp.path(:f, 'infinity'), '1000000 1000 1000', 'for history only');
create function pg_temp.appended_valuation(fund bigint, change jsonb) returns text
language sql as $$
	select format('select fundes.append(''fund-%s'', ''FundValued'', %L, effective_at => ''2024-01-03 12:00'')', fund,
		jsonb_build_object('fund_id', fund, 'valuation_date', '2024-01-01', 'revision', 2, 'values', '{}'::jsonb, 'sources', '{}'::jsonb, 'stale', '[]'::jsonb,
			'asset_value', 0, 'capital_cash', 400000, 'liabilities', 0, 'nav', 400000, 'total_supply', 1000, 'base_price', 400, 'as_of', '2024-01-02T00:00:00+09:00') || change)
$$;
select pg_temp.refuses(pg_temp.appended_valuation(:f, '{"struck": true}'), 'UF023', 'appended, one of such a day that would strike');
select pg_temp.accepts(pg_temp.appended_valuation(:f, '{}'), 'appended, one that does not say');
select is(pg_temp.path(:f, 'infinity'), '1000000 1000 1000', 'is history only');
select is((select concat_ws(' ', trim_scale(nav::numeric), trim_scale(base_price::numeric), status) from fundes.update_mcp_asset_value(:f, '2024-01-03', effective_at => '2024-01-04 00:00')), '1000000 1000 valued', 'the day on which it started is valued as any');
select is((select price_date from fundes.fund where fund_id = :f), date '2024-01-03', 'and strikes');
select pg_temp.books_balance('the books balance');

-- The first start of a fund is no restart: its first days are valued late.
select fundes.create_fund('First', effective_at => '2024-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 1000000, effective_at => '2024-01-02 10:00');
select fundes.update_mcp_asset_value(:f, '2024-01-01', effective_at => '2024-01-02 12:00');
select is((select price_date from fundes.fund where fund_id = :f), date '2024-01-01', 'the day before the first pay-in');

-- A fund was closed when there was nothing left.
select fundes.create_fund('Closed', effective_at => '2024-01-01 09:00') as f \gset
select fundes.create_investment('A', :f, 1000, effective_at => '2024-01-01 10:00');
select fundes.purchase_mcp(:f, 'T4', 'R', 'S', 10, effective_at => '2024-01-01 11:00') as t4 \gset
select fundes.sell_mcp(:f, :t4, 10, effective_at => '2024-01-01 12:00');
select fundes.withdraw_investment('A', :f, 1, effective_at => '2024-01-02 10:00');
select fundes.close_fund(:f, effective_at => '2024-01-03 10:00');
select fundes.record_royalty(:f, :t4, 5, effective_at => '2024-01-05 10:00');
select pg_temp.refuses(format('select fundes.record_royalty(%s, %s, 5, effective_at => ''2024-01-03 09:59:59.999999'')', :f, :t4), 'UF019', 'a royalty from before it was closed');
select pg_temp.accepts(format('select fundes.record_royalty(%s, %s, 5, effective_at => ''2024-01-03 10:00'')', :f, :t4), 'one from then on');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
