# A large log is folded by parallel workers to be verified, and by one process where
# something differs, or where its rows have no room.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('parallel_rebuild', "fsync = off\nmin_parallel_table_scan_size = '8MB'");

$node->safe_psql('postgres', q{
	select fundes.create_investor('i' || n, 'Investor') from generate_series(1, 20) n;
	select fundes.create_fund('Fund ' || n, effective_at => now() - interval '10 days') from generate_series(1, 7) n;
	select fundes.create_investment('i' || n, f, 1000000, effective_at => now() - interval '9 days') from generate_series(1, 7) f, generate_series(1, 20) n;
	select count(*) from fundes.append_batch(array(select 'fund-' || 1 + n % 7 from generate_series(1, 5000) n),
		array_fill('McpPurchased'::text, array[5000]),
		array(select jsonb_build_object('fund_id', 1 + n % 7, 'asset_id', n, 'copyright_code', 'M' || n, 'registration_number', 'R',
			'music_id', 'S', 'price_cash', 10, 'acquisition_date', '2023-06-01') from generate_series(1, 5000) n),
		effective_at => array_fill(now() - interval '8 days', array[5000]));
	select fundes.record_royalty(1 + n % 7, n, 7, effective_at => now() - n % 150 * interval '1 hour') from generate_series(1, 300) n;
	select fundes.publish_index('MCPI', current_date - 5, 100);
	select fundes.halt_trading(reason => 'all');
	select fundes.halt_trading(2, 'one');
	select fundes.resume_trading(reason => 'all');});

# What a statement gives, and by how many workers the log was folded, and whether
# by one process after that.
sub verify
{
	my ($settings, $statement) = @_;
	my ($status, $out, $err) = $node->psql('postgres',
		"set client_min_messages = debug1; $settings; " . ($statement // 'select count(*) from fundes.verify_projections()'),
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	my ($workers) = $err =~ /folding the log with (\d) parallel workers/;
	my ($state) = $err =~ /ERROR: +(\w{5}):/;
	my @again = $err =~ m{folding the log once more} ? ('again') : ();
	return join ' ', $state // $out, $workers // 'alone', @again;
}

my $small = q{set min_parallel_table_scan_size = 0};
is(verify(q{}), '0 alone', 'a small log is folded by one process');
is(verify($small), '0 2', 'a large one by workers');
is(verify("$small; set max_parallel_maintenance_workers = 1"), '0 1', 'by as many as are allowed');
is(verify("$small; set max_parallel_maintenance_workers = 7"), '0 7', 'also by more than there are funds in some parts');
is(verify("$small; set max_parallel_maintenance_workers = 0"), '0 alone', 'or by none');
is(verify("$small; set max_parallel_workers = 0"), '0 0', 'where none comes, by one process');
is(verify("$small; set maintenance_work_mem = '1MB'"), '0 alone', 'and where its rows have no room');
is(verify($small, 'select fundes.rebuild_projections()'), '0 2', 'so is it to be rebuilt');
is(verify("begin isolation level repeatable read; select from fundes.event; $small"), '0 2', 'and by an older snapshot');
is(verify("begin; select from fundes.accrue_fee(1, 5); savepoint s; select from fundes.accrue_fee(2, 5); $small"), '0 2', 'with what the transaction wrote');

# each process has all investors, which the estimate does not count: room ends on the way
$node->safe_psql('postgres', q{select fundes.create_investor('j' || n, 'Investor') from generate_series(1, 20000) n});
is(verify("$small; set maintenance_work_mem = '7MB'"), '0 2 again', 'where room ends on the way, one process goes on');
is(verify("$small; set maintenance_work_mem = '64MB'"), '0 2', 'where it does not, none has to');

# each kind of row
foreach my $damage (
	'update fundes.fund set capital_cash = capital_cash + 1 where fund_id = 5',
	q{insert into fundes.investor values ('X', 'X', now(), 1, 1)},
	q{update fundes.investment set units = units + 1 where fund_id = 3 and investor_id = 'i7'},
	'update fundes.mcp set value_cash = 11 where asset_id = 4321',
	'delete from fundes.market_index',
	q{update fundes.trading_halt set reason = 'x' where fund_id = 0},
	q{update fundes.trading_halt set reason = 'x' where fund_id = 2},
	'delete from fundes.fund_late where fund_id = 4 and level = 2',
	'update fundes.fund_entry set asset_value = 1 where last_position = (select max(last_position) from fundes.fund_entry)',
	'delete from fundes.holding_entry where fund_id = 7')
{
	like(verify("begin; $damage; $small"), qr/^[1-9]\d* 2 again$/, $damage);
	like(verify("begin; $damage; $small; select fundes.rebuild_projections() > 0"), qr/^t\n0 2 again$/, 'is mended');
}

# what the fold refuses
$node->safe_psql('postgres', q{
	alter table fundes.event disable trigger project;
	insert into fundes.event (position, stream_id, version, effective_at, recorded_at, type_id, payload)
		select nextval('fundes.event_position'), stream_id, 1000000, effective_at, recorded_at, type_id, payload || '{"copyright_code": "M0"}'
		  from fundes.event where type_id = 6 order by position desc limit 1;
	alter table fundes.event enable always trigger project;});
is(verify("$small; set max_parallel_maintenance_workers = 0"), 'UF016 alone', 'a log that is not to be folded');
is(verify($small), 'UF016 2', 'is so for workers, too');
is(verify($small, 'select fundes.rebuild_projections()'), 'UF016 2', 'and not rebuilt');

is($node->safe_psql('postgres', "select count(*) from pg_stat_activity where backend_type = 'parallel worker'"), '0', 'no worker is left');
$node->stop;
done_testing();
