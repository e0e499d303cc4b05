-- Periods: what is closed stays as it was reported, until it is reopened.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 10:00');
select fundes.purchase_mcp(:f, 'M1', 'R', 'S', 50000, effective_at => '2023-06-01 11:00') as m1 \gset
select fundes.accrue_fee(:f, 10, effective_at => '2023-06-02 09:00');
select fundes.record_mcp_price('M1', 'R', 'S', '2023-06-10', 51000);
select fundes.update_mcp_asset_value(:f, '2023-06-10', effective_at => '2023-06-11 00:00');

create function pg_temp.closed(fund bigint) returns text
language sql as $$ select coalesce(closed_through::text, 'open') from fundes.fund_sheet where fund_id = fund $$;

-- Arguments.
select pg_temp.refuses(format(command, :f), code, rule)
  from (values
	('select fundes.close_period(null, ''2023-06-30'')', '22004', 'no fund'),
	('select fundes.close_period(%s, null)', '22004', 'no day'),
	('select fundes.close_period(%s, ''infinity'')', '22023', 'no day of the calendar'),
	('select fundes.close_period(%s, ''2023-06-30'', '''')', '22023', 'an empty reason'),
	('select fundes.close_period(99, ''2023-06-30'')', 'UF002', 'an unknown fund'),
	('select fundes.reopen_period(99)', 'UF002', 'an unknown fund, reopened'),
	('select fundes.reopen_period(%s, ''-infinity'')', '22023', 'reopened to no day of the calendar'),
	('select fundes.reopen_period(%s)', '22023', 'reopened where nothing is closed'),
	('select fundes.close_period(%s, ''2023-05-31'')', '22023', 'a day before the fund was created'),
	('select fundes.close_period(%s, ''2023-06-12'', effective_at => ''2023-06-12 23:59:59.999999'')', 'UF020', 'a day that has not ended'),
	('select fundes.close_period(%s, ''2023-06-12'', expected_version => 0)', 'UF021', 'another expected version'),
	('select fundes.close_period(%s, ''2023-06-12'', effective_at => ''2100-01-01'')', 'UF020', 'the future')) v(command, code, rule);

-- Midnight is that of the fund, whatever the zone of the session.
set local timezone = 'America/New_York';
select pg_temp.refuses(format('select fundes.close_period(%s, ''2023-06-12'', effective_at => ''2023-06-12 14:59:59.999999+00'')', :f), 'UF020', 'a moment before midnight in Seoul');
select pg_temp.accepts(format('select fundes.close_period(%s, ''2023-06-12'', ''June'', effective_at => ''2023-06-12 15:00+00'')', :f), 'midnight in Seoul');
set local timezone = 'Asia/Seoul';
select is((select payload from fundes.read_stream('fund-' || :f, backward => true, max_count => 1)),
	format('{"fund_id": %s, "through_date": "2023-06-12", "reason": "June", "until": "2023-06-12T15:00:00+00:00"}', :f)::jsonb, 'PeriodClosed says when the period ended');
select is(pg_temp.closed(:f), '2023-06-12', 'fund_sheet shows the closed period');

-- Nothing is dated into it.
select pg_temp.refuses(format(command, :f, :m1), 'UF011', command)
  from unnest(array[
	'select fundes.create_investment(''A'', %s, 1020, effective_at => ''2023-06-12 23:59:59.999999'')',
	'select fundes.withdraw_investment(''A'', %s, 1, effective_at => ''2023-06-12 12:00'')',
	'select fundes.purchase_mcp(%s, ''M2'', ''R'', ''S'', 10, effective_at => ''2023-06-12 12:00'')',
	'select fundes.sell_mcp(%s, %s, 10, effective_at => ''2023-06-12 12:00'')',
	'select fundes.record_royalty(%s, %s, 10, effective_at => ''2023-06-12 12:00'')',
	'select fundes.accrue_fee(%s, 10, effective_at => ''2023-06-12 12:00'')',
	'select fundes.pay_fee(%s, 10, effective_at => ''2023-06-12 12:00'')',
	'select fundes.set_price_limits(%s, null, null, effective_at => ''2023-06-12 12:00'')',
	'select fundes.reopen_period(%s, effective_at => ''2023-06-12 12:00'')',
	'select fundes.update_mcp_asset_value(%s, ''2023-06-11'', effective_at => ''2023-06-12 12:00'')',
	'select fundes.update_mcp_asset_value(%s, ''2023-06-12'', effective_at => ''2023-06-20 12:00'')',
	'select fundes.update_mcp_asset_value(%s, ''2023-06-10'', effective_at => ''2023-06-20 12:00'')',
	'select fundes.append(''fund-'' || %1$s, ''FeeAccrued'', ''{"fund_id": %1$s, "amount": 1, "kind": "x"}'', effective_at => ''2023-06-12 12:00'')']) command;
select pg_temp.accepts(format('select fundes.create_investment(''A'', %s, 1020, effective_at => ''2023-06-13 00:00'')', :f), 'the first moment after it is open');

-- It only grows.
select pg_temp.refuses(format('select fundes.close_period(%s, %L)', :f, day), '22023', 'closed through 2023-06-12 already: ' || day)
  from unnest(array['2023-06-12', '2023-06-11']) day;
select pg_temp.refuses(format('select fundes.append(''fund-'' || %1$s, ''PeriodClosed'', ''{"fund_id": %1$s, "through_date": "2023-06-12"}'')', :f), 'UF023', 'the same, appended');
select pg_temp.refuses(format('select fundes.append(''fund-'' || %1$s, ''PeriodClosed'', ''{"fund_id": %1$s, "through_date": "2023-06-14"}'', effective_at => ''2023-06-14 12:00'')', :f), 'UF023', 'a day that had not ended, appended');
select pg_temp.accepts(format('select fundes.close_period(%s, ''2023-06-14'', effective_at => ''2023-06-15 09:00'', event_id => ''80000000-0000-4000-8000-000000000001'')', :f), 'a later day');
select pg_temp.writes_nothing(format('select fundes.close_period(%s, ''2023-06-14'', event_id => ''80000000-0000-4000-8000-000000000001'')', :f), 'repeated, though it is closed already');
select is(fundes.close_period(:f, '2023-06-14', event_id => '80000000-0000-4000-8000-000000000001'), '80000000-0000-4000-8000-000000000001', 'returns the id');
select pg_temp.refuses(format('select fundes.close_period(%s, ''2023-06-14'', ''why'', event_id => ''80000000-0000-4000-8000-000000000001'')', :f), 'UF008', 'with another reason');
select pg_temp.refuses(format('select fundes.reopen_period(%s, ''2023-06-14'', event_id => ''80000000-0000-4000-8000-000000000001'')', :f), 'UF008', 'as another command');

-- Reopening.
select pg_temp.refuses(format('select fundes.reopen_period(%s, %L)', :f, day), '22023', 'to the same day or a later: ' || day)
  from unnest(array['2023-06-14', '2023-06-15']) day;
select pg_temp.refuses(format('select fundes.append(''fund-'' || %1$s, ''PeriodReopened'', ''{"fund_id": %1$s, "through_date": "2023-06-14"}'')', :f), 'UF023', 'the same, appended');
select pg_temp.accepts(format('select fundes.reopen_period(%s, ''2023-06-11'', ''a late fee'', effective_at => ''2023-06-15 10:00'', event_id => ''80000000-0000-4000-8000-000000000002'')', :f), 'to an earlier day');
select is(pg_temp.closed(:f), '2023-06-11', 'it is closed through that day');
select pg_temp.refuses(format('select fundes.accrue_fee(%s, 1, effective_at => ''2023-06-11 23:59:59.999999'')', :f), 'UF011', 'its last moment');
select pg_temp.accepts(format('select fundes.accrue_fee(%s, 1, effective_at => ''2023-06-12 00:00'')', :f), 'and the first after it');
select pg_temp.accepts(format('select fundes.reopen_period(%s, effective_at => ''2023-06-15 11:00'', event_id => ''80000000-0000-4000-8000-000000000003'')', :f), 'all of it');
select is(pg_temp.closed(:f), 'open', 'nothing is closed');
select pg_temp.writes_nothing(format(command, :f), 'repeated: ' || command)
  from unnest(array['select fundes.reopen_period(%s, ''2023-06-11'', ''a late fee'', event_id => ''80000000-0000-4000-8000-000000000002'')',
					'select fundes.reopen_period(%s, event_id => ''80000000-0000-4000-8000-000000000003'')']) command;
select pg_temp.refuses(format('select fundes.reopen_period(%s, ''2023-06-10'', event_id => ''80000000-0000-4000-8000-000000000003'')', :f), 'UF008', 'repeated with a day');
select pg_temp.accepts(format('select fundes.accrue_fee(%s, 1, effective_at => ''2023-06-02 09:30'')', :f), 'then the past is open');
select pg_temp.refuses(format('select fundes.append(''fund-'' || %1$s, ''PeriodReopened'', ''{"fund_id": %1$s}'')', :f), 'UF023', 'reopened where nothing is closed, appended');

-- An import may leave the moment out; it is the fund's midnight then.
select pg_temp.accepts(format('select fundes.append(''fund-'' || %1$s, ''PeriodClosed'', ''{"fund_id": %1$s, "through_date": "2023-06-12"}'')', :f), 'an import without the moment');
select pg_temp.refuses(format('select fundes.accrue_fee(%s, 1, effective_at => ''2023-06-12 23:59:59.999999+09'')', :f), 'UF011', 'the fund''s midnight');
select pg_temp.refuses(format('select fundes.append(''fund-'' || %1$s, ''PeriodReopened'', ''{"fund_id": %1$s, "through_date": "2023-06-10", "until": "2023-06-11 00:00"}'')', :f), 'UF023', 'a moment without an offset');

-- The 29th of February is the last day of its month in a leap year only.
select fundes.create_fund('Leap', effective_at => '2024-02-01 09:00') as g \gset
select pg_temp.accepts(format('select fundes.close_period(%s, ''2024-02-29'', effective_at => ''2024-03-01 00:00'')', :g), 'a leap day');
select pg_temp.refuses(format('select fundes.accrue_fee(%s, 1, effective_at => ''2024-02-29 23:59:59'')', :g), 'UF011', 'on it');
select pg_temp.refuses(format('select fundes.close_period(%s, ''2023-02-29'')', :g), '22008', 'a leap day in another year');
select pg_temp.accepts(format('select fundes.set_price_limits(%s, 0.02, ''7 days'')', :g), 'a command without effective_at is never in a closed period');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
