-- The projections: the same fold whatever way an event takes, fences,
-- verify_projections and rebuild_projections.

begin;
\ir helper.inc
select no_plan();

select is_empty($$select * from fundes.verify_projections()$$, 'an empty store has nothing to differ');
select is(fundes.rebuild_projections(), 0::bigint, 'and nothing to mend');

-- A store with a row in every projection.
select fundes.create_investor(id, id, effective_at => '2023-06-01 08:00') from unnest(array['A', 'B']) id;
select fundes.create_fund(name, effective_at => '2023-06-01 09:00') from unnest(array['Ballads', 'Jazz']) name;
select fundes.create_investment('A', 1, 100000, effective_at => '2023-06-01 09:10');
select fundes.create_investment('B', 1, 50000, effective_at => '2023-06-01 09:20');
select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 60000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 30000, effective_at => '2023-06-01 10:00');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 61000);
select fundes.update_mcp_asset_value(1, '2023-06-01', effective_at => '2023-06-02 00:00');
select fundes.record_royalty(1, pg_temp.asset('M1'), 500, effective_at => '2023-06-02 09:00');
select fundes.sell_mcp(1, pg_temp.asset('M2'), 30500, effective_at => '2023-06-02 10:00');
select fundes.accrue_fee(1, 200, effective_at => '2023-06-02 11:00');
select fundes.pay_fee(1, 150, effective_at => '2023-06-02 12:00');
select fundes.withdraw_investment('A', 1, 40, effective_at => '2023-06-02 13:00');
select fundes.set_price_limits(1, 0.03, null, effective_at => '2023-06-02 14:00');
select is_empty($$select * from fundes.verify_projections()$$, 'after each kind of command nothing differs');
create temporary table was as select pg_temp.store_hash() as hash;
select is(fundes.rebuild_projections(), 0::bigint, 'rebuild_projections has nothing to mend');
select is(pg_temp.store_hash(), hash, 'and leaves every row as it was') from was;

-- A superuser tampers with each projection: a value, a row gone, a row too many.
create function pg_temp.tampered(command text, tab text, wanted_key jsonb) returns setof text
language plpgsql as $$
declare
	found record;
	n bigint;
begin
	execute command;
	get diagnostics n = row_count;
	return next ok(n > 0, 'tampering: ' || command);
	select * into found from fundes.verify_projections();
	return next ok(found.projection ~ ('\m' || tab || '$') and found.key @> wanted_key
				   and found.stored is distinct from found.folded
				   and (command not like 'delete%' or found.stored is null and found.folded is not null)
				   and (command not like 'insert%' or found.stored is not null and found.folded is null),
				   format('verify_projections shows it: %s %s', found.projection, found.key));
	n := fundes.rebuild_projections();
	return next ok(n > 0, format('rebuild_projections mends it: %s', n));
	return next is_empty('select * from fundes.verify_projections()', 'nothing differs any more');
	return next is(pg_temp.store_hash(), (select hash from was), 'every row is as it was');
end
$$;
select pg_temp.tampered(command, tab, key::jsonb)
  from (values
	('update fundes.fund set capital_cash = capital_cash + 1 where fund_id = 1', 'fund', '{"fund_id": 1}'),
	('update fundes.fund set max_price_age = ''1 day'' where fund_id = 1', 'fund', '{"fund_id": 1}'),
	('delete from fundes.fund where fund_id = 2', 'fund', '{"fund_id": 2}'),
	('update fundes.investor set name = ''X'' where investor_id = ''A''', 'investor', '{"investor_id": "A"}'),
	('delete from fundes.investor where investor_id = ''B''', 'investor', '{"investor_id": "B"}'),
	('update fundes.investment set units = units + 1, cost_basis = 0 where investor_id = ''A''', 'investment', '{"fund_id": 1, "investor_id": "A"}'),
	('delete from fundes.investment where investor_id = ''B''', 'investment', '{"fund_id": 1, "investor_id": "B"}'),
	('insert into fundes.investment select 2, investor_id, units, investment_amount, cost_basis, withdrawn_amount, realised_gain, distributions, stream_id, last_version, last_position, last_effective_at, entries, late_entries from fundes.investment where investor_id = ''B''',
	 'investment', '{"fund_id": 2, "investor_id": "B"}'),
	('update fundes.mcp set value_cash = 1 where copyright_code = ''M1''', 'mcp', '{}'),
	('delete from fundes.mcp where copyright_code = ''M2''', 'mcp', '{}'),
	('update fundes.fee_account set paid = 0', 'fee_account', '{"fund_id": 1, "kind": "management"}'),
	('delete from fundes.fee_account', 'fee_account', '{"fund_id": 1, "kind": "management"}'),
	('update fundes.valuation set nav = nav + 1', 'valuation', '{"fund_id": 1, "valuation_date": "2023-06-01"}'),
	('delete from fundes.valuation', 'valuation', '{"fund_id": 1, "valuation_date": "2023-06-01"}')) v(command, tab, key);
