-- Reversals: the books as if an event had not been, from a moment on.

begin;
\ir helper.inc
select no_plan();

select fundes.create_investor(id, id, effective_at => '2023-01-01 09:00') from unnest(array['A', 'B']) id;
create function pg_temp.last_id() returns uuid
language sql as $$ select event_id from fundes.event_log order by position desc limit 1 $$;
create function pg_temp.books(fund bigint) returns jsonb
language sql as $$
	select to_jsonb(s) - 'last_valuation_date' from fundes.fund_sheet s where fund_id = fund
$$;
create function pg_temp.holdings(fund bigint) returns jsonb
language sql as $$
	select jsonb_agg(to_jsonb(v) order by v.investor_id) from fundes.investment_current_value v where v.fund_id = fund
$$;

-- Arguments.
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00', event_id => '84000000-0000-4000-8000-000000000001') as f \gset
select fundes.set_price_limits(:f, null, null, effective_at => '2023-06-01 09:00', event_id => '84000000-0000-4000-8000-000000000002');
select pg_temp.refuses(command, code, rule)
  from (values
	('select fundes.reverse_event(null, ''x'')', '22004', 'no event'),
	('select fundes.reverse_event(''84000000-0000-4000-8000-000000000099'', '''')', '22023', 'an empty reason'),
	('select fundes.reverse_event(''84000000-0000-4000-8000-000000000099'', ''x'')', '22023', 'an unknown event'),
	('select fundes.reverse_event(''84000000-0000-4000-8000-000000000001'', ''x'')', '22023', 'FundCreated'),
	('select fundes.reverse_event(''84000000-0000-4000-8000-000000000002'', ''x'')', '22023', 'PriceLimitsSet')) v(command, code, rule);

-- Each type: done, reversed at the same moment and later, reversed twice.
create temporary table step (n integer generated always as identity, call text, type text);
insert into step (call, type) values
	($$select fundes.create_investment('A', %1$s, 10500, effective_at => '2023-06-02 09:00')$$, 'InvestmentCreated'),
	($$select fundes.create_investment('B', %1$s, 5000, effective_at => '2023-06-02 10:00')$$, 'InvestmentCreated'),
	($$select fundes.purchase_mcp(%1$s, 'M1', 'R', 'S', 3000, effective_at => '2023-06-03 09:00')$$, 'McpPurchased'),
	($$select fundes.record_royalty(%1$s, pg_temp.asset('M1'), 70, effective_at => '2023-06-04 09:00')$$, 'RoyaltyReceived'),
	($$select fundes.withdraw_investment('A', %1$s, 3, effective_at => '2023-06-05 09:00')$$, 'InvestmentWithdrawn'),
	($$select fundes.accrue_fee(%1$s, 40, effective_at => '2023-06-06 09:00')$$, 'FeeAccrued'),
	($$select fundes.pay_fee(%1$s, 30, effective_at => '2023-06-07 09:00')$$, 'FeePaid'),
	($$select fundes.sell_mcp(%1$s, pg_temp.asset('M1'), 3100, effective_at => '2023-06-08 09:00')$$, 'McpSold'),
	($$select fundes.declare_distribution(%1$s, 121, effective_at => '2023-06-09 09:00')$$, 'DistributionDeclared'),
	($$select fundes.pay_distribution(%1$s, 2, effective_at => '2023-06-10 09:00')$$, 'DistributionPaid'),
	($$select fundes.create_investment('A', %1$s, 12000, effective_at => '2023-06-11 09:00')$$, 'InvestmentCreated');

create function pg_temp.step_and_back(s step, fund bigint) returns setof text
language plpgsql as $$
declare
	books jsonb := pg_temp.books(fund);
	held jsonb := pg_temp.holdings(fund);
	price jsonb;
	id uuid;
	at timestamptz;
	name text := s.n || '. ' || s.type;
	r pg_temp.refusal;
begin
	-- reversed at its own moment, and then done anew
	execute format(s.call, fund);
	id := pg_temp.last_id();
	select effective_at into at from fundes.event_log where event_id = id;
	price := pg_temp.books(fund) -> 'base_price';
	return next is((select type from fundes.event_log where event_id = id), s.type, name);
	return next pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => %L)', id, at - interval '1 microsecond'), '22023', name || ': before it');
	return next pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => %L, expected_version => 0)', id, at), 'UF021', name || ': another expected version');
	return next pg_temp.accepts(format('select fundes.reverse_event(%L, ''mistaken'', effective_at => %L)', id, at), name || ' is reversed');
	return next is(pg_temp.books(fund) - 'base_price' - 'price_drift', books - 'base_price' - 'price_drift', name || ': every figure of the fund is as before');
	if held is not null and s.type <> 'DistributionDeclared' then
		return next is((select jsonb_agg(h - 'current_value' - 'unrealised_gain' - 'base_price') from jsonb_array_elements(pg_temp.holdings(fund)) h
						 where h ->> 'investment_amount' <> '0'),
					   (select jsonb_agg(h - 'current_value' - 'unrealised_gain' - 'base_price') from jsonb_array_elements(held) h
						 where h ->> 'investment_amount' <> '0'), name || ': and of the holdings');
	end if;
	return next pg_temp.books_balance(name || ': the books balance');
	return next is((select payload - 'reversed' - 'base_price' from fundes.event_log order by position desc limit 1),
		jsonb_build_object('fund_id', fund, 'reversed_event_id', id, 'reason', 'mistaken', 'reversed_type', s.type,
			'reversed_position', (select position from fundes.event_log where event_id = id)), name || ': EventReversed names it');
	return next is((select payload -> 'reversed' from fundes.event_log order by position desc limit 1),
		(select payload from fundes.event_log where event_id = id), name || ': and has its payload');
	return next pg_temp.refuses(format('select fundes.reverse_event(%L)', id), 'UF013', name || ': once');
	return next pg_temp.refuses(format('select fundes.reverse_event(%L)', pg_temp.last_id()), '22023', name || ': a reversal is not reversed');
	return next pg_temp.accepts(format(s.call, fund), name || ' is done anew');
end
$$;
select pg_temp.step_and_back(s, :f) from step s order by n;
select is((select count(*) from fundes.reversal where fund_id = :f), 11::bigint, 'eleven reversals');

-- Replay.
select fundes.record_royalty(:f, pg_temp.asset('M1'), 5, effective_at => '2023-06-12 09:00', event_id => '84000000-0000-4000-8000-000000000003');
select is(fundes.reverse_event('84000000-0000-4000-8000-000000000003', 'twice', event_id => '84000000-0000-4000-8000-000000000004'), '84000000-0000-4000-8000-000000000004', 'its id is returned');
select pg_temp.writes_nothing($$select fundes.reverse_event('84000000-0000-4000-8000-000000000003', 'twice', event_id => '84000000-0000-4000-8000-000000000004')$$, 'repeated');
select pg_temp.refuses($$select fundes.reverse_event('84000000-0000-4000-8000-000000000003', 'why', event_id => '84000000-0000-4000-8000-000000000004')$$, 'UF008', 'with another reason');
select pg_temp.refuses(format('select fundes.reverse_event(%L, ''twice'', event_id => ''84000000-0000-4000-8000-000000000004'')', id), 'UF008', 'another event: ' || id)
  from unnest(array['84000000-0000-4000-8000-000000000002', '84000000-0000-4000-8000-000000000099']) id;

-- What later events build on.
select fundes.create_fund('Soul', effective_at => '2023-06-01 09:00') as g \gset
select fundes.set_price_limits(:g, null, null, effective_at => '2023-06-01 09:00');
create function pg_temp.id(n integer) returns uuid
language sql as $$ select ('85000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
select fundes.create_investment('A', :g, 5000, effective_at => '2023-06-02 09:00', event_id => pg_temp.id(1));
select fundes.create_investment('B', :g, 5000, effective_at => '2023-06-02 10:00', event_id => pg_temp.id(2));
select fundes.purchase_mcp(:g, 'V1', 'R', 'S', 8000, effective_at => '2023-06-03 09:00', event_id => pg_temp.id(3)) as v1 \gset
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => %L)', pg_temp.id(2), at), 'UF014', rule)
  from (values ('2023-06-02 10:00', 'a pay-in whose cash a later purchase needed'), ('2023-06-03 09:00', 'at the moment of that'), (null, 'now')) v(at, rule);
select fundes.record_royalty(:g, :v1, 4500, effective_at => '2023-06-04 09:00', event_id => pg_temp.id(4));
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2023-06-02 10:00'')', pg_temp.id(2)), 'UF014', 'enough then and now, but not in between');
select pg_temp.refuses(format('select fundes.reverse_event(%L)', pg_temp.id(3)), 'UF014', 'a purchase with royalties');
select fundes.withdraw_investment('B', :g, 3, effective_at => '2023-06-05 09:00', event_id => pg_temp.id(5));
select pg_temp.refuses(format('select fundes.reverse_event(%L)', pg_temp.id(2)), 'UF014', 'a pay-in whose units were withdrawn in part');
select is((pg_temp.attempt(format('select fundes.reverse_event(%L)', pg_temp.id(2)))).detail ~ '^The reversal takes back \d+ of the units of the holding; there are only \d+\.$', true, 'how much it takes back, and what there is');
select pg_temp.refuses(format('select fundes.reverse_event(%L)', pg_temp.id(4)), 'UF014', 'a royalty that was spent in part');
select fundes.reverse_event(pg_temp.id(5), effective_at => '2023-06-06 09:00');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2023-06-05 09:00'')', pg_temp.id(2)), 'UF014', 'the units are back later only');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-06 09:00'')', pg_temp.id(2)), 'then the pay-in can be reversed');
select is((select units from fundes.investment_current_value where investor_id = 'B' and fund_id = :g)::numeric, 0::numeric, 'no units are left of it');
select pg_temp.refuses(format('select fundes.withdraw_investment(''B'', %s, 1, effective_at => ''2023-06-04 12:00'')', :g), 'UF004', 'nor may they be withdrawn before the reversal');

select fundes.create_investment('A', :g, 5000, effective_at => '2023-06-06 08:00');
select fundes.reverse_event(pg_temp.id(4), effective_at => '2023-06-06 09:00');
select fundes.sell_mcp(:g, :v1, 8100, effective_at => '2023-06-07 09:00');
select event_id as sale from fundes.event_log order by position desc limit 1 \gset
select pg_temp.refuses(format('select fundes.reverse_event(%L)', pg_temp.id(3)), 'UF014', 'a purchase, after its sale');
select fundes.create_fund('Folk', effective_at => '2023-06-01 09:00') as h \gset
select fundes.create_investment('A', :h, 10000, effective_at => '2023-06-02 09:00');
select fundes.purchase_mcp(:h, 'V1', 'R', 'S', 8200, effective_at => '2023-06-08 09:00') as v2 \gset
select pg_temp.refuses(format('select fundes.reverse_event(%L)', :'sale'), 'UF014', 'a sale, where another fund has the copyright now');
select fundes.sell_mcp(:h, :v2, 8200, effective_at => '2023-06-09 09:00');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2023-06-08 12:00'')', :'sale'), 'UF014', 'or had it after the reversal');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-09 09:00'')', :'sale'), 'when that has sold it');
select pg_temp.same(format('select asset_id, value_cash::numeric from fundes.mcp_holding where fund_id = %s', :g), format('select %s::bigint, 8000::numeric', :v1), 'it is held again');
select pg_temp.refuses(format('select fundes.purchase_mcp(%s, ''V1'', ''R'', ''S'', 1, effective_at => ''2023-06-09 10:00'')', :h), 'UF016', 'by this fund');
select pg_temp.refuses(format('select fundes.sell_mcp(%s, %s, 1, effective_at => %L)', :g, :v1, at), 'UF007', 'sold while it was away, or before: ' || at)
  from unnest(array['2023-06-08 09:00', '2023-06-06 12:00']) at;
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2023-06-08 09:00'')', pg_temp.id(3)), 'UF014', 'its purchase reversed while it was away');
-- a valuation of a day on which it was away does not value it
select fundes.update_mcp_asset_value(:g, day, effective_at => day + time '00:00' + interval '1 day') from (values (date '2023-06-08'), ('2023-06-09')) v(day);
select pg_temp.same(format('select valuation_date, asset_value::numeric from fundes.nav_history where fund_id = %s order by 1', :g),
	$$values (date '2023-06-08', 0::numeric), ('2023-06-09', 8000)$$, 'a valuation knows when it was away');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-10 09:00'')', pg_temp.id(3)), 'now its purchase');
select is_empty(format('select from fundes.mcp_holding where fund_id = %s', :g), 'it is not held');
select is(pg_temp.figures(:g, 'capital_cash', 'asset_value', 'accumulated_purchase_value', 'realised_gain'), 'capital_cash 10000, asset_value 0, accumulated_purchase_value 0, realised_gain 0', 'as if it had never been: its sale was mended before');
select pg_temp.refuses(format(command, :g, :v1), 'UF007', command)
  from unnest(array['select fundes.record_royalty(%s, %s, 1)', 'select fundes.sell_mcp(%s, %s, 1)']) command;
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''V1'', ''R'', ''S'', 1, effective_at => ''2023-06-11 09:00'')', :h), 'another fund may buy it');
select pg_temp.books_balance('the books balance after all of them');

-- A copyright is held by one fund at every moment: a purchase that is reversed
-- later was one until then, and one reversed at its own moment never was.
select fundes.create_fund(n, effective_at => '2023-06-01 09:00') from unnest(array['Reggae', 'Rock']) n;
select max(fund_id) - 1 as p, max(fund_id) as q from fundes.fund_sheet \gset
select fundes.set_price_limits(fund, null, null, effective_at => '2023-06-01 09:00'), fundes.create_investment('A', fund, 100000, effective_at => '2023-06-01 10:00') from unnest(array[:p, :q]) fund;
select fundes.purchase_mcp(:p, 'U1', 'R', 'S', 50000, effective_at => '2023-06-02 11:00', event_id => pg_temp.id(51)) as u1 \gset
savepoint never_held;
select fundes.reverse_event(pg_temp.id(51), effective_at => '2023-06-02 11:00');
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''U1'', ''R'', ''S'', 50000, effective_at => ''2023-06-01 12:00'')', :q), 'what the other fund never held may be bought at any time');
rollback to never_held;
select fundes.reverse_event(pg_temp.id(51), effective_at => '2023-06-10 10:00');
select pg_temp.refuses(format('select fundes.purchase_mcp(%s, ''U1'', ''R'', ''S'', 50000, effective_at => %L)', fund, at), 'UF016', format('what fund %s held from 06-02 until the reversal on 06-10, bought by fund %s: %s', :p, fund, at))
  from unnest(array[:p, :q]) fund, unnest(array['2023-06-01 12:00', '2023-06-02 11:00', '2023-06-05 11:00', '2023-06-10 09:59:59.999999']) at;
select is((pg_temp.attempt(format('select fundes.purchase_mcp(%s, ''U1'', ''R'', ''S'', 50000, effective_at => ''2023-06-05 11:00'')', :q))).detail, format('Fund %s held after effective_at (U1, R, S).', :p), 'by whom');
select is((select string_agg(trim_scale((fundes.fund_state_at(:p, at)).asset_value)::text, ' ' order by at) from unnest(array['2023-06-06', '2023-06-10 10:00']::timestamptz[]) at), '50000 0', 'its value counts until then');
select pg_temp.accepts(format('select fundes.purchase_mcp(%s, ''U1'', ''R'', ''S'', 50000, effective_at => ''2023-06-10 10:00'')', :q), 'from the reversal on it may be bought');
-- nor can a sale be reversed into the time in which another fund held it
select fundes.purchase_mcp(:p, 'U2', 'R', 'S', 10000, effective_at => '2023-06-02 11:00') as u2 \gset
select fundes.sell_mcp(:p, :u2, 10000, effective_at => '2023-06-05 11:00');
select event_id as u2_sale from fundes.event_log order by position desc limit 1 \gset
select fundes.purchase_mcp(:q, 'U2', 'R', 'S', 10000, effective_at => '2023-06-06 11:00', event_id => pg_temp.id(52));
select fundes.reverse_event(pg_temp.id(52), effective_at => '2023-06-12 11:00');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => %L)', :'u2_sale', at), 'UF014', 'a sale, while another fund held the copyright by a purchase that is reversed: ' || at)
  from unnest(array['2023-06-05 11:00', '2023-06-06 11:00', '2023-06-12 10:59:59.999999']) at;
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-12 11:00'')', :'u2_sale'), 'from that reversal on');
-- between a sale and its reversal it was not held, and after that it is
select fundes.sell_mcp(:p, :u2, 10000, effective_at => '2023-06-15 11:00');
select pg_temp.refuses(format('select fundes.purchase_mcp(%s, ''U2'', ''R'', ''S'', 10000, effective_at => %L)', :q, at), 'UF016', 'bought before it came back and was sold again: ' || at)
  from unnest(array['2023-06-05 11:00', '2023-06-11', '2023-06-15 10:59:59.999999']) at;
-- a valuation knows until when it was held
select fundes.update_mcp_asset_value(:p, day, effective_at => '2023-06-20') from (values (date '2023-06-03'), ('2023-06-09'), ('2023-06-10')) v(day);
select pg_temp.same(format('select valuation_date, asset_value::numeric from fundes.nav_history where fund_id = %s order by 1', :p),
	$$values (date '2023-06-03', 60000::numeric), ('2023-06-09', 50000), ('2023-06-10', 0)$$, 'a valuation counts it until the reversal');

-- Units and cost basis are there at every later moment, not only now.
select fundes.create_fund('Opera', effective_at => '2023-06-01 09:00') as o \gset
select fundes.set_price_limits(:o, null, null, effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', :o, 10000, effective_at => '2023-06-01 10:00', event_id => pg_temp.id(41));
select fundes.purchase_mcp(:o, 'O1', 'R', 'S', 1000, effective_at => '2023-06-01 11:00') as o1 \gset
select fundes.record_royalty(:o, :o1, 10000, effective_at => '2023-06-01 12:00');
select fundes.update_mcp_asset_value(:o, '2023-06-01', effective_at => '2023-06-02 00:00');
select fundes.create_investment('A', :o, 20000, effective_at => '2023-06-02 10:00', event_id => pg_temp.id(42));
select fundes.create_investment('B', :o, 40000, effective_at => '2023-06-02 10:30');
select fundes.withdraw_investment('A', :o, 10, effective_at => '2023-06-03 10:00', event_id => pg_temp.id(43));
select fundes.create_investment('A', :o, 20000, effective_at => '2023-06-04 10:00');
select is((select (units, cost_basis)::text from fundes.investment_current_value where fund_id = :o and investor_id = 'A'), '(20,35000)', 'enough of both now');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2023-06-02 10:00'')', pg_temp.id(42)), 'UF014', 'a pay-in whose cost was relieved in part');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-03 10:00'')', pg_temp.id(43)), 'that withdrawal');
select fundes.withdraw_investment('A', :o, 12, effective_at => '2023-06-03 11:00');
select is((select cost_basis - 20000 from fundes.investment_current_value where fund_id = :o and investor_id = 'A')::numeric >= 10000, true, 'there is cost enough, in between too');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2023-06-03 10:30'')', pg_temp.id(41)), 'UF014', 'a pay-in whose units were withdrawn in part, though there are enough now');
select pg_temp.books_balance('the books balance after these');

-- No cost is left on a holding without units, then or later.
select fundes.create_fund('Waltz', effective_at => '2023-06-01 09:00') as w \gset
select fundes.set_price_limits(:w, null, null, effective_at => '2023-06-01 09:00');
select fundes.create_investment('A', :w, 1000000, effective_at => '2023-06-01 10:00', event_id => pg_temp.id(61));
select fundes.purchase_mcp(:w, 'WZ', 'R', 'S', 500000, effective_at => '2023-06-01 11:00') as wz \gset
select fundes.record_royalty(:w, :wz, 1000000, effective_at => '2023-06-01 12:00');
select fundes.update_mcp_asset_value(:w, '2023-06-01', effective_at => '2023-06-02 00:00');
select fundes.create_investment('B', :w, 4000000, effective_at => '2023-06-02 09:00');
select fundes.create_investment('A', :w, 2000000, effective_at => '2023-06-02 10:00', event_id => pg_temp.id(62));
select fundes.withdraw_investment('A', :w, 1000, effective_at => '2023-06-03 10:00', event_id => pg_temp.id(63));
select is((select concat_ws(' ', units::numeric, cost_basis::numeric, realised_gain::numeric) from fundes.investment_current_value where fund_id = :w and investor_id = 'A'), '1000 1500000 500000', 'half of two pay-ins is sold at the average');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => %L)', pg_temp.id(61), at), 'UF014', 'the first of them, whose cost would be left without units: ' || at)
  from unnest(array['2023-06-02 10:30', '2023-06-03 10:00', '2023-06-04 10:00']) at;
select is((pg_temp.attempt(format('select fundes.reverse_event(%L)', pg_temp.id(61)))).detail, 'The holding would have no units and a cost_basis of 500000.', 'which is said');
select pg_temp.refuses(format('select fundes.append(''fund-%s'', ''EventReversed'', %L)', :w, jsonb_build_object('fund_id', :w, 'reversed_event_id', event_id, 'reversed_type', type, 'reversed_position', position, 'reversed', payload)), 'UF014', 'appended')
  from fundes.event_log where event_id = pg_temp.id(61);
savepoint in_between;
select fundes.create_investment('A', :w, 2000, effective_at => '2023-06-05 10:00');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => %L)', pg_temp.id(61), at), 'UF014', 'without units for two days: ' || at)
  from unnest(array['2023-06-02 10:30', '2023-06-03 10:00']) at;
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-05 10:00'')', pg_temp.id(61)), 'once there are others, the cost is theirs');
rollback to in_between;
select fundes.reverse_event(pg_temp.id(63), effective_at => '2023-06-03 10:00');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-02 10:30'')', pg_temp.id(61)), 'when the withdrawal is reversed');
select fundes.withdraw_investment('A', :w, 1000, effective_at => '2023-06-03 10:00');
select is((select concat_ws(' ', units::numeric, cost_basis::numeric, realised_gain::numeric) from fundes.investment_current_value where fund_id = :w and investor_id = 'A'), '0 0 0', 'and made anew, it relieves what its units cost');
select pg_temp.books_balance('the books balance without it');

-- A purchase that was valued: the present value leaves.
select fundes.create_fund('Jazz', effective_at => '2023-06-01 09:00') as k \gset
select fundes.create_investment('A', :k, 10000, effective_at => '2023-06-02 09:00');
select fundes.purchase_mcp(:k, 'W1', 'R', 'S', 6000, effective_at => '2023-06-02 10:00', event_id => pg_temp.id(11));
select fundes.record_mcp_price('W1', 'R', 'S', '2023-06-02', 6600);
select fundes.update_mcp_asset_value(:k, '2023-06-02', effective_at => '2023-06-03 00:00');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-03 09:00'')', pg_temp.id(11)), 'a purchase that was valued');
select is(pg_temp.figures(:k, 'capital_cash', 'asset_value', 'nav', 'unrealised_gain', 'base_price'), 'capital_cash 10000, asset_value 0, nav 10000, unrealised_gain 0, base_price 1060', 'its value leaves, its price comes back; what was struck stays');
select pg_temp.books_balance('the books balance after it');

-- Reversed before a valuation that valued it: each part is taken back where it was added.
select fundes.purchase_mcp(:k, 'W3', 'R', 'S', 1000, effective_at => '2023-06-03 09:30', event_id => pg_temp.id(31));
select fundes.record_mcp_price('W3', 'R', 'S', '2023-06-03', 1100);
select fundes.update_mcp_asset_value(:k, '2023-06-03', effective_at => '2023-06-04 00:00');
create function pg_temp.path(fund bigint) returns text
language sql as $$
	select string_agg((fundes.fund_state_at(fund, at)).asset_value::numeric::text, ' ' order by at)
	  from unnest(array['2023-06-03 09:29', '2023-06-03 09:30', '2023-06-03 12:00', '2023-06-04 00:00', '2023-06-04 08:00']::timestamptz[]) at
$$;
select is(pg_temp.path(:k), '0 1000 1000 1100 1100', 'a purchase and its valuation');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-03 12:00'')', pg_temp.id(31)), 'reversed before it was valued');
select is(pg_temp.path(:k), '0 1000 0 0 0', 'nothing is left of it, then and later');
select fundes.purchase_mcp(:k, 'W4', 'R', 'S', 1000, effective_at => '2023-06-03 09:30') as w4 \gset
select fundes.record_mcp_price('W4', 'R', 'S', '2023-06-03', 1200);
select fundes.update_mcp_asset_value(:k, '2023-06-03', effective_at => '2023-06-04 00:00');
select fundes.sell_mcp(:k, :w4, 1000, effective_at => '2023-06-03 10:00', event_id => pg_temp.id(32));
select is(pg_temp.path(:k), '0 2000 0 0 0', 'a sale dated before a valuation (W3 was still there at 09:30)');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-03 12:00'')', pg_temp.id(32)), 'reversed');
select is(pg_temp.path(:k), '0 2000 1000 1200 1200', 'what the valuation added is back where it was');
select pg_temp.accepts(format('select fundes.sell_mcp(%s, %s, 1000, effective_at => ''2023-06-03 12:00'')', :k, :w4), 'sold when it is back');
select is(pg_temp.path(:k), '0 2000 0 0 0', 'and nothing is left of it');
select pg_temp.books_balance('the books balance after all of that');

-- Fees.
select fundes.accrue_fee(:k, 100, 'a', effective_at => '2023-06-04 09:00', event_id => pg_temp.id(12));
select fundes.accrue_fee(:k, 100, 'b', effective_at => '2023-06-04 10:00');
select fundes.pay_fee(:k, 60, 'a', effective_at => '2023-06-06 09:00', event_id => pg_temp.id(13));
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => %L)', pg_temp.id(12), at), 'UF014', 'a fee that was paid in part, though as much is owed of another kind: ' || coalesce(at, 'now'))
  from unnest(array[null, '2023-06-05 09:00']) at;
select fundes.reverse_event(pg_temp.id(13), effective_at => '2023-06-07 09:00');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2023-06-05 09:00'')', pg_temp.id(12)), 'UF014', 'while it was paid');
select pg_temp.refuses(format('select fundes.pay_fee(%s, 41, ''a'', effective_at => ''2023-06-06 12:00'')', :k), 'UF003', 'what was paid then cannot be paid again then');
select pg_temp.accepts(format('select fundes.pay_fee(%s, 40, ''a'', effective_at => ''2023-06-06 12:00'')', :k), 'but the rest');
select fundes.set_price_limits(:k, 0.02, '7 days', effective_at => '2023-06-07 12:00');
select pg_temp.refuses(format('select fundes.pay_fee(%s, 61, ''a'', effective_at => ''2023-06-07 10:00'')', :k), 'UF003', 'more than is owed again after the reversal');
select pg_temp.accepts(format('select fundes.pay_fee(%s, 60, ''a'', effective_at => ''2023-06-07 10:00'')', :k), 'what is owed again after the reversal');
select is((select array[accrued::numeric, paid] from fundes.fee_account where fund_id = :k and kind = 'a'), array[100, 100]::numeric[], 'the account of the kind');

-- Distributions: the claim goes, and the price is struck with it.
select fundes.declare_distribution(:k, 500, effective_at => '2023-06-08 09:00', event_id => pg_temp.id(14));
select is(pg_temp.figures(:k, 'nav', 'base_price'), 'nav 9300, base_price 930', 'declared');
select fundes.pay_distribution(:k, 1, effective_at => '2023-06-09 09:00', event_id => pg_temp.id(15));
select pg_temp.refuses(format('select fundes.reverse_event(%L)', pg_temp.id(14)), 'UF014', 'a distribution that was paid');
select fundes.reverse_event(pg_temp.id(15), effective_at => '2023-06-10 09:00');
select is((select status from fundes.distribution where fund_id = :k), 'declared', 'its payment reversed it is declared');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2023-06-08 12:00'')', pg_temp.id(14)), 'UF014', 'not while it was paid');
select fundes.reverse_event(pg_temp.id(14), effective_at => '2023-06-11 09:00');
select is(pg_temp.figures(:k, 'nav', 'liabilities', 'distributed', 'base_price'), 'nav 9800, liabilities 100, distributed 0, base_price 980', 'reversed: the price is struck with what is not distributed');
select is((select status from fundes.distribution where fund_id = :k), 'reversed', 'it is reversed');
select pg_temp.refuses(format('select fundes.pay_distribution(%s, 1)', :k), '22023', 'and not paid any more');
select is(fundes.declare_distribution(:k, 500, effective_at => '2023-06-12 09:00'), 2::bigint, 'the next has an id of its own');

-- Periods, closed funds, the future.
select fundes.record_royalty(:k, asset_id, 10, effective_at => '2023-06-13 09:00', event_id => pg_temp.id(16))
  from (select fundes.purchase_mcp(:k, 'W2', 'R', 'S', 1, effective_at => '2023-06-12 10:00')) p(asset_id);
select fundes.close_period(:k, '2023-06-13', effective_at => '2023-06-14 00:00');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2023-06-13 12:00'')', pg_temp.id(16)), 'UF011', 'in a closed period');
select pg_temp.refuses(format('select fundes.reverse_event(%L, effective_at => ''2100-01-01'')', pg_temp.id(16)), 'UF020', 'in the future');
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-14 00:00'')', pg_temp.id(16)), 'what is of a closed period, after it');
select fundes.create_fund('Short', effective_at => '2023-06-01 09:00') as m \gset
select fundes.create_investment('A', :m, 1000, effective_at => '2023-06-01 10:00', event_id => pg_temp.id(21));
select fundes.purchase_mcp(:m, 'X1', 'R', 'S', 10, effective_at => '2023-06-01 11:00') as x1 \gset
select fundes.sell_mcp(:m, :x1, 15, effective_at => '2023-06-01 12:00');
select fundes.withdraw_investment('A', :m, 1, effective_at => '2023-06-01 13:00');
select fundes.sweep_residual(:m, 'trustee', effective_at => '2023-06-01 14:00', event_id => pg_temp.id(22));
select pg_temp.accepts(format('select fundes.reverse_event(%L, effective_at => ''2023-06-01 15:00'')', pg_temp.id(22)), 'a sweep');
select is(pg_temp.figures(:m, 'capital_cash', 'distributed'), 'capital_cash 5, distributed 0', 'the cash is back');
select fundes.sweep_residual(:m, 'trustee', effective_at => '2023-06-01 16:00');
select fundes.close_fund(:m, effective_at => '2023-06-01 17:00');
select pg_temp.refuses(format('select fundes.reverse_event(%L)', pg_temp.id(21)), 'UF019', 'a closed fund');

-- Appended directly.
select event_id as e, position as p, payload as reversed from fundes.event_log where type = 'FeePaid' and stream = 'fund-' || :k order by position desc limit 1 \gset
create function pg_temp.reversal(fund bigint, change jsonb) returns text
language sql as $$
	select format('select fundes.append(''fund-%s'', ''EventReversed'', %L)', fund, jsonb_build_object('fund_id', fund, 'reversed_type', 'FeePaid') || change)
$$;
select pg_temp.refuses(pg_temp.reversal(:k, jsonb_build_object('reversed_event_id', :'e', 'reversed_position', :p, 'reversed', :'reversed'::jsonb) || change), 'UF023', 'appended: ' || change::text)
  from unnest(array['{"reversed_position": 1}', '{"reversed_type": "FeeAccrued"}', '{"reversed_type": "X"}', '{"reversed": {"fund_id": 1}}', '{"reversed_event_id": "84000000-0000-4000-8000-000000000001"}']::jsonb[]) change;
select pg_temp.accepts(pg_temp.reversal(:k, jsonb_build_object('reversed_event_id', :'e', 'reversed_position', :p, 'reversed', :'reversed'::jsonb)), 'appended as it should be');
select pg_temp.refuses(pg_temp.reversal(:k, jsonb_build_object('reversed_event_id', :'e', 'reversed_position', :p, 'reversed', :'reversed'::jsonb)), 'UF013', 'and again');

-- A valuation of when a copyright was held whose purchase was reversed later: it has
-- the value until then; and so where a sale was reversed before.
create function pg_temp.values_at(fund bigint, moments timestamptz[]) returns numeric[]
language sql as $$
	select array_agg((fundes.fund_state_at(fund, moment)).asset_value::numeric order by moment) from unnest(moments) moment
$$;
select fundes.create_fund('While held', effective_at => '2023-07-01 09:00') as g \gset
select fundes.create_investment('A', :g, 10000, effective_at => '2023-07-01 10:00');
select fundes.purchase_mcp(:g, 'M8', 'R', 'S', 3000, effective_at => '2023-07-01 11:00');
select pg_temp.last_id() as bought \gset
select fundes.record_mcp_price('M8', 'R', 'S', '2023-07-01', 3500);
select fundes.reverse_event(:'bought', 'x', effective_at => '2023-07-03 10:00');
select results_eq(format($$select nav::numeric, base_price::numeric from fundes.update_mcp_asset_value(%s, '2023-07-01', effective_at => '2023-07-02 09:00')$$, :g),
	'values (10500::numeric, 1050::numeric)', 'a day on which it was held');
select is(pg_temp.values_at(:g, array['2023-07-02 08:00', '2023-07-02 09:00', '2023-07-03 09:59', '2023-07-03 10:00']::timestamptz[]),
	array[3000, 3500, 3500, 0]::numeric[], 'the books have the value until its purchase is reversed');
select is(fundes.fund_nav(:g, '2023-07-02 09:00'), 10500::numeric, 'and the NAV is that of the valuation');
select pg_temp.accepts(format('select fundes.create_investment(''A'', %s, 1050, effective_at => ''2023-07-02 10:00'')', :g), 'the price that was struck can be dealt at');

select fundes.create_fund('With a gap', effective_at => '2023-07-01 09:00') as g \gset
select fundes.create_investment('A', :g, 10000, effective_at => '2023-07-01 10:00');
select fundes.purchase_mcp(:g, 'M9', 'R', 'S', 3000, effective_at => '2023-07-01 11:00');
select fundes.record_mcp_price('M9', 'R', 'S', '2023-07-01', 3500);
select fundes.sell_mcp(:g, pg_temp.asset('M9'), 3000, effective_at => '2023-07-03 08:00');
select fundes.reverse_event(pg_temp.last_id(), 'x', effective_at => '2023-07-03 10:00');
select fundes.sell_mcp(:g, pg_temp.asset('M9'), 3000, effective_at => '2023-07-04 08:00');
select fundes.update_mcp_asset_value(:g, '2023-07-01', effective_at => '2023-07-02 09:00');
select is(pg_temp.values_at(:g, array['2023-07-02 08:00', '2023-07-02 09:00', '2023-07-03 09:00', '2023-07-03 10:00', '2023-07-04 08:00']::timestamptz[]),
	array[3000, 3500, 0, 3500, 0]::numeric[], 'sold, come back, and sold again');
select pg_temp.books_balance('the books balance');

-- A valuation while the copyright was sold: its new value counts from when it came back.
select fundes.create_fund('While sold', effective_at => '2023-07-01 09:00') as g \gset
select fundes.create_investment('A', :g, 10000, effective_at => '2023-07-01 10:00');
select fundes.purchase_mcp(:g, 'M7', 'R', 'S', 3000, effective_at => '2023-07-01 11:00');
select fundes.record_mcp_price('M7', 'R', 'S', '2023-07-01', 3500);
select fundes.sell_mcp(:g, pg_temp.asset('M7'), 3000, effective_at => '2023-07-02 08:00');
select fundes.reverse_event(pg_temp.last_id(), 'x', effective_at => '2023-07-02 10:00');
select is((select asset_value::numeric from fundes.update_mcp_asset_value(:g, '2023-07-01', effective_at => '2023-07-02 09:00')), 3500::numeric, 'the day before the sale it is held');
select is(array_agg((fundes.fund_state_at(:g, moment)).asset_value::numeric order by moment), array[3000, 0, 0, 3500]::numeric[], 'nothing while it was sold')
  from unnest(array['2023-07-02 07:00', '2023-07-02 08:30', '2023-07-02 09:30', '2023-07-02 10:30']::timestamptz[]) moment;
select pg_temp.books_balance('the books balance');

select is_empty($$select * from fundes.verify_projections()$$, 'the projections equal the log');
select * from finish();
rollback;
