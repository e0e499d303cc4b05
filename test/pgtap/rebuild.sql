-- Verifying and rebuilding find and mend what differs, whether the rows of the
-- log have room in memory or not.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', 1, 100000, effective_at => '2023-06-01 09:10');
select fundes.append_batch(array_fill('fund-1'::text, array[4000]), array_fill('McpPurchased'::text, array[4000]),
	array(select jsonb_build_object('fund_id', 1, 'asset_id', n, 'copyright_code', 'M' || n, 'registration_number', 'R',
			'music_id', 'S', 'price_cash', 1, 'acquisition_date', '2023-06-01')
			from generate_series(1, 4000) n)) is not null as appended limit 1;

-- A log with a purchase that the fold would have refused.
create function pg_temp.buy_again() returns void language sql as $$
	alter table fundes.event disable trigger project;
	insert into fundes.event (position, stream_id, version, effective_at, recorded_at, type_id, payload)
		select nextval('fundes.event_position'), stream_id, (select max(version) + 1 from fundes.event where stream_id = e.stream_id),
			   effective_at, recorded_at, type_id, payload || '{"asset_id": 5, "copyright_code": "M0"}'
		  from fundes.event e where type_id = 6 order by position desc limit 1;
	alter table fundes.event enable always trigger project;
$$;
create function pg_temp.refused(room text) returns setof text language plpgsql as $$
begin
	perform set_config('maintenance_work_mem', room, true);
	return next throws_ok('select * from fundes.verify_projections()', 'UF016', null, room || ': an asset_id that is there twice');
	return next throws_ok('select fundes.rebuild_projections()', 'UF016', null, room || ': is refused');
end
$$;
savepoint unsold;
select pg_temp.buy_again();
select pg_temp.refused('1GB');
select pg_temp.refused('1MB');
rollback to unsold;

select fundes.sell_mcp(1, n, 2) is not null as sold from generate_series(1, 4000, 500) n;
savepoint sold;
select pg_temp.buy_again();
select pg_temp.refused('1MB');
rollback to sold;

-- A log from elsewhere whose second pay-in says that it begins the holding: it is
-- found, though it has been written out by then.
savepoint paid_in;
set local maintenance_work_mem = '1MB';
select fundes.create_investor('B', 'Lee', effective_at => '2023-06-01 09:00');
insert into fundes.event (position, stream_id, version, effective_at, recorded_at, type_id, payload)
	select nextval('fundes.event_position'), case when pays_in then 1 else f.stream_id end,
		   case n when 0 then 2 when 3001 then 1 else f.version + n end, now(), now(), case when pays_in then 4 else 6 end,
		   case when pays_in then '{"fund_id": 1, "investor_id": "B", "units": 1, "unit_price": 1000, "cash_taken": 1000, "refund_cash": 0, "investment_amount": 1000}'
				else jsonb_build_object('fund_id', 1, 'asset_id', 5000 + n, 'copyright_code', 'N' || n, 'registration_number', 'R',
						'music_id', 'S', 'price_cash', 1, 'acquisition_date', '2023-06-01') end
	  from (select stream_id, max(version) as version from fundes.event join fundes.stream using (stream_id)
			 where name = 'fund-1' group by 1) f,
		   generate_series(0, 3001) n, lateral (select n in (0, 3001)) p (pays_in) order by n;
select is((select units::numeric from fundes.investment where investor_id = 'B'), 2::numeric, 'a holding whose stream is loaded back to front');
select is_empty('select * from fundes.verify_projections()', 'is verified');
rollback to paid_in;

-- What came late, with the valuations and distributions that it flags: some of the
-- days valued after others.
select fundes.set_price_limits(1, null, '7 days', effective_at => '2023-06-01 09:05');
select fundes.accrue_fee(1, 1 + n % 5, effective_at => timestamptz '2023-06-02 10:00' + n * interval '1 hour') from generate_series(1, 200) n;
select fundes.update_mcp_asset_value(1, day, effective_at => day + 10 + time '10:00')
  from unnest(array['2023-06-03', '2023-06-05', '2023-06-04', '2023-06-07', '2023-06-05']::date[]) day;
