-- What is looked up by one descent of an index is what a query finds, wherever the
-- entry lies and whatever lies beside it. The quotes of copyrights are the example:
-- the last one up to a day.

begin;
\ir helper.inc
select no_plan();
set local fundes.max_quote_age = '100000 days';

-- What get_mcp_index() is to say, by a plan that uses no index.
create function pg_temp.quote(code text, day date) returns numeric language sql
	set enable_indexscan = off set enable_bitmapscan = off set enable_indexonlyscan = off as
$$ select price from fundes.mcp_price p
	where (p.copyright_code, p.registration_number, p.music_id) = ($1, 'R', 'M') and price_date <= $2
	order by price_date desc limit 1 $$;
create function pg_temp.record(code text, day date, price numeric) returns void language sql as
$$ select fundes.record_mcp_price(code, 'R', 'M', day, price) $$;

-- 120 copyrights, names of several lengths, with 0 to 39 quotes: many leaves.
select count(pg_temp.record('K' || c, date '2020-01-01' + 3 * d, c * 100 + d)) from generate_series(1, 120) c, generate_series(1, c % 40) d \g /dev/null
create temporary view difference as
	select * from (select 'K' || n, day, fundes.get_mcp_index('K' || n, 'R', 'M', day), pg_temp.quote('K' || n, day)
					 from generate_series(0, 125) n, generate_series(date '2019-12-30', '2020-05-15', '5 days') moment, cast(moment as date) day) x(code, day, said, expected)
	 where said is distinct from expected;
select is_empty('table difference',
	'each copyright on days before, between and after its quotes');
select is(fundes.get_mcp_index('K39', 'R', 'M', '2020-01-03'), null, 'before the first quote there is none');
select is(fundes.get_mcp_index('K39', 'R', 'M', '2020-01-04'), 3901.0000, 'the first one');
select is(fundes.get_mcp_index('K39', 'R', 'N', '2021-01-01'), null, 'the neighbour of another piece of music is not taken');
select is(fundes.get_mcp_index('K390', 'R', 'M', '2021-01-01'), null, 'nor that of another code');
select is(fundes.get_mcp_index('', 'R', 'M', '2021-01-01'), null, 'nothing lies before all');
select is(fundes.get_mcp_index('~', 'R', 'M', '2021-01-01'), null, 'nor behind');

-- Entries whose rows do not count: the last ones of a copyright, few and a page full.
savepoint s;
select count(pg_temp.record('K39', date '2021-01-01' + n, n)) from generate_series(1, 3) n \g /dev/null
select is(fundes.get_mcp_index('K39', 'R', 'M', '2021-12-31'), 3.0000, 'quotes of a savepoint count');
rollback to s;
select is(fundes.get_mcp_index('K39', 'R', 'M', '2021-12-31'), 3939.0000, 'until it is rolled back');
select count(pg_temp.record('K79', date '2021-01-01' + n, n)) from generate_series(1, 1000) n \g /dev/null
rollback to s;
select is(fundes.get_mcp_index('K79', 'R', 'M', '2025-12-31'), 7939.0000, 'a thousand of them');
select is(fundes.get_mcp_index('K79', 'R', 'M', '2025-12-31'), 7939.0000, 'looked up once more');
select is(fundes.get_mcp_index('K8', 'R', 'M', '2025-12-31'), 808.0000, 'the copyright after them');

-- Versions of one row, each with an entry of its own, as an index on the price keeps
-- them from being on one page; so many that one entry comes to stand for several of
-- them. Each is taken back once, so that the last entry is now and then that one.
create index on fundes.mcp_price (price);
create function pg_temp.wrong_versions(times integer) returns bigint language plpgsql as $$
declare
	said numeric[] := '{}';
begin
	for n in 1 .. times loop
		begin
			perform pg_temp.record('K50', '2020-01-04', n);
			raise exception 'taken back';
		exception when raise_exception then
			null;
		end;
		for again in 1 .. 2 loop
			said := said || coalesce(nullif(fundes.get_mcp_index('K50', 'R', 'M', '2020-01-05'), 5001), 0) - (n - 1);
		end loop;
		perform pg_temp.record('K50', '2020-01-04', n);
	end loop;
	return (select count(*) from unnest(said) difference where difference <> 0);
end
$$;
select is(pg_temp.wrong_versions(500), 0::bigint, 'the last version of many, but for those that were taken back');
select is(fundes.get_mcp_index('K50', 'R', 'M', '2020-12-31'), 5010.0000, 'and a quote after it');

set client_min_messages = warning;
reindex table fundes.mcp_price;
select is_empty('table difference',
	'all of them again, in an index that was built anew');

select * from finish();
rollback;