update fundes.fund set capital_cash = 7 where fund_id = 1;
select ok((stored ->> 'capital_cash')::numeric = 7 and (folded ->> 'capital_cash')::numeric = 50584 and stored ->> 'name' = 'Ballads',
		  'stored and folded are whole rows')
  from fundes.verify_projections();
update fundes.fund set capital_cash = 7;
delete from fundes.investment;
select is((select count(*) from fundes.verify_projections()), 4::bigint, 'each row that differs is shown');
select fundes.rebuild_projections();
select is(pg_temp.store_hash(), hash, 'all are mended at once') from was;

-- The log by other ways: one batch of the same events makes the same rows.
create temporary table log as select * from fundes.event_log order by position;
create temporary table sheet as select * from fundes.fund_sheet where fund_id = 1;
create function pg_temp.moved(payload jsonb) returns jsonb
language sql as $$
	select case when payload ? 'fund_id' then payload || '{"fund_id": 11}' else payload end
		|| case when payload ? 'asset_id' then jsonb_build_object('asset_id', 1000000 + (payload ->> 'asset_id')::bigint) else '{}' end
		|| case when payload ? 'copyright_code' then jsonb_build_object('copyright_code', 'X' || (payload ->> 'copyright_code')) else '{}' end
		|| case when payload ? 'values' then jsonb_build_object(
				'values', (select coalesce(jsonb_object_agg(1000000 + key::bigint, value), '{}') from jsonb_each(payload -> 'values')),
				'sources', (select coalesce(jsonb_object_agg(1000000 + key::bigint, value), '{}') from jsonb_each(payload -> 'sources')),
				'stale', (select coalesce(jsonb_agg(1000000 + value::bigint), '[]') from jsonb_array_elements_text(payload -> 'stale'))) else '{}' end
$$;
select is((select count(*) from fundes.append_batch(
			(select array_agg(replace(replace(stream, 'fund-1', 'fund-11'), 'holding-1-', 'holding-11-') order by position) from log where payload @> '{"fund_id": 1}'),
			(select array_agg(type order by position) from log where payload @> '{"fund_id": 1}'),
			(select array_agg(pg_temp.moved(payload) order by position) from log where payload @> '{"fund_id": 1}'),
			effective_at => (select array_agg(effective_at order by position) from log where payload @> '{"fund_id": 1}'))),
		  12::bigint, 'the twelve events of a fund by append_batch, for another fund');
select is((select to_jsonb(s) - 'fund_id' from fundes.fund_sheet s where fund_id = 11), (select to_jsonb(s) - 'fund_id' from sheet s), 'give the same figures');
select pg_temp.same(
	$$select investor_id, units::numeric, cost_basis::numeric, realised_gain::numeric, current_value::numeric from fundes.investment_current_value where fund_id = 11 order by 1$$,
	$$select investor_id, units::numeric, cost_basis::numeric, realised_gain::numeric, current_value::numeric from fundes.investment_current_value where fund_id = 1 order by 1$$, 'the same holdings');
select pg_temp.same(
	$$select copyright_code, cost_cash::numeric, value_cash::numeric, royalty_income::numeric, last_price_date from fundes.mcp_holding where fund_id = 11$$,
	$$select 'X' || copyright_code, cost_cash::numeric, value_cash::numeric, royalty_income::numeric, last_price_date from fundes.mcp_holding where fund_id = 1$$, 'and the same copyrights');
select is_empty($$select * from fundes.verify_projections()$$, 'which equal the log');
select pg_temp.books_balance('the books balance');

-- Imported ids are not given again.
select is(fundes.create_fund('Next', effective_at => '2023-06-03 09:00'), 12::bigint, 'the next fund_id is after an imported one');
select fundes.create_investment('A', 12, 1000, effective_at => '2023-06-03 09:10');
select fundes.append('fund-12', 'McpPurchased', jsonb_build_object('fund_id', 12, 'asset_id', 1 + pg_temp.asset('M2'), 'copyright_code', 'I1', 'registration_number', 'R', 'music_id', 'S',
		'price_cash', 10, 'acquisition_date', '2023-06-03'), effective_at => '2023-06-03 09:20');
select fundes.purchase_mcp(12, 'I2', 'R', 'S', 10, effective_at => '2023-06-03 09:30') as i2, fundes.purchase_mcp(12, 'I3', 'R', 'S', 10, effective_at => '2023-06-03 09:30') as i3 \gset
select ok((select count(distinct asset_id) = count(*) and count(*) = 3 from fundes.mcp_holding where fund_id = 12), 'an imported asset_id is not given again');
select is_empty($$select * from fundes.verify_projections()$$, 'and the projections equal the log');

