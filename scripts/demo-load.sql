-- Makes a market's files into funds. Run once, by scripts/demo, in a database
-- with the extension and with the files as tables of schema market.
--
-- The rules (what the files do not say):
--
--   copyright   of song n: ('MCP-n', 'R-' and n with six digits, 'n')
--   fund        one a genre; songs without a genre are in fund 'no genre'
--   start       the day before the first purchase or quote: funds open at
--               09:00, investors sign up at 09:30, the first pay-in is at 10:00
--   first       a fund's purchases and a tenth more, up to the next million,
--   pay-in      from three of the four investors, in parts of 50, 30, 20 %
--   purchase    units x hammer price, at 18:00 of the day the auction ended
--   royalty     a unit's royalty x units, for the month before, at 12:00 of
--               the 10th, for what the fund holds then
--   quote       price x units, recorded at the end of its day; a song that
--               was never auctioned is quoted for one unit
--   night       at 00:00 all funds are valued for the day that has ended, from
--               the first day with quotes to the last
--   deals       at 09:00: after the 5th, 15th, ... night one investor a fund
--               pays in a hundredth of its NAV; after the 10th, 20th, ... one
--               withdraws a twentieth of his units, as far as half of the
--               fund's cash reaches; investors take turns
--
-- All times are those of Seoul. What happens happens in the order of time.

\set QUIET on
\set ON_ERROR_STOP on
\pset tuples_only on
\pset format unaligned
\o /dev/null

alter table market.songs add primary key (num);
alter table market.song_genre add primary key (num);
alter table market.song_auction add primary key (num);
alter table market.song_price_daily add primary key (num, date);
alter table market.song_royalty_monthly add primary key (num, month);
alter table market.mcpi_daily add primary key (date);

create table market.song as
select s.num,
	   s.title,
	   s.artist,
	   coalesce(g.genre, 'no genre') as genre,
	   'MCP-' || s.num as copyright_code,
	   'R-' || lpad(s.num::text, 6, '0') as registration_number,
	   s.num::text as music_id,
	   a.auction1_units as units,
	   round(a.auction1_units * a.auction1_hammer_price_krw) as price_cash,
	   a.auction1_end as bought_on
  from (select num, title, artist from market.songs
		 union all
		select num, null, null
		  from (select num from market.song_auction union select num from market.song_price_daily) n
		 where num not in (select num from market.songs)) s
  left join market.song_genre g using (num)
  left join market.song_auction a
		 on a.num = s.num and a.auction1_units > 0 and a.auction1_hammer_price_krw > 0;
alter table market.song add primary key (num);
create unique index on market.song (music_id);

create table market.span as
select least(min(q.date), (select min(bought_on) from market.song)) - 1 as first_day,
	   min(q.date) as first_night,
	   max(q.date) as last_night
  from market.song_price_daily q;

do $$
begin
	if (select first_night from market.span) is null then
		raise exception 'song_price_daily.csv has no quotes';
	end if;
	if not exists (select from market.song where price_cash is not null) then
		raise exception 'song_auction.csv has no song with units and a hammer price';
	end if;
end
$$;

create function market.at(day date, time_of_day time) returns timestamptz
	language sql immutable
	return (day + time_of_day) at time zone 'Asia/Seoul';

create table market.investor (turn integer primary key, investor_id text, name text);
insert into market.investor values
	(0, 'han-pension', 'Han Pension Trust'),
	(1, 'kim-minji', 'Kim Minji'),
	(2, 'lee-jaeho', 'Lee Jaeho'),
	(3, 'park-sora', 'Park Sora');

create table market.fund as
select genre,
	   fundes.create_fund(genre, effective_at => market.at(first_day, '09:00')) as fund_id
  from market.span,
	   (select genre
		  from market.song
		 where price_cash is not null
		 group by genre
		 order by genre = 'no genre', genre) g;

select count(*)
  from market.span, market.investor,
	   lateral fundes.create_investor(investor_id, name,
									  effective_at => market.at(first_day, '09:30'));

create table market.deal as
select i.investor_id, p.fund_id, r.units
  from market.span,
	   (select f.fund_id, ceil(sum(s.price_cash) * 1.1 / 1000000) * 1000000 as amount
		  from market.fund f join market.song s using (genre)
		 where s.price_cash is not null
		 group by f.fund_id) p
  join (values (0, 0.5), (1, 0.3), (2, 0.2)) part (place, share) on true
  join market.investor i on i.turn = (p.fund_id + part.place) % 4,
	   lateral fundes.create_investment(i.investor_id, p.fund_id, p.amount * part.share,
										effective_at => market.at(first_day, '10:00')) r;

-- What happens on a day, in the order of its hours. Each function returns how
-- many there were.

create function market.make_deals(day date) returns bigint
	language sql
