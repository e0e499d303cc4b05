# A month of real prices: each night a fund's asset_value is the sum of units
# times price of the day, as the files have it.
#
# FUNDES_MARKET_DATA names a folder with song_price_daily.csv,
# song_auction.csv and song_genre.csv. A genre is a fund; a copyright is the
# units of a song's first auction, bought at the hammer price.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = $ENV{FUNDES_MARKET_DATA}
  or plan skip_all => 'FUNDES_MARKET_DATA names no folder';

my $node = new_store('market', 'max_wal_size = 2GB');
$node->safe_psql('postgres', qq{
	create table price (num integer, date date, price numeric, primary key (num, date));
	create table genre (num integer primary key, genre text);
	create table auction (num integer primary key, title text, artist text, auction1_start date, auction1_end date, auction1_units numeric,
						  hammer_price numeric, total_units numeric, royalty_last12m numeric, market_cap numeric);
	\\copy price from '$folder/song_price_daily.csv' with (format csv, header)
	\\copy genre from '$folder/song_genre.csv' with (format csv, header)
	\\copy auction from '$folder/song_auction.csv' with (format csv, header)
	create table song as
	select a.num, a.auction1_units as units, a.auction1_units * a.hammer_price as cost, a.auction1_end as bought,
		   dense_rank() over (order by g.genre collate "C") as fund
	  from auction a join genre g using (num)
	 where a.auction1_units > 0 and a.hammer_price > 0;});
my $songs = $node->safe_psql('postgres', 'select count(*) from song');
my $funds = $node->safe_psql('postgres', 'select count(distinct fund) from song');
my $start = $node->safe_psql('postgres', 'select min(date) from price');
cmp_ok($songs, '>', 0, "$songs songs in $funds funds, prices from $start on");

# The funds buy their songs on the first day; quotes as they are in the file.
$node->safe_psql('postgres', qq{
	set client_min_messages = warning;
	select fundes.create_investor('A', 'Kim', effective_at => date '$start' - 1);
	select count(fundes.create_fund('Fund ' || fund, effective_at => date '$start' - 1)) from (select distinct fund from song order by 1) f;
	select count(fundes.create_investment('A', fund, cash, effective_at => '$start'))
	  from (select fund, ceil(sum(cost) / 1000) * 1000 as cash from song group by fund order by fund) f;
	select count(fundes.purchase_mcp(fund, 'M' || num, 'R' || num, num::text, cost, acquisition_date => bought, effective_at => '$start'))
	  from (select * from song order by fund, num) s;
	select count(q) from (select fundes.record_mcp_price('M' || num, 'R' || num, num::text, date, price * units) as q from price join song using (num) offset 0) q;});

# A month of nights.
$node->safe_psql('postgres', qq{
	create table night (fund bigint, day date, asset_value numeric, stale integer, status text);
	do \$\$
	declare
		day date;
	begin
		for day in select generate_series(date '$start', date '$start' + 30, interval '1 day') loop
			insert into night
			select fund_id, valuation_date, asset_value, stale_count, status
			  from fundes.update_mcp_asset_value(valuation_date => day, effective_at => day + 1);
		end loop;
	end \$\$;});
is($node->safe_psql('postgres', q{select count(*) from night where status <> 'valued'}), '0', 'each night values each fund');
is($node->safe_psql('postgres', 'select count(*) from night'), 31 * $funds, '31 nights of each');

# What the files say: the last price of the day or up to 30 days before it.
$node->safe_psql('postgres', q{
	create table expected as
	select s.fund, n.day, sum(coalesce(round(p.price * s.units), s.cost)) as asset_value, count(*) filter (where p.price is null) as stale
	  from song s
	 cross join (select distinct day from night) n
	  left join lateral (select price from price where num = s.num and date between n.day - 30 and n.day order by date desc limit 1) p on true
	 group by s.fund, n.day;});
is($node->safe_psql('postgres', q{
		select count(*), count(*) filter (where n.asset_value = e.asset_value), count(*) filter (where n.stale = e.stale)
		  from night n join expected e using (fund, day)}),
	join('|', (31 * $funds) x 3), 'asset_value is the sum of units times price, for each fund and each day');
is($node->safe_psql('postgres', q{
		select count(*) from night n join fundes.nav_history h on h.fund_id = n.fund and h.valuation_date = n.day and h.asset_value = n.asset_value}),
	31 * $funds, 'nav_history has it');
is($node->safe_psql('postgres', q{
		select count(*) from fundes.fund_sheet s join expected e on e.fund = s.fund_id and e.day = s.last_valuation_date and e.asset_value = s.asset_value}),
	$funds, 'and the funds have the last');
cmp_ok($node->safe_psql('postgres', 'select count(distinct asset_value) from night'), '>', 31, 'prices have moved');
is($node->safe_psql('postgres', q{
		select count(*) from fundes.fund_sheet where capital_cash <> subscriptions - accumulated_purchase_value}),
	'0', 'the nightly job touches no cash');
is(differences($node, 'postgres'), '', 'the projections equal the log');

$node->stop;
done_testing();