select fundes.declare_distribution(1, 10000, '2023-06-20', effective_at => '2023-06-22 09:00');
select fundes.accrue_fee(1, 1 + n % 5, effective_at => timestamptz '2023-06-01 12:00' + n % 37 * interval '3 hours') from generate_series(1, 90) n;
select cmp_ok((select late_entries from fundes.fund), '>=', 64::bigint, 'there are late entries');
select cmp_ok((select count(*) from fundes.fund_late where level = 3), '>', 0::bigint, 'and blocks of them');
select cmp_ok((select count(*) from fundes.valuation where needs_restatement), '>', 1::bigint, 'and valuations to be restated');
select is((select books_changed from fundes.distribution), true, 'and a distribution of other books');

create function pg_temp.damage() returns void language sql as $$
	update fundes.mcp set value_cash = 7 where asset_id = 3;
	delete from fundes.fund_entry where last_position = (select max(last_position) from fundes.fund_entry);
	insert into fundes.investor values ('B', 'Lee', now(), 1, 1);
	update fundes.fund set name = 'Jazz';
$$;

create function pg_temp.found() returns text language sql as $$
	select string_agg(format('%s %s %s', projection, stored is not null, folded is not null), ', ' order by projection)
	  from fundes.verify_projections()
$$;

create function pg_temp.told(room text) returns setof text language plpgsql as $$
begin
	perform set_config('maintenance_work_mem', room, true);
	return next is_empty('select * from fundes.verify_projections()', room || ': nothing differs');
	return next is(fundes.rebuild_projections(), 0::bigint, room || ': nothing to mend');
	perform pg_temp.damage();
	return next is(pg_temp.found(), 'fund t t, fund_entry f t, investor t f, mcp t t', room || ': what differs is told');
	return next is(fundes.rebuild_projections(), 4::bigint, room || ': and mended');
	return next is_empty('select * from fundes.verify_projections()', room || ': then nothing differs');
	return next is((select count(*) from pg_class where relname like 'fundes\_folded%'), 0::bigint, room || ': no table is left behind');
end
$$;
select pg_temp.told(room) from unnest(array['1MB', '1GB']) room;

-- A null differs from every value, the one of no bits included.
update fundes.fund set max_price_age = null;
select is(pg_temp.found(), 'fund t t', 'a null where there is a value');
select is(fundes.rebuild_projections(), 1::bigint, 'is mended');
update fundes.mcp set gone_at = '2000-01-01Z' where asset_id = 3;
select is(pg_temp.found(), 'mcp t t', 'a value where there is a null');
select is(fundes.rebuild_projections(), 1::bigint, 'is mended, too');

-- Entries are not kept to be compared: each thing that may be wrong with one is seen.
create function pg_temp.mended(damage text, what text) returns setof text language plpgsql as $$
begin
	execute damage;
	return next is(pg_temp.found(), what, damage);
	perform fundes.rebuild_projections();
	return next is_empty('select * from fundes.verify_projections()', 'is mended');
