-- record_mcp_price, get_mcp_index.

begin;
\ir helper.inc
select no_plan();

create function pg_temp.index_at(as_of date) returns numeric
language sql as $$ select trim_scale(fundes.get_mcp_index('M1', 'R1', 'S1', as_of)) $$;

select is(pg_temp.index_at('2023-06-01'), null::numeric, 'no quote: NULL');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000);
select is(pg_temp.index_at('2023-06-01'), 630000::numeric, 'the quote of the day');
select is(pg_temp.index_at('2023-05-31'), null::numeric, 'a later quote does not count');
select pg_temp.writes_nothing($$select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000.0)$$, 'the same again is harmless');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000.1234);
select is(pg_temp.index_at('2023-06-01'), 630000.1234, 'another price for the day replaces it');
select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-10', 0);
select is(pg_temp.index_at('2023-06-09'), 630000.1234, 'the last quote on or before the day');
select is(pg_temp.index_at('2023-06-11'), 0::numeric, 'a quote of 0 is one');
select is(pg_temp.index_at('2023-07-10'), 0::numeric, 'a quote of exactly fundes.max_quote_age counts');
select is(pg_temp.index_at('2023-07-11'), null::numeric, 'an older one does not');
set local fundes.max_quote_age = '2 days';
select is(pg_temp.index_at('2023-06-12'), 0::numeric, 'set to 2 days: 2 days');
select is(pg_temp.index_at('2023-06-13'), null::numeric, 'set to 2 days: 3 days');
select is(pg_temp.index_at('2023-06-04'), null::numeric, 'nor is an older quote taken instead');
set local fundes.max_quote_age = '1 month';
select is(pg_temp.index_at('2023-07-10'), 0::numeric, 'the setting is an interval');
select is((pg_temp.attempt($$set local fundes.max_quote_age = 'soon'$$)).state, '22023', 'and nothing else');
select ok(detail <> '' and hint <> '', 'and how it is written') from pg_temp.attempt($$set local fundes.max_quote_age = 'soon'$$);
reset fundes.max_quote_age;

select is(fundes.get_mcp_index(a, b, c, '2023-06-01'), null, format('another copyright: %s %s %s', a, b, c))
  from (values ('M2', 'R1', 'S1'), ('M1', 'R2', 'S1'), ('M1', 'R1', 'S2'), ('m1', 'R1', 'S1')) v(a, b, c);
select fundes.record_mcp_price('M5', 'R1', 'S1', current_date, 5);
select is(fundes.get_mcp_index('M5', 'R1', 'S1'), 5::numeric, 'as_of is today by default');
select is((select count(*) from fundes.event_log), 0::bigint, 'a quote is no event');

select pg_temp.refuses('select fundes.record_mcp_price(' || arguments || ')', code, 'record_mcp_price: ' || rule)
  from (values
	($$null, 'R1', 'S1', '2023-06-02', 1$$, '22004', 'copyright_code is null'),
	($$'M1', null, 'S1', '2023-06-02', 1$$, '22004', 'registration_number is null'),
	($$'M1', 'R1', null, '2023-06-02', 1$$, '22004', 'music_id is null'),
	($$'M1', 'R1', 'S1', null, 1$$, '22004', 'price_date is null'),
	($$'M1', 'R1', 'S1', '2023-06-02', null$$, '22004', 'price is null'),
	($$'M1', 'R1', 'S1', '2023-06-02', -1$$, 'UF005', 'price -1'),
	($$'M1', 'R1', 'S1', '2023-06-02', 'NaN'$$, 'UF005', 'price NaN'),
	($$'M1', 'R1', 'S1', '2023-06-02', 'Infinity'$$, 'UF005', 'price Infinity'),
	($$'M1', 'R1', 'S1', '2023-06-02', '-Infinity'$$, 'UF005', 'price -Infinity'),
	($$'M1', 'R1', 'S1', '2023-06-02', 0.00001$$, 'UF005', 'price of 5 decimals'),
	($$'M1', 'R1', 'S1', '2023-06-02', 1e16$$, '22003', 'price too large'),
	($$'', 'R1', 'S1', '2023-06-02', 1$$, '22023', 'copyright_code is empty'),
	($$'M1', '', 'S1', '2023-06-02', 1$$, '22023', 'registration_number is empty'),
	($$'M1', 'R1', '', '2023-06-02', 1$$, '22023', 'music_id is empty'),
	($$repeat('x', 256), 'R1', 'S1', '2023-06-02', 1$$, '22023', 'copyright_code is too long'),
	($$'M1', 'R1', 'S1', 'infinity', 1$$, '22023', 'price_date infinity'),
	($$'M1', 'R1', 'S1', (now() at time zone 'UTC')::date + 2, 1$$, '22023', 'price_date in the future'),
	($$'', null, 'S1', '2023-06-02', -1$$, '22004', 'NULL first'),
	($$'', 'R1', 'S1', '2023-06-02', -1$$, 'UF005', 'then the price')) v(arguments, code, rule);
select pg_temp.accepts($$select fundes.record_mcp_price('M6', 'R1', 'S1', (now() at time zone 'UTC')::date + 1, 1)$$, 'tomorrow in UTC is today somewhere');
select isnt((pg_temp.attempt($$select fundes.record_mcp_price('M6', 'R1', 'S1', '2206-06-08', 1)$$)).hint, '', 'a slip of the year has a hint');
select pg_temp.refuses('select fundes.get_mcp_index(' || arguments || ')', '22004', 'get_mcp_index: NULL')
  from unnest(array[$$null, 'R1', 'S1'$$, $$'M1', null, 'S1'$$, $$'M1', 'R1', null$$, $$'M1', 'R1', 'S1', null$$]) arguments;

select * from finish();
rollback;