-- Raw append of a built-in event meets the fences.
create function pg_temp.raw(stream text, type text, payload text) returns text
language sql as $$ select format('select fundes.append(%L, %L, %L, effective_at => ''2023-06-04 09:00'')', stream, type, payload) $$;
select pg_temp.accepts(pg_temp.raw('fund-1', 'FeeAccrued', '{"fund_id": 1, "amount": 10, "kind": "audit"}'), 'raw append: an event as a command would write it');
select pg_temp.refuses_somehow(pg_temp.raw(stream, type, replace(payload, '$M1', pg_temp.asset('M1')::text)), 'raw append: ' || rule)
  from (values
	('fund-1', 'FeePaid', '{"fund_id": 1, "amount": 1000, "kind": "management"}', 'a fee that was not accrued'),
	('fund-1', 'McpPurchased', '{"fund_id": 1, "asset_id": 999, "copyright_code": "M9", "registration_number": "R", "music_id": "S", "price_cash": 99999999, "acquisition_date": "2023-06-04"}', 'a purchase beyond the cash'),
	('fund-1', 'McpPurchased', '{"fund_id": 1, "asset_id": $M1, "copyright_code": "M9", "registration_number": "R", "music_id": "S", "price_cash": 1, "acquisition_date": "2023-06-04"}', 'an asset_id that is taken'),
	('fund-1', 'McpPurchased', '{"fund_id": 1, "asset_id": 999, "copyright_code": "M1", "registration_number": "R1", "music_id": "S1", "price_cash": 1, "acquisition_date": "2023-06-04"}', 'a copyright that is held'),
	('fund-1', 'McpSold', '{"fund_id": 1, "asset_id": 998, "price_cash": 1, "carrying_value": 1, "cost_cash": 1, "realised_gain": 0}', 'a sale of what is not held'),
	('fund-1', 'RoyaltyReceived', '{"fund_id": 1, "asset_id": 998, "amount": 1}', 'a royalty for what was never held'),
	('fund-1', 'FundCreated', '{"fund_id": 1, "name": "x", "initial_price": 1000, "cash_scale": 0, "unit_scale": 0, "currency": "KRW", "time_zone": "UTC"}', 'a fund that exists'),
	('fund-99', 'FeeAccrued', '{"fund_id": 99, "amount": 1, "kind": "audit"}', 'a fund that does not'),
	('fund-2', 'FeeAccrued', '{"fund_id": 1, "amount": 1, "kind": "audit"}', 'a payload of another fund than the stream'),
	('holding-1-A', 'FeeAccrued', '{"fund_id": 1, "amount": 1, "kind": "audit"}', 'an event in a stream of another kind'),
	('holding-1-A', 'InvestmentWithdrawn', '{"investor_id": "A", "fund_id": 1, "stock_quantity": 61, "unit_price": 1, "withdrawn_amount": 61, "cost_relieved": 60000, "realised_gain": 0}', 'more units than are held'),
	('holding-1-A', 'InvestmentWithdrawn', '{"investor_id": "B", "fund_id": 1, "stock_quantity": 1, "unit_price": 1, "withdrawn_amount": 1, "cost_relieved": 1, "realised_gain": 0}', 'a payload of another investor than the stream'),
	('holding-1-Z', 'InvestmentWithdrawn', '{"investor_id": "Z", "fund_id": 1, "stock_quantity": 1, "unit_price": 1, "withdrawn_amount": 1, "cost_relieved": 1, "realised_gain": 0}', 'a holding that is not there'),
	('investor-A', 'InvestorCreated', '{"investor_id": "A", "name": "x"}', 'an investor who exists'),
	('fund-13', 'FundCreated', '{"fund_id": 13, "name": "x", "initial_price": 1000, "cash_scale": 9, "unit_scale": 0, "currency": "KRW", "time_zone": "UTC"}', 'a scale that no fund can have')) v(stream, type, payload, rule);
select pg_temp.refuses_somehow(
	$$select * from fundes.append_batch(array['fund-1','fund-1'], array['FeeAccrued','FeePaid'],
		array['{"fund_id": 1, "amount": 10, "kind": "custody"}','{"fund_id": 1, "amount": 11, "kind": "custody"}']::jsonb[])$$, 'raw append: a batch is all or nothing');

select pg_temp.accepts(format($$select fundes.append_batch(array['fund-1'], array['FeeAccrued'],
		array['{"fund_id": 1, "amount": 10, "kind": "audit"}']::jsonb[], effective_at => array['2023-06-04 09:00'::timestamptz],
		expected_streams => array['fund-1', 'fund-01', 'fund-1x', 'fund-+1', 'holding-1-A', 'holding-01-A', 'holding-1', 'fund'],
		expected_versions => array[%s, 0, 0, 0, %s, 0, 0, 0])$$, fundes.stream_version('fund-1'), fundes.stream_version('holding-1-A')),
	'raw append: another way to write an id is another stream, which is not there');

