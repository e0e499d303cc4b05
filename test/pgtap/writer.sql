-- The projector writes past the executor: what would do more than be written is
-- refused, constraints and domains hold.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor('A', 'Kim', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00');
select fundes.create_fund('Jazz', effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', n, 100000, effective_at => '2023-06-01 09:10') from generate_series(1, 2) n;
select fundes.purchase_mcp(1, 'M1', 'R', 'S', 100, effective_at => '2023-06-01 09:20');

-- What a table may not have.
create function pg_temp.altered(change text) returns text language plpgsql as $$
begin
	execute change;
	perform fundes.purchase_mcp(1, 'M2', 'R', 'S', 1, effective_at => '2023-06-01 09:30');
	return 'went on';
exception when others then
	return sqlstate;
end
$$;
create function pg_temp.nothing() returns trigger language plpgsql as 'begin return new; end';
select is(pg_temp.altered(change), '55000', change)
  from unnest(array[
	'create trigger t before insert on fundes.mcp for each row execute function pg_temp.nothing()',
	'create trigger t after update on fundes.fund for each row execute function pg_temp.nothing()',
	'create trigger t after insert on fundes.mcp for each statement execute function pg_temp.nothing()',
	'create trigger t before update on fundes.fund for each statement execute function pg_temp.nothing()',
	'alter table fundes.fund_entry enable row level security',
	'create rule r as on insert to fundes.mcp do also notify mcp',
	'alter table fundes.mcp add foreign key (fund_id) references fundes.fund',
	'alter table fundes.fund add twice numeric generated always as (capital_cash * 2) stored',
	'alter table fundes.fund add more numeric']) change;
select is(pg_temp.altered('alter table fundes.mcp alter held_until type timestamp'), 'XX000', 'another type of a column that was looked at before');
select is(pg_temp.altered('create table of_mine (asset_id bigint references fundes.mcp)'), '55000', 'a foreign key to a projection');
select is(pg_temp.altered('create index more on fundes.mcp (music_id)'), 'went on', 'an index does no harm');
select is((select count(*) from fundes.mcp where music_id = 'S'), 2::bigint, 'and is kept');

-- The dictionary of streams is only ever added to.
savepoint streams;
create table of_mine (stream_id bigint references fundes.stream);
select is((pg_temp.attempt($$select fundes.append('keyed-1', 'X', '{}')$$)).state, '00000', 'a foreign key to the streams does no harm');
create trigger t after insert on fundes.stream for each statement execute function pg_temp.nothing();
select is((pg_temp.attempt($$select fundes.append('keyed-1', 'X', '{}')$$)).state, '00000', 'nor a trigger where no stream is new');
select is((pg_temp.attempt($$select fundes.append('keyed-2', 'X', '{}')$$)).state, '55000', 'a trigger is not passed over');
rollback to streams;

-- Indexes that come and go, of kinds that are not ours.
create function pg_temp.used(index text, what text) returns boolean language plpgsql as $$
declare
	line text;
	plan text := '';
begin
	perform set_config('enable_seqscan', 'off', true);
	for line in execute 'explain ' || what loop
		plan := plan || line;
	end loop;
	perform set_config('enable_seqscan', 'on', true);
	return plan like '%' || index || '%';
end
$$;
create function pg_temp.buys(code text) returns text language plpgsql as $$
begin
	perform fundes.purchase_mcp(1, code, 'R', 'S', 1, effective_at => '2023-06-01 09:30');
	return 'went on';
exception when others then
	return sqlstate || ' ' || sqlerrm;
end
$$;
savepoint without;
create unique index gone on fundes.mcp (music_id, (copyright_code = 'M4')) where copyright_code in ('M4', 'M5');
select is(pg_temp.buys('M4'), 'went on', 'an index with an expression and a predicate');
select is(pg_temp.buys('M6'), 'went on', 'whose predicate does not take the row');
select is(pg_temp.buys('M5'), 'went on', 'and does again');
create index hashed on fundes.mcp using hash (copyright_code);
select ok(pg_temp.used('gone', $$select from fundes.mcp where music_id = 'S' and copyright_code in ('M4', 'M5')$$), 'the one index is used');
select is((select count(*) from fundes.mcp where music_id = 'S' and copyright_code in ('M4', 'M5')), 2::bigint, 'and has its rows');
select is(pg_temp.buys('M3'), 'went on', 'a hash index');
select ok(pg_temp.used('hashed', $$select from fundes.mcp where copyright_code = 'M3'$$), 'the other index is used, too');
select is((select count(*) from fundes.mcp where copyright_code = 'M3'), 1::bigint, 'and has its row');
create unique index once on fundes.mcp (fund_id, music_id) where copyright_code > 'M6';
select is(pg_temp.buys('M7'), 'went on', 'a unique index');
select matches(pg_temp.buys('M8'), '^UF016', 'is heeded');
rollback to without;
select is(pg_temp.buys('M4'), 'went on', 'without them again');
drop index fundes.mcp_fund;
select is(pg_temp.buys('M9'), 'went on', 'without one of ours');
rollback to without;
select is(pg_temp.buys('M4'), 'went on', 'with it again');
select is((select count(*) from fundes.mcp where fund_id = 1), 3::bigint, 'all rows are in it');
rollback to without;

-- What is not ours runs with a search_path that no caller sets.
create function public.minds_path(what text) returns text immutable language plpgsql as $$
begin
	if current_setting('search_path') <> 'pg_catalog, pg_temp' and current_setting('fundes_test.minds', true) = 'yes' then
		raise exception 'search_path is %', current_setting('search_path');
	end if;
	return what;
end
$$;
create function pg_temp.minds(change text) returns text language plpgsql as $$
declare
	found text;
begin
	execute change;
	perform set_config('fundes_test.minds', 'yes', true);
	found := pg_temp.buys('M4');
	perform fundes.append('fund-1', 'McpPurchased', jsonb_build_object('fund_id', 1, 'asset_id', 1000 + x, 'copyright_code', 'M5' || x,
		'registration_number', 'R', 'music_id', 'S', 'price_cash', 1, 'acquisition_date', '2023-06-01'))
	   from generate_series(1, 2) x;
	raise exception using errcode = 'P0777', message = found || ', and appends';
exception when others then
	return sqlerrm;
end
$$;
select is(pg_temp.minds(change), 'went on, and appends', change)
  from unnest(array[
	'create index minding on fundes.mcp (public.minds_path(music_id))',
	$$create index minding on fundes.mcp (music_id) where public.minds_path(music_id) = 'S'$$,
	$$alter table fundes.mcp add check (public.minds_path(music_id) = 'S')$$]) change;

select is(pg_temp.altered('alter table fundes.mcp add check (cost_cash > 1)'), '23514', 'a CHECK of a table holds');
select is(pg_temp.altered('alter table fundes.mcp alter sold_at set not null'), '23502', 'so does NOT NULL');

-- What others hold already.
select pg_temp.refuses($$select fundes.purchase_mcp(2, 'M1', 'R', 'S', 1)$$, 'UF016', 'a command meets the rule');
select pg_temp.refuses($$select fundes.append('fund-2', 'McpPurchased', '{"fund_id": 2, "asset_id": 77, "copyright_code": "M1", "registration_number": "R", "music_id": "S", "price_cash": 1, "acquisition_date": "2023-06-01"}')$$,
	'UF016', 'an appended event meets the index');
select lives_ok($$select fundes.sell_mcp(1, (select asset_id from fundes.mcp_holding where copyright_code = 'M1'), 100, effective_at => '2023-06-02 09:00')$$, 'sold');
select lives_ok($$select fundes.purchase_mcp(2, 'M1', 'R', 'S', 1, effective_at => '2023-06-02 09:10')$$, 'it can be bought again');

-- The domains' bounds, which only a superuser's insert comes to meet.
select fundes.append('fund-1', 'FeeAccrued', '{"fund_id": 1, "amount": 1, "kind": "x"}') is not null as appended;
create function pg_temp.inserted(type text, payload jsonb) returns text language plpgsql as $$
declare
	message text;
begin
	insert into fundes.event
	select 1000000, stream_id, 1000, now(), now(), (select type_id from fundes.event_type where name = type),
		   payload, gen_random_uuid()
	  from fundes.stream where name = 'fund-1';
	return 'taken';
exception when others then
	get stacked diagnostics message = message_text;
	return sqlstate || ' ' || message;
end
$$;
select is(pg_temp.inserted('McpPurchased', '{"fund_id": 1, "asset_id": 99, "copyright_code": "M", "registration_number": "R", "music_id": "S", "price_cash": 0, "acquisition_date": "2023-06-01", "estimated_value_cash": 1e20}'),
	'23514 figure estimated_value_cash of fundes.mcp is out of bounds', 'a figure that is too large');
select is(pg_temp.inserted('McpPurchased', '{"fund_id": 1, "asset_id": 99, "copyright_code": "M", "registration_number": "R", "music_id": "S", "price_cash": 0, "acquisition_date": "2023-06-01", "estimated_value_cash": 0.00001}'),
	'23514 figure estimated_value_cash of fundes.mcp is out of bounds', 'one with too many decimals');
select fundes.record_royalty(1, asset_id, 5, effective_at => '2023-06-02 09:20') is not null as received
  from fundes.mcp where copyright_code = 'M2';
select is(pg_temp.inserted('RoyaltyReceived', format('{"fund_id": 1, "asset_id": %s, "amount": -1}', asset_id)::jsonb),
	'23514 figure royalty_income of fundes.mcp is out of bounds', 'one below 0')
  from fundes.mcp where copyright_code = 'M1' and fund_id = 1;
select is(pg_temp.inserted('FeePaid', '{"fund_id": 1, "amount": -1, "kind": "x"}'),
	'23514 new row for relation "fee_account" violates check constraint "fee_account_check"', 'a CHECK');
select is(pg_temp.inserted('FundCreated', '{"fund_id": 9, "name": "x", "initial_price": 0, "cash_scale": 5, "unit_scale": 0, "currency": "KRW", "time_zone": "Asia/Seoul"}'),
	'23514 figure cash_scale of fundes.fund is out of bounds', 'a scale');
select is(pg_temp.inserted('FundCreated', '{"fund_id": 9, "name": "x", "initial_price": 0, "cash_scale": 4, "unit_scale": 0, "currency": "KRW", "time_zone": "Asia/Seoul"}'),
	'23514 figure initial_price of fundes.fund is out of bounds', 'a price of 0');

-- Several events of one statement, and one after the other in one transaction.
select lives_ok($$select fundes.append_batch(array_fill('fund-1'::text, array[3]), array_fill('FeeAccrued'::text, array[3]),
	array_fill('{"fund_id": 1, "amount": 1, "kind": "x"}'::jsonb, array[3]))$$, 'a batch');
select is((select accrued::numeric from fundes.fee_account), 4::numeric, 'all of it counts');

-- Over many funds, which are read in one go where they lie close together; some
-- between them are not named.
select count(fundes.create_fund('Fund', effective_at => '2023-06-01 09:00')) as funds from generate_series(3, 40);
create function pg_temp.fees(funds bigint[]) returns text language plpgsql as $$
begin
	perform fundes.append_batch(array(select 'fund-' || f from unnest(funds) f),
		array_fill('FeeAccrued'::text, array[cardinality(funds)]),
		array(select jsonb_build_object('fund_id', f, 'amount', 1, 'kind', 'many') from unnest(funds) f));
	return 'went on';
exception when others then
	return sqlstate;
end
$$;
select is(pg_temp.fees(array(select f from generate_series(1, 40) f where f % 7 <> 0) || array[5::bigint, 3]), 'went on', 'a batch over many funds');
select is(pg_temp.fees(array(select f from generate_series(1, 40) f order by -f) || array_fill(40::bigint, array[30])), 'went on', 'in another order');
select is(pg_temp.fees(array(select f from generate_series(1, 41) f)), 'UF002', 'over one more than there are');
select is((select string_agg(distinct accrued::numeric::text, ' ' order by accrued::numeric::text) from fundes.fee_account where kind = 'many'), '1 2 3 32', 'all of it counts');
select is((select sum(liabilities::numeric) from fundes.fund_sheet), 4::numeric + 107, 'in the funds, too');
select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');

set transaction read only;
select pg_temp.refuses($$select fundes.accrue_fee(1, 1, 'x')$$, '25006', 'not in a READ ONLY transaction');
select * from finish();
rollback;
