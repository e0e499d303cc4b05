-- event_id, expected_version, metadata and effective_at of every command: the
-- same call again returns the first result and writes nothing, whatever has
-- happened since; other arguments are UF008.

begin;
\ir helper.inc
select no_plan();

-- In the order in which they are called: the command with its own arguments,
-- the stream it writes, other arguments under the same id, and the arguments
-- that raise UF021.
create temporary table command (n integer, call text, stream text, other text[], expecting text);
insert into command values
(1, $$select fundes.create_fund('Ballads'%s)$$, 'fund-1',
 array[$$select fundes.create_fund('Ballads II'%s)$$, $$select fundes.create_fund('Ballads', 999%s)$$, $$select fundes.create_fund('Ballads', cash_scale => 1%s)$$,
	   $$select fundes.create_fund('Ballads', unit_scale => 1%s)$$, $$select fundes.create_fund('Ballads', currency => 'USD'%s)$$, $$select fundes.create_fund('Ballads', time_zone => 'UTC'%s)$$], '7'),
(2, $$select fundes.create_investor('A', 'Kim'%s)$$, 'investor-A',
 array[$$select fundes.create_investor('B', 'Kim'%s)$$, $$select fundes.create_investor('A', 'Lee'%s)$$], '7'),
(3, $$select fundes.create_investment('A', 1, 100500%s)$$, 'holding-1-A',
 array[$$select fundes.create_investment('A', 1, 100400%s)$$, $$select fundes.create_investment('Z', 1, 100500%s)$$, $$select fundes.create_investment('A', 2, 100500%s)$$], '7'),
(4, $$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 50000%s)$$, 'fund-1',
 array[$$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 50001%s)$$, $$select fundes.purchase_mcp(1, 'M2', 'R1', 'S1', 50000%s)$$, $$select fundes.purchase_mcp(1, 'M1', 'R2', 'S1', 50000%s)$$,
	   $$select fundes.purchase_mcp(1, 'M1', 'R1', 'S2', 50000%s)$$, $$select fundes.purchase_mcp(2, 'M1', 'R1', 'S1', 50000%s)$$, $$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 50000, 60000%s)$$,
	   $$select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 50000, acquisition_date => '2020-01-01'%s)$$], '7'),
(5, $$select * from fundes.update_mcp_asset_value(1, '2023-06-01'%s)$$, 'fund-1',
 array[$$select * from fundes.update_mcp_asset_value(1, '2023-06-02'%s)$$, $$select * from fundes.update_mcp_asset_value(2, '2023-06-01'%s)$$], '7'),
(6, $$select fundes.record_royalty(1, pg_temp.asset('M1'), 70, '2023-05-01'%s)$$, 'fund-1',
 array[$$select fundes.record_royalty(1, pg_temp.asset('M1'), 71, '2023-05-01'%s)$$, $$select fundes.record_royalty(1, pg_temp.asset('M1'), 70%s)$$, $$select fundes.record_royalty(1, 1 + pg_temp.asset('M1'), 70, '2023-05-01'%s)$$], '77'),
(7, $$select fundes.accrue_fee(1, 30%s)$$, 'fund-1', array[$$select fundes.accrue_fee(1, 31%s)$$, $$select fundes.accrue_fee(1, 30, 'audit'%s)$$, $$select fundes.pay_fee(1, 30%s)$$], '77'),
(8, $$select fundes.pay_fee(1, 30%s)$$, 'fund-1', array[$$select fundes.pay_fee(1, 29%s)$$, $$select fundes.pay_fee(1, 30, 'audit'%s)$$, $$select fundes.accrue_fee(1, 30%s)$$], '77'),
(9, $$select fundes.sell_mcp(1, pg_temp.asset('M1'), 50100%s)$$, 'fund-1', array[$$select fundes.sell_mcp(1, pg_temp.asset('M1'), 50101%s)$$, $$select fundes.sell_mcp(1, 1 + pg_temp.asset('M1'), 50100%s)$$], '77'),
(10, $$select fundes.set_price_limits(1, 0.5, '3 days'%s)$$, 'fund-1', array[$$select fundes.set_price_limits(1, 0.4, '3 days'%s)$$, $$select fundes.set_price_limits(1, 0.5, '4 days'%s)$$, $$select fundes.set_price_limits(1, null, '3 days'%s)$$], '77'),
(11, $$select fundes.withdraw_investment('A', 1, 100%s)$$, 'holding-1-A',
 array[$$select fundes.withdraw_investment('A', 1, 99%s)$$, $$select fundes.withdraw_investment('Z', 1, 100%s)$$, $$select fundes.create_investment('A', 1, 100%s)$$], '77');