-- The rows know what they have seen.
select is((select array_agg(format('%s %s', f.fund_id, f.last_version) order by f.fund_id) from fundes.fund f where fund_id in (1, 2)),
		  array['1 ' || fundes.stream_version('fund-1'), '2 ' || fundes.stream_version('fund-2')], 'a row carries the last version applied');
select is((select array_agg(s.name order by s.name) from fundes.stream s where stream_id in (select stream_id from fundes.fund where fund_id = 1
			union all select stream_id from fundes.investment where fund_id = 1 and investor_id = 'A')),
		  '{fund-1,holding-1-A}', 'and its stream');
select is((select last_position from fundes.fund where fund_id = 2), (select max(position) from fundes.event_log where stream = 'fund-2'), 'and the last position');

-- A trigger that appends to the streams of the events that it follows.
create function pg_temp.follow() returns trigger language plpgsql as $$
declare
	event fundes.event_log;
begin
	select * into event from fundes.event_log order by position desc limit 1;
	if tg_level = 'STATEMENT' and event.type = 'Noted' then
		perform fundes.create_investor('followed', 'Kim');
		return null;
	elsif event.payload ->> 'amount' = '9' then
		perform fundes.append('note-1', 'Noted', '{}');
		return null;
	end if;
	if event.type = 'FeeAccrued' then
		perform fundes.append(event.stream, 'FeePaid', event.payload, effective_at => event.effective_at);
	elsif event.payload ->> 'amount' = '7' then
		perform fundes.append(event.stream, event.type, event.payload || '{"amount": 8}', effective_at => event.effective_at);
	elsif event.payload ->> 'investment_amount' = '6000' then
		perform fundes.create_investment('A', 12, 5000, effective_at => event.effective_at);
	end if;
	return null;
end $$;
create trigger a_follower after insert on fundes.event for each row execute function pg_temp.follow();
select pg_temp.refuses($$select fundes.create_investment('A', 12, 6000, effective_at => '2023-06-05 09:00')$$, '55000', 'a command of a follower that comes before the fold');
select pg_temp.refuses($$select fundes.record_royalty(12, $$ || pg_temp.asset('I2') || $$, 7, effective_at => '2023-06-05 09:00')$$, '55000', 'an append that would have a later event folded first');
create trigger the_follower after insert on fundes.event for each statement execute function pg_temp.follow();
select pg_temp.refuses($$select fundes.accrue_fee(12, 9, 'followed', effective_at => '2023-06-05 09:00')$$, '55000', 'or one that follows what a follower appends');
drop trigger the_follower on fundes.event;
drop trigger a_follower on fundes.event;
create trigger the_follower after insert on fundes.event for each statement execute function pg_temp.follow();
select fundes.accrue_fee(12, 10, 'followed', effective_at => '2023-06-05 09:00');
select fundes.create_investment('A', 12, 6000, effective_at => '2023-06-05 09:10');
drop trigger the_follower on fundes.event;
select is((select array_agg(type order by position) from (select type, position from fundes.event_log order by position desc limit 4) e),
		  '{FeeAccrued,FeePaid,InvestmentCreated,InvestmentCreated}', 'after the projector a trigger appends what it will');
select is((select last_version from fundes.fund where fund_id = 12), fundes.stream_version('fund-12'), 'a row has the last version');
select is_empty($$select * from fundes.verify_projections()$$, 'and the projections equal the log');

-- Who has the projector disabled has projections that are behind.
alter table fundes.event disable trigger project;
select fundes.append('fund-12', 'FeeAccrued', '{"fund_id": 12, "amount": 1, "kind": "behind"}', effective_at => '2023-06-06 09:00');
select is((pg_temp.attempt($$select fundes.accrue_fee(12, 2, 'behind', effective_at => '2023-06-06 09:10')$$)).state, '55000', 'nothing follows on an event that was not folded');
alter table fundes.event enable always trigger project;
select is((pg_temp.attempt($$select fundes.append('fund-12', 'FeeAccrued', '{"fund_id": 12, "amount": 2, "kind": "behind"}', effective_at => '2023-06-06 09:10')$$)).state, '55000', 'and cannot, until');
select cmp_ok(fundes.rebuild_projections(), '>', 0::bigint, 'the projections are rebuilt');
select pg_temp.accepts($$select fundes.accrue_fee(12, 2, 'behind', effective_at => '2023-06-06 09:10')$$, 'then it goes on');

select * from finish();
rollback;
