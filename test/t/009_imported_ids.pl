# Buyers at once after an import that took asset ids: nobody gets an id that is
# taken, and nobody an error but those of the rules.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('imported_ids');
my $buyers = 8;
my $purchases = 50;

# Funds of one, and a fund that all share; ids are taken in the way of those
# that the sequence will hand out: one by one, and a run of them.
$node->safe_psql('postgres', qq{
	create table outcome (state text);
	create function buy(fund bigint) returns text language plpgsql as \$\$
	begin
		perform fundes.purchase_mcp(fund, gen_random_uuid()::text, 'R', 'S', 10);
		return 'bought';
	exception when others then
		return sqlstate || ' ' || sqlerrm;
	end \$\$;
	select fundes.create_investor('A', 'Kim');
	select count(fundes.create_fund('Fund ' || f)) from generate_series(1, $buyers + 1) f;
	select count(fundes.set_price_limits(f, null, null)) from generate_series(1, $buyers + 1) f;
	select count(fundes.create_investment('A', f, case when f = 1 then 2000 else 1000000 end)) from generate_series(1, $buyers + 1) f;
	select count(fundes.append('fund-' || $buyers + 1, 'McpPurchased',
			jsonb_build_object('fund_id', $buyers + 1, 'asset_id', id, 'copyright_code', 'imported-' || id, 'registration_number', 'R', 'music_id', 'S',
							   'price_cash', 1, 'acquisition_date', '2023-06-01')))
	  from (select id from generate_series(1, 400, 3) id union select id from generate_series(500, 700) id order by 1) i;});
my $imported = $node->safe_psql('postgres', 'select count(*) from fundes.mcp_holding');

my $script = $node->basedir . '/buy.sql';
append_to_file($script, <<"SQL");
insert into outcome select buy(2 + :client_id);
insert into outcome select buy(1);
SQL
$node->command_ok([ 'pgbench', '-n', '-c', $buyers, '-t', $purchases, '-f', $script, $node->connstr('postgres') ], "$buyers buyers at once");

is($node->safe_psql('postgres', q{select string_agg(distinct state, ', ') from outcome where state <> 'bought' and state not like 'UF%'}),
	'', 'no error but those of the rules');
is($node->safe_psql('postgres', q{select string_agg(distinct left(state, 5), ', ') from outcome where state <> 'bought'}),
	'UF003', 'the shared fund runs out of cash');
is($node->safe_psql('postgres', q{select count(*) from outcome where state = 'bought'}), $buyers * $purchases + 200,
	'all who had the cash have bought');
is($node->safe_psql('postgres', q{
		select count(*) || ' ' || count(distinct payload ->> 'asset_id') from fundes.event_log where type = 'McpPurchased'}),
	join(' ', ($imported + $buyers * $purchases + 200) x 2), 'asset ids are distinct');
is($node->safe_psql('postgres', q{select count(*) from fundes.mcp_holding where copyright_code like 'imported-%'}), $imported,
	'what was imported is held as before');
is(differences($node, 'postgres'), '', 'the projections equal the log');

$node->stop;
done_testing();
