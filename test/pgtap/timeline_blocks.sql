-- The blocks behind the as-of questions: whatever the order of the effective
-- times, an answer is the sum over the entries.
begin;
\ir helper.inc
select plan(7);

select fundes.create_fund('Blocks', effective_at => '2020-01-01') as ignored \gset
select fundes.create_investor('b', 'b') as ignored \gset
-- one entry each, most in order, some of them far back, a stretch back to front
create temporary table given as
select i,
	   case when i % 7 = 0 then timestamptz '2020-01-02' + (i * 7919 % 20000) * interval '1 minute'
			when i between 1500 and 1900 then timestamptz '2021-06-01' - i * interval '1 hour'
			else timestamptz '2020-01-02' + i * interval '10 minutes' end as effective_at,
	   (i * 31 % 900) + 100 as amount
  from generate_series(1, 3000) i;
select count(*) as ignored from (
	select fundes.append('holding-1-b', 'InvestmentCreated',
					 jsonb_build_object('investor_id', 'b', 'fund_id', 1, 'investment_amount', amount,
										'unit_price', 1000, 'units', 1, 'cash_taken', amount, 'refund_cash', 0),
					 effective_at => effective_at)
  from given order by i) appended \gset

create temporary table moments as
select as_of, known_at
  from (select timestamptz '2020-01-01' + (i * 104729 % 900000) * interval '1 minute' as as_of, i
		  from generate_series(1, 150) i) a
  join lateral (
	select 'infinity'::timestamptz as known_at
	union all
	select recorded_at from fundes.event_log
	 where position = (select min(position) from fundes.event_log where type = 'InvestmentCreated') + (a.i * 6151) % 3000) k on true
union all
select effective_at, 'infinity' from given where i % 100 = 0
union all	-- before the first balance was known
select as_of, recorded_at
  from (select recorded_at from fundes.event_log where type = 'InvestmentCreated' order by position limit 10) e,
	   unnest('{2020-01-03, 2021-01-01}'::timestamptz[]) as_of;

select cmp_ok((select late_entries from fundes.fund where fund_id = 1), '>', 256::bigint,
			  'entries came late, enough for blocks of two levels');
select cmp_ok((select count(*) from fundes.fund_late where level = 4), '>', 0::bigint,
			  'and the blocks are there');
select is_empty($$
	select m.*, s.capital_cash, e.cash
	  from moments m, lateral fundes.fund_state_at(1, m.as_of, m.known_at) s,
		   lateral (select coalesce(sum((payload->>'cash_taken')::numeric), 0) as cash,
						   count(*) as units
					  from fundes.event_log
					 where type = 'InvestmentCreated' and effective_at <= m.as_of
					   and recorded_at <= m.known_at) e
	 where (s.capital_cash, s.subscriptions, s.total_supply, s.nav)
		   is distinct from (e.cash, e.cash, e.units, e.cash)$$,
	'a fund''s figures are the sums over the log at every moment, known at any');
select is_empty($$
	select m.*, s.units, e.units
	  from moments m, lateral fundes.investment_value_at('b', 1, m.as_of, m.known_at) s,
		   lateral (select coalesce(sum((payload->>'cash_taken')::numeric), 0) as cash,
						   count(*) as units
					  from fundes.event_log
					 where type = 'InvestmentCreated' and effective_at <= m.as_of
					   and recorded_at <= m.known_at) e
	 where (s.units, s.investment_amount, s.cost_basis) is distinct from (e.units, e.cash, e.cash)$$,
	'and so are a holding''s');
select cmp_ok((select count(distinct e.sum) from moments,
			   lateral (select sum(1) from fundes.event_log where effective_at <= as_of and recorded_at <= known_at) e),
			  '>', 100::bigint, 'the moments tell apart');
select is_empty('select * from fundes.verify_projections()', 'the blocks are what the log gives');
delete from fundes.fund_late where block = 3;
update fundes.fund_balance set capital_cash = capital_cash + 1 where last_position = (select min(last_position) from fundes.fund_balance);
select isnt_empty('select * from fundes.verify_projections()', 'and where they are not, it shows');
select * from finish();
rollback;