begin atomic
	with night as (
		select day - first_night as number
		  from market.span
		 where day between first_night + 1 and last_night
	), taken as (
		select n.number, s.*
		  from night n, fundes.fund_sheet s
		 where n.number % 5 = 0 and s.base_price > 0
	), paid_in as (
		select t.fund_id, i.investor_id, r.units
		  from taken t
		  join market.investor i on i.turn = (t.fund_id + t.number / 10) % 4,
			   lateral fundes.create_investment(
					i.investor_id, t.fund_id, ceil(t.nav / 100 / 10000) * 10000,
					effective_at => market.at(day, '09:00')) r
		 where t.number % 10 = 5
	), holder as (
		select t.*, h.investor_id, h.units,
			   row_number() over of_fund as place, count(*) over (partition by t.fund_id) as holders
		  from taken t
		  join fundes.investment_current_value h on h.fund_id = t.fund_id and h.units > 0
		 where t.number % 10 = 0
		window of_fund as (partition by t.fund_id order by h.investor_id)
	), withdrawal as (
		select fund_id, investor_id,
			   floor(least(units / 20, (capital_cash - liabilities) / 2 / base_price)) as quantity
		  from holder
		 where place = 1 + (number / 10 + fund_id) % holders
	), withdrawn as (
		select w.fund_id, w.investor_id, -w.quantity as units
		  from withdrawal w,
			   lateral fundes.withdraw_investment(
					w.investor_id, w.fund_id, w.quantity,
					effective_at => market.at(day, '09:00')) r
		 where w.quantity >= 1
	), done as (
		insert into market.deal (investor_id, fund_id, units)
		select investor_id, fund_id, units from paid_in
		 union all
		select investor_id, fund_id, units from withdrawn
		returning 1
	)
	select count(*) from done;
end;

create function market.collect_royalties(day date) returns bigint
	language sql
begin atomic
	select count(fundes.record_royalty(
				h.fund_id, h.asset_id, h.amount, h.period,
				effective_at => market.at(day, '12:00')))
	  from (select h.fund_id, h.asset_id,
				   round(r.royalty_krw_per_unit * s.units) as amount,
				   (r.month || '-01')::date as period
			  from fundes.mcp_holding h
			  join market.song s using (music_id)
			  join market.song_royalty_monthly r
				on r.num = s.num
			   and r.month = to_char(day - interval '1 month', 'YYYY-MM')
			 where extract(day from day) = 10
			 order by h.asset_id) h
	 where h.amount > 0;
end;

create function market.buy(day date) returns bigint
	language sql
begin atomic
	select count(fundes.purchase_mcp(
				p.fund_id, p.copyright_code, p.registration_number, p.music_id, p.price_cash,
				acquisition_date => day, effective_at => market.at(day, '18:00')))
	  from (select s.*, f.fund_id
			  from market.song s join market.fund f using (genre)
			 where s.bought_on = day and s.price_cash is not null
			 order by f.fund_id, s.num) p;
end;

create function market.record_quotes(day date) returns bigint
	language sql
begin atomic
	select count(fundes.record_mcp_price(
				s.copyright_code, s.registration_number, s.music_id, q.date,
				round(q.price_krw_per_unit * coalesce(s.units, 1), 4)))
	  from market.song_price_daily q join market.song s using (num)
	 where q.date = day;
end;

create table market.night (like fundes.fund_valuation);

create function market.value_funds(day date) returns bigint
	language sql
begin atomic
	with valued as (
		insert into market.night
		select *
		  from fundes.update_mcp_asset_value(
					valuation_date => day, effective_at => market.at(day + 1, '00:00'))
		returning 1
	)
	select count(*) from valued;
end;

-- A day, in one transaction. Returns a line of progress: number|total|day.
create table market.done (day date, what text, number bigint);

create function market.live(day date, number bigint, total bigint) returns text
	language plpgsql
as $$
begin
	insert into market.done values (day, 'deals', market.make_deals(day));
	insert into market.done values (day, 'royalties', market.collect_royalties(day));
	insert into market.done values (day, 'purchases', market.buy(day));
	insert into market.done values (day, 'quotes', market.record_quotes(day));
	if day between (select first_night from market.span) and (select last_night from market.span) then
		insert into market.done values (day, 'valuations', market.value_funds(day));
	end if;
	return format('%s|%s|%s', number, total, day);
end
$$;

\o

select format('select market.live(%L, %s, %s)',
			  day, row_number() over (order by day), count(*) over ())
  from (select bought_on
		  from market.song
		 where price_cash is not null
		 union
		select date
		  from market.span, generate_series(first_day, last_night, interval '1 day') date
		 where date >= first_night or extract(day from date) = 10) d (day)
 order by day
\gexec