create function pg_temp.id(n integer) returns uuid
language sql as $$ select ('50000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
create function pg_temp.at(n integer) returns text
language sql as $$ select format(', effective_at => %L', timestamptz '2023-06-01 09:00' + case when n >= 5 then interval '1 day' else '0' end + n * interval '1 minute') $$;
create function pg_temp.key(n integer) returns text
language sql as $$ select format(', event_id => %L', pg_temp.id(n)) $$;

-- Each command: a wrong expected_version, then the call, then the call again.
create temporary table outcome (n integer, first jsonb);
create function pg_temp.run(c command) returns setof text
language plpgsql as $$
declare
	args text := pg_temp.at(c.n) || pg_temp.key(c.n);
	name text := format('%s. %s', c.n, substring(c.call from 'fundes\.(\w+)'));
	before bigint := fundes.stream_version(c.stream);
	r jsonb;
begin
	return next pg_temp.refuses(format(c.call, args || ', expected_version => ' || c.expecting), 'UF021', name || ': another expected_version');
	return next is((pg_temp.attempt(format(c.call, args || ', expected_version => ' || c.expecting))).detail::jsonb,
				   jsonb_build_array(jsonb_build_object('stream', c.stream, 'expected', c.expecting::bigint, 'actual', before)),
				   name || ': DETAIL of UF021');
	return next pg_temp.refuses(format(c.call, args || ', expected_version => -1'), '22023', name || ': expected_version -1');
	return next pg_temp.refuses(format(c.call, args || $m$, metadata => '"x"'$m$), '22023', name || ': metadata is no object');
	r := pg_temp.result(format(c.call, args || format($m$, expected_version => %s, metadata => '{"actor": "Kim", "call": %s}'$m$, before, c.n)));
	insert into outcome values (c.n, r);
	return next is(
		(select format('%s %s %s %s %s', stream, version, event_id, metadata, effective_at) from fundes.event_log order by position desc limit 1),
		format('%s %s %s %s %s', c.stream, before + 1, pg_temp.id(c.n), jsonb_build_object('actor', 'Kim', 'call', c.n),
			   substring(pg_temp.at(c.n) from '''(.*)''')::timestamptz),
		name || ': the event has its stream, version, id, metadata and time');
end
$$;

select pg_temp.run(c) from command c order by n;
select is((select count(*) from fundes.event_log), 11::bigint, 'eleven commands are eleven events');

-- Now every unit is withdrawn and the copyright sold; each call again.
select is(pg_temp.result(format(c.call, pg_temp.at(n) || pg_temp.key(n))), o.first,
		  format('%s. the same call again returns the first result: %s', n, c.call))
  from command c join outcome o using (n) order by n;
select pg_temp.writes_nothing(format(call, pg_temp.at(n) || pg_temp.key(n)), format('%s. and writes nothing', n)) from command order by n;
select is(pg_temp.result(format(c.call, pg_temp.key(n))), o.first, format('%s. effective_at counts only where it is given', n))
  from command c join outcome o using (n) order by n;
select is(pg_temp.result(format(c.call, pg_temp.key(n) || $$, expected_version => 99, metadata => '{"trace": 2}'$$)), o.first,
		  format('%s. expected_version and metadata do not count', n))
  from command c join outcome o using (n) order by n;
select is(pg_temp.result(format(replace(c.call, '100500', '100500.0'), pg_temp.key(n))), o.first, '100500.0 is 100500')
  from command c join outcome o using (n) where n = 3;

-- Other arguments.
select pg_temp.refuses(format(call, ', effective_at => ''2023-06-01 09:59''' || pg_temp.key(n)), 'UF008', format('%s. another effective_at: %s', n, call))
  from command order by n;
select pg_temp.refuses(format(o, pg_temp.key(n)), 'UF008', format('%s. other arguments: %s', n, o))
  from command, unnest(other) o order by n;
select is((pg_temp.attempt(format(o, pg_temp.key(n)))).detail::jsonb ->> 'event_id', pg_temp.id(n)::text, format('%s. DETAIL names the id', n))
  from command, unnest(other[1:1]) o order by n;
select pg_temp.refuses($$select fundes.append('order-1', 'X', '{}'$$ || pg_temp.key(1) || ')', 'UF008', 'an id of a command is known to append');
select fundes.append('order-1', 'X', '{}', event_id => pg_temp.id(99));
select pg_temp.refuses($$select fundes.create_fund('Ballads'$$ || pg_temp.key(99) || ')', 'UF008', 'and the other way round');

-- Arguments are checked before the replay.
select pg_temp.refuses($$select fundes.create_investment('A', 1, null$$ || pg_temp.key(3) || ')', '22004', 'NULL before replay');
select pg_temp.refuses($$select fundes.create_investment('A', 1, 100500.5$$ || pg_temp.key(3) || ')', 'UF005', 'amounts before replay');
select pg_temp.refuses($$select fundes.create_investment('A', 1, 100500, metadata => '1'$$ || pg_temp.key(3) || ')', '22023', 'other arguments before replay');

select is((select count(*) from fundes.event_log where stream like 'fund%' or stream like 'h%' or stream like 'inv%'), 11::bigint, 'there are eleven events still');
select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');

select * from finish();
rollback;