end
$$;
select min(last_position) as pay_in, max(last_position) filter (where accumulated_purchase_value is not null) as purchase from fundes.fund_entry \gset
select pg_temp.mended(replace(replace(damage, '$1', :'pay_in'), '$2', :'purchase'), what) from (values
	('update fundes.fund_entry set capital_cash = capital_cash - 1 where last_position = $2', 'fund_entry t t'),
	('update fundes.fund_entry set capital_cash = asset_value, asset_value = capital_cash where last_position = $2', 'fund_entry t t'),
	('update fundes.fund_entry set asset_value = null, liabilities = asset_value where last_position = $2', 'fund_entry t t'),
	('update fundes.fund_entry set recorded_at = recorded_at + interval ''1 microsecond'' where last_position = $2', 'fund_entry t t'),
	('update fundes.fund_entry e set recorded_at = o.recorded_at, asset_value = o.asset_value from fundes.fund_entry o'
	 ' where e.last_position in ($1, $2) and o.last_position in ($1, $2) and e.last_position <> o.last_position', 'fund_entry t t, fund_entry t t'),
	('insert into fundes.fund_entry (fund_id, last_position, effective_at, recorded_at) values (1, 1000000, now(), now())', 'fund_entry t f'),
	('delete from fundes.holding_entry', 'holding_entry f t'),
	('update fundes.holding_entry set cost_basis = units, units = cost_basis', 'holding_entry t t'),
	('insert into fundes.holding_entry (fund_id, investor_id, last_position, effective_at) values (1, ''A'', 1000000, now())', 'holding_entry t f')) d(damage, what);

-- Rows that have no room are not kept, either, but for those that differ: where none
-- does, the projection is read once, for its sum, and not joined with anything.
set local maintenance_work_mem = '1MB';
create function pg_temp.reads() returns bigint language sql volatile as $$
	select seq_scan + coalesce(idx_scan, 0) from pg_stat_xact_user_tables where relid = 'fundes.mcp'::regclass
$$;
select pg_temp.reads() as before \gset
select is_empty('select * from fundes.verify_projections()', 'nothing differs');
select is(pg_temp.reads() - :before, 1::bigint, 'and mcp is read once');
select pg_temp.mended(damage, what) from (values
	('update fundes.fund set max_price_age = ''168:00:01''', 'fund t t'),
	('update fundes.fund set max_price_age = max_price_drift * interval ''1 day'', max_price_drift = 7', 'fund t t'),
	('update fundes.mcp set registration_number = music_id, music_id = registration_number where asset_id = 7', 'mcp t t'),
	('update fundes.mcp set is_stale = true where asset_id = 7', 'mcp t t'),
	('update fundes.mcp m set cost_cash = o.cost_cash + 3, value_cash = m.value_cash from fundes.mcp o'
	 ' where m.asset_id in (7, 8) and o.asset_id in (7, 8) and m.asset_id <> o.asset_id', 'mcp t t, mcp t t'),
	('delete from fundes.mcp where asset_id = 4000', 'mcp f t'),
	('delete from fundes.investor', 'investor f t'),
	('delete from fundes.mcp', repeat('mcp f t, ', 3999) || 'mcp f t')) d(damage, what);

-- A value in another column, a bit off: no seed of the sum may make up for that.
create function pg_temp.missed(damage text, projection text) returns bigint language plpgsql as $$
declare
	missed bigint;
begin
	execute damage;
	select count(*) into missed from generate_series(1, 12) n
	 where not exists (select from fundes.verify_projections() v where v.projection = $2 and n > 0);
	perform fundes.rebuild_projections();
	return missed;
end
$$;
select is(pg_temp.missed('update fundes.mcp set back_at = timestamptz ''2000-01-01Z'' + (((extract(epoch from held_until - ''2000-01-01Z'') * 1000000)::bigint) # 1) * interval ''1 microsecond'', held_until = null where asset_id = 1', 'mcp'),
	0::bigint, 'is seen each time');

-- Equal is equal, however it is written.
update fundes.fund_entry set asset_value = 1.000 where last_position = :purchase;
update fundes.mcp set cost_cash = 1.000 where asset_id = 2;
select is_empty('select * from fundes.verify_projections()', '1 and 1.000 are the same, also in an entry');
select is(fundes.rebuild_projections(), 0::bigint, 'nor is there anything to mend');
set local maintenance_work_mem = '1GB';
select is_empty('select * from fundes.verify_projections()', 'nor where there is room');

select * from finish();
rollback;
