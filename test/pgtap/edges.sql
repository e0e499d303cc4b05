-- Keys in bytes, sums that are too large, negative figures, days that end where
-- clocks change, ages.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2018-01-01 09:00');
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_investment('A', :f, 100000, effective_at => '2023-06-01 09:10');

-- Keys: at most 200 bytes, whatever the characters.
select is((pg_temp.attempt('select fundes.create_investor(' || quote_literal(id) || ', ''Kim'')')).message, 'id must have 1 to 200 bytes', octet_length(id) || ' bytes')
  from unnest(array['', repeat('x', 201), repeat('x', 256)]) id;
create function pg_temp.notes(n integer) returns text
language sql as $$ select repeat(U&'\+01F3B5', n) $$;
select is(octet_length(pg_temp.notes(100)), 400, 'a note has four bytes');
select pg_temp.refuses(format('select fundes.%s(%s, 1, %L)', command, :f, kind), '22023', format('%s: a kind of %s bytes', command, octet_length(kind)))
  from unnest(array['accrue_fee', 'pay_fee']) command,
	   unnest(array[pg_temp.notes(51), pg_temp.notes(100), pg_temp.notes(255), repeat('x', 201)]) kind;
select pg_temp.refuses(format('select fundes.append(%L, %L, %L)', 'fund-' || :f, type,
							  jsonb_build_object('fund_id', :f, 'amount', 1, 'kind', pg_temp.notes(100))), 'UF023', type || ': an appended kind of 400 bytes')
  from unnest(array['FeeAccrued', 'FeePaid']) type;
select pg_temp.refuses(format('select fundes.append(%L, ''McpPurchased'', %L)', 'fund-' || :f,
							  jsonb_build_object('fund_id', :f, 'asset_id', 99, 'copyright_code', 'c', 'registration_number', 'r', 'music_id', 'm',
												 'price_cash', 1, 'acquisition_date', '2023-06-01') || jsonb_build_object(key, pg_temp.notes(255))),
					   'UF023', 'McpPurchased: an appended ' || key || ' of 1,020 bytes')
  from unnest(array['copyright_code', 'registration_number', 'music_id']) key;
select pg_temp.refuses(format('select fundes.%s)', command), '22023', 'a copyright''s key of 1,020 bytes: ' || command)
  from (select format(f, v.code, v.registration, v.music)
		  from (values (format('purchase_mcp(%s, ', :f) || '%L, %L, %L, 10'), ('record_mcp_price(%L, %L, %L, ''2023-06-01'', 1')) c(f),
			   (values (pg_temp.notes(255), 'R', 'S'), ('M', pg_temp.notes(255), 'S'), ('M', 'R', pg_temp.notes(255)), ('M', 'R', pg_temp.notes(51))) v(code, registration, music)) c(command);
select pg_temp.refuses(format('select fundes.create_investor(%L, ''Kim'')', pg_temp.notes(51)), '22023', 'an investor''s id of 204 bytes');
select pg_temp.refuses(format('select fundes.create_investment(%L, %s, 1000)', pg_temp.notes(n), :f), 'UF001', format('a pay-in by an id of %s bytes', 4 * n))
  from unnest(array[50, 51, 255]) n;

select pg_temp.accepts(format(command, pg_temp.notes(50), :f), '200 bytes: ' || rule)
  from (values
	('select fundes.create_investor(%1$L, ''Lee'', effective_at => ''2023-06-01 10:00'')', 'create_investor'),
	('select fundes.create_investment(%1$L, %2$s, 5000, effective_at => ''2023-06-01 10:00'')', 'create_investment'),
	('select fundes.withdraw_investment(%1$L, %2$s, 2, effective_at => ''2023-06-01 11:00'')', 'withdraw_investment'),
	('select fundes.accrue_fee(%2$s, 10, %1$L, effective_at => ''2023-06-01 11:00'')', 'accrue_fee'),
	('select fundes.pay_fee(%2$s, 10, %1$L, effective_at => ''2023-06-01 11:00'')', 'pay_fee'),
	('select fundes.purchase_mcp(%2$s, %1$L, %1$L, %1$L, 100, effective_at => ''2023-06-01 11:00'')', 'purchase_mcp'),
	('select fundes.record_mcp_price(%1$L, %1$L, %1$L, ''2023-06-01'', 120)', 'record_mcp_price'),
	('select fundes.update_mcp_asset_value(%2$s, ''2023-06-01'', effective_at => ''2023-06-02 00:00'')', 'update_mcp_asset_value')) v(command, rule);
