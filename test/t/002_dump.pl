# A dump restored into an empty database has the same figures, not doubled,
# and the store goes on behind them.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('dump');
my $id = '60000000-0000-4000-8000-000000000001';

$node->safe_psql('postgres', qq{
	create type order_placed as (sum numeric);
	select fundes.define_event_type('OrderPlaced', 'order_placed');
	select fundes.append('order-1', 'OrderPlaced', '{"sum": 1.50}', event_id => '$id', metadata => '{"actor": "Kim"}');
	select fundes.append('order-1', 'OrderPlaced', '{"sum": 2}');
	select fundes.append('order-2', 'OrderSent', '{"any": "thing"}');

	select fundes.create_fund('OKCOW-1', effective_at => '2023-06-01 09:00');
	select fundes.create_fund('OKCOW-2', 10, 2, 4, 'USD', 'UTC', effective_at => '2023-06-01 09:01');
	select fundes.create_investor('A', 'Kim', 'open sesame', effective_at => '2023-06-01 09:05');
	select fundes.create_investor('B', 'Lee', effective_at => '2023-06-01 09:06');
	select fundes.create_investment('A', 1, 1000000, effective_at => '2023-06-01 09:10');
	select fundes.create_investment('B', 1, 500500, effective_at => '2023-06-01 09:20');
	select fundes.create_investment('B', 2, 100.25, effective_at => '2023-06-01 09:30');
	select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 600000, effective_at => '2023-06-01 10:00');
	select fundes.purchase_mcp(1, 'M2', 'R2', 'S2', 450000, effective_at => '2023-06-01 10:05');
	select fundes.purchase_mcp(2, 'M4', 'R4', 'S4', 100.25, effective_at => '2023-06-01 10:10');
	select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-01', 630000), fundes.record_mcp_price('M2', 'R2', 'S2', '2023-06-01', 441000);
	select fundes.update_mcp_asset_value(1, '2023-06-01', effective_at => '2023-06-02 00:00');
	select fundes.record_royalty(1, (select asset_id from fundes.mcp_holding where copyright_code = 'M1'), 12345, '2023-05-01', effective_at => '2023-06-03 12:00');
	select fundes.sell_mcp(1, (select asset_id from fundes.mcp_holding where copyright_code = 'M2'), 470000, effective_at => '2023-06-04 12:00');
	select fundes.accrue_fee(1, 1500, effective_at => '2023-06-04 13:00');
	select fundes.pay_fee(1, 500, effective_at => '2023-06-04 14:00');
	select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-04', 631000);
	select fundes.update_mcp_asset_value(1, '2023-06-04', effective_at => '2023-06-05 00:00');
	select fundes.record_mcp_price('M1', 'R1', 'S1', '2023-06-04', 632000);
	select fundes.update_mcp_asset_value(1, '2023-06-04', effective_at => '2023-06-05 01:00');
	select fundes.withdraw_investment('A', 1, 400, effective_at => '2023-06-05 10:00');
	select fundes.set_price_limits(2, 0.1, null, effective_at => '2023-06-05 10:00');});

my $figures = figures($node, 'postgres');
my $last = $node->safe_psql('postgres', 'select max(position) from fundes.event_log');
my $assets = $node->safe_psql('postgres',
	q{select max((payload ->> 'asset_id')::bigint) from fundes.event_log where type = 'McpPurchased'});
is(differences($node, 'postgres'), '', 'the store is sound');

my $dump = $node->basedir . '/store.dump';
my $plain = $node->basedir . '/store.sql';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'postgres' ], 'pg_dump -Fc');
$node->command_ok([ 'pg_dump', '-f', $plain, 'postgres' ], 'pg_dump');

my %restore = (
	custom => [ 'pg_restore', '--exit-on-error', '-d', 'custom', $dump ],
	parallel => [ 'pg_restore', '--exit-on-error', '-j2', '-d', 'parallel', $dump ],
	plain => [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $plain, 'plain' ]);

for my $db (sort keys %restore)
{
	$node->safe_psql('postgres', "create database $db");
	$node->command_ok($restore{$db}, "restore: $db");
	is(figures($node, $db), $figures, "$db: the same figures, and the same log");
	is(differences($node, $db), '', "$db: the projections equal the log");

	cmp_ok($node->safe_psql($db, q{select position from fundes.append('order-1', 'OrderPlaced', '{"sum": 3}', expected_version => 2)}),
		'>', $last, "$db: the store goes on with positions after the old ones");
	is($node->safe_psql($db, qq{select version || ' ' || replayed from fundes.append('order-1', 'OrderPlaced', '{"sum": 1.5}', event_id => '$id')}),
		'1 true', "$db: an event_id of before is known");
	my (undef, undef, $err) = $node->psql($db, qq{\\set VERBOSITY verbose\nselect fundes.append('order-1', 'OrderPlaced', '{"sum": "x"}')});
	like($err, qr/UF023/, "$db: event types are defined as before");
	is($node->safe_psql($db, q{select version from fundes.append('order-3', 'OrderRead', '{}')}), '1', "$db: a new stream and a new type");
	is($node->safe_psql($db, q{select fundes.create_fund('OKCOW-3')}), '3', "$db: a new fund gets the next fund_id");
	cmp_ok($node->safe_psql($db, q{select fundes.purchase_mcp(1, 'M9', 'R9', 'S9', 1000)}),
		'>', $assets, "$db: a new asset_id is none of before");
	is($node->safe_psql($db, q{select fundes.authenticate_investor('A', 'open sesame'), fundes.authenticate_investor('B', 'open sesame')}),
		't|f', "$db: credentials are there");
	is($node->safe_psql($db, q{select fundes.get_mcp_index('M1', 'R1', 'S1', '2023-06-04')::numeric(12,2)}),
		'632000.00', "$db: quotes are there");
	is($node->safe_psql($db, q{select status from fundes.update_mcp_asset_value(1, '2023-06-04')}),
		'unchanged', "$db: a day that was valued is known");
	is(differences($node, $db), '', "$db: the projections equal the log that goes on");
	(undef, undef, $err) = $node->psql($db, "\\set VERBOSITY verbose\ndelete from fundes.event");
	like($err, qr/UF018/, "$db: the log is append-only");
}
is(figures($node, 'postgres'), $figures, 'the store that was dumped is what it was');

# A dump of the restored store: once more the same.
my $again = $node->basedir . '/again.dump';
my $grown = figures($node, 'custom');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $again, 'custom' ], 'pg_dump of the restored store');
$node->safe_psql('postgres', 'create database again');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'again', $again ], 'restore: again');
is(figures($node, 'again'), $grown, 'again: the same figures');
is(differences($node, 'again'), '', 'again: the projections equal the log');

$node->stop;
done_testing();