select is(pg_temp.figures(:f, 'capital_cash', 'asset_value', 'total_supply'), 'capital_cash 102890, asset_value 120, total_supply 103', 'all of them count');
select is(fundes.get_mcp_index(k, k, k, '2023-06-01')::numeric, 120::numeric, '200 bytes: get_mcp_index') from pg_temp.notes(50) k;
select is((select current_value::numeric from fundes.get_investment_details(pg_temp.notes(50))), 3000::numeric, '200 bytes: get_investment_details');

-- A sum of royalties that is too large, though no other figure is.
select fundes.create_fund('Soul', effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_investment('A', :f, 1000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(:f, 'L1', 'R', 'S', 1000, effective_at => '2023-06-01 10:00') as l1 \gset
select fundes.record_royalty(:f, :l1, 90000000000000000000, effective_at => '2023-06-02 09:00');
select fundes.purchase_mcp(:f, 'L2', 'R', 'S', 90000000000000000000, effective_at => '2023-06-02 10:00') as l2 \gset
select fundes.sell_mcp(:f, :l2, 0, effective_at => '2023-06-02 11:00');
select is(pg_temp.figures(:f, 'capital_cash', 'nav', 'royalty_income'), 'capital_cash 0, nav 1000, royalty_income 90000000000000000000', 'royalties that were reinvested');
select pg_temp.refuses(format('select fundes.record_royalty(%s, %s, 90000000000000000000, effective_at => ''2023-06-03 09:00'')', :f, :l1), '22003', 'royalty_income of 1.8 * 10^20');
select pg_temp.refuses(format('select fundes.append(''fund-%1$s'', ''RoyaltyReceived'', ''{"fund_id": %1$s, "asset_id": %2$s, "amount": 90000000000000000000}'')', :f, :l1), '22003', 'the same, appended');
select pg_temp.accepts(format('select fundes.record_royalty(%s, %s, 9999999999999999999, effective_at => ''2023-06-03 09:00'')', :f, :l1), 'up to the limit');
select is(pg_temp.figures(:f, 'royalty_income'), 'royalty_income 99999999999999999999', 'it is the largest amount');

-- Negative figures: floor, too.
select fundes.create_fund('Folk', effective_at => '2023-06-01 09:00') as f \gset
select fundes.create_investor('B', 'Lee', effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', :f, 1000, effective_at => '2023-06-01 09:10');
select fundes.create_investment('B', :f, 2000, effective_at => '2023-06-01 09:10');
select fundes.purchase_mcp(:f, 'N1', 'R', 'S', 100, effective_at => '2023-06-01 10:00') as n1 \gset
select fundes.sell_mcp(:f, :n1, 110, effective_at => '2023-06-01 11:00');
select is(fundes.compute_fund_value(:f), -10::numeric, 'more was sold than was bought');
select pg_temp.same(format('select investor_id, value_at_cost::numeric from fundes.investment_current_value where fund_id = %s order by 1', :f),
	$$values ('A', -3.3334), ('B', -6.6667)$$, 'value_at_cost is floor, also when negative');
select is(nav_per_unit::numeric, 1003.3333, 'nav_per_unit is floor') from fundes.fund_sheet where fund_id = :f;
select fundes.append('fund-' || :f, 'FeeAccrued', jsonb_build_object('fund_id', :f, 'amount', 3020, 'kind', 'x'));
select is(pg_temp.figures(:f, 'nav'), 'nav -10', 'appended fees may be more than the assets');
select is(nav_per_unit::numeric, -3.3334, 'nav_per_unit is floor, also when negative') from fundes.fund_sheet where fund_id = :f;
select fundes.append('fund-' || :f, 'FeeAccrued', jsonb_build_object('fund_id', :f, 'amount', 2, 'kind', 'x'));
select is(nav_per_unit::numeric, -4::numeric, 'and exact where it is') from fundes.fund_sheet where fund_id = :f;

-- Where a day ends, in zones whose clocks change about midnight.
create temporary table turn (zone text, day date, begins timestamptz);	-- the first moment of the day
insert into turn values
	('Asia/Seoul', '2018-02-18', '2018-02-17 15:00Z'),
	('Asia/Seoul', '2023-06-02', '2023-06-01 15:00Z'),
	('America/Havana', '2023-03-12', '2023-03-12 05:00Z'),		-- 0:00 is 1:00
	('America/Havana', '2023-11-05', '2023-11-05 04:00Z'),		-- 1:00 is 0:00: two midnights
	('America/Havana', '2023-11-06', '2023-11-06 05:00Z'),
	('America/Sao_Paulo', '2018-02-18', '2018-02-18 03:00Z'),	-- 0:00 is 23:00: 23:30 twice
	('America/Sao_Paulo', '2018-11-04', '2018-11-04 03:00Z'),	-- 0:00 is 1:00
	('America/Sao_Paulo', '2018-11-05', '2018-11-05 02:00Z'),
	('Africa/Cairo', '2023-04-28', '2023-04-27 22:00Z'),		-- 0:00 is 1:00
	('Africa/Cairo', '2023-10-27', '2023-10-26 22:00Z'),		-- 0:00 is 23:00
	('Atlantic/Azores', '2023-03-26', '2023-03-26 01:00Z'),		-- 0:00 is 1:00
	('Atlantic/Azores', '2023-10-29', '2023-10-29 00:00Z'),		-- 1:00 is 0:00: two midnights
	('Atlantic/Azores', '2023-10-30', '2023-10-30 01:00Z');
create temporary table local_fund as
select zone, fundes.create_fund(zone, time_zone => zone, effective_at => '2018-01-01 12:00Z') as fund
  from (select distinct zone from turn order by 1) z;
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, %L, ''R'', ''S'', 10, effective_at => ''2018-01-02 12:00Z'')', fund, zone), 'a copyright of ' || zone)
  from local_fund, lateral (select fundes.create_investment('A', fund, 1000, effective_at => '2018-01-01 13:00Z')) paid;

create function pg_temp.valued(fund bigint, day date, at timestamptz) returns text
language plpgsql as $$
declare
	r text;
begin
	select valuation_date || ' ' || status into r from fundes.update_mcp_asset_value(fund, day, effective_at => at);
	return r;
exception when others then
	return sqlstate;
end
$$;
select is(pg_temp.valued(fund, day - 1, begins - interval '1 microsecond'), 'UF020', format('%s: %s has not ended before %s', zone, day - 1, begins at time zone 'UTC'))
  from turn join local_fund using (zone) order by begins;
select is(array_agg(turned order by begins), array_agg(day - 1 || ' valued' order by begins), zone || ': the default day at the first moment of a day is the day before')
  from (select *, pg_temp.valued(fund, null, begins) as turned from (select * from turn join local_fund using (zone) order by begins) t offset 0) t
 group by zone order by zone;
select is(pg_temp.valued(fundes.create_fund(zone, time_zone => zone, effective_at => begins - interval '10 days'), null, at), day - 1 || ' valued', format('%s: the default day at %s', zone, at at time zone 'UTC'))
  from (select t.*, at from turn t, (values
	('America/Havana', timestamptz '2023-11-05 04:30Z'), ('America/Havana', '2023-11-05 05:00Z'), ('America/Havana', '2023-11-05 05:30Z'),
	('Atlantic/Azores', '2023-10-29 00:30Z'), ('Atlantic/Azores', '2023-10-29 01:00Z'), ('Atlantic/Azores', '2023-10-29 01:30Z'),
	('Africa/Cairo', '2023-10-26 22:30Z'), ('America/Sao_Paulo', '2018-02-18 03:30Z')) v(z, at)
		where z = zone and at between begins and begins + interval '2 hours') t;
select is(pg_temp.valued(fundes.create_fund(zone, time_zone => zone, effective_at => at - interval '10 days'), null, at), want, format('%s: the first and the second half hour before midnight, %s', zone, at at time zone 'UTC'))
  from (values ('America/Sao_Paulo', timestamptz '2018-02-18 01:30Z', '2018-02-16 valued'), ('America/Sao_Paulo', '2018-02-18 02:30Z', '2018-02-16 valued'),
			   ('Africa/Cairo', '2023-10-26 20:30Z', '2023-10-25 valued'), ('Africa/Cairo', '2023-10-26 21:30Z', '2023-10-25 valued')) v(zone, at, want);

-- Ages.
select pg_temp.refuses(format('select fundes.set_price_limits(1, 0.02, %L)', age), '22023', 'max_price_age ' || age)
  from unnest(array['593067 years', '178000000 years', '-1 day', '-1 microsecond', '-593067 years', '1 mon -1 day', '1 day -1 hour', '1001 years']
			  || case when current_setting('server_version_num')::integer >= 170000 then array['infinity', '-infinity'] else '{}' end) age;
select pg_temp.accepts(format('select fundes.set_price_limits(1, 0.02, %L)', age), 'max_price_age ' || age)
  from unnest(array['0', '1 microsecond', '1000 years', '365000 days']) age;
select throws_ok(format('set fundes.max_quote_age = %L', age), '22023', null, 'fundes.max_quote_age ' || age)
  from unnest(array['593067 years', '1 mon -2 mons']) age;

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
