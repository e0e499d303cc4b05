# Restores that take the log as it comes: row by row, of a log that several
# wrote at once, or without triggers. And a transaction of many savepoints.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('restore', 'max_connections = 40');
my $funds = 4;
my $writers = 8;

$node->safe_psql('postgres', qq{
	select count(fundes.create_investor('i' || i, 'Kim')) from generate_series(1, $writers) i;
	select count(fundes.create_fund('Fund ' || f)) from generate_series(1, $funds) f;
	select count(fundes.set_price_limits(f, null, null)) from generate_series(1, $funds) f;
	select count(fundes.create_investment('i1', f, 10000000)) from generate_series(1, $funds) f;});

# What was rolled back leaves room, which later events fill.
$node->safe_psql('postgres', $_) for (
	q{begin; select count(a) from generate_series(1, 2000) i, fundes.append('undone', 'X', '{"n": 0}') a; rollback},
	q{select fundes.append('order-0', 'X', '{"n": 0}')},
	q{vacuum fundes.event});

# Writers who meet in funds, in their holdings and in other streams, commit out
# of order and leave holes.
my $script = $node->basedir . '/write.sql';
append_to_file($script, <<'SQL');
\set fund random(1, 4)
\set other random(1, 4)
begin;
select fundes.append('order-' || :other, 'X', '{"n": 1}');
select fundes.purchase_mcp(:fund, gen_random_uuid()::text, 'R', 'S', 100);
select fundes.create_investment('i' || (1 + :client_id), :fund, 5000);
commit;
begin;
select fundes.append('order-' || :client_id, 'X', '{"n": 2}');
rollback;
select fundes.sell_mcp(fund_id, asset_id, 110)
  from (select fund_id, asset_id from fundes.mcp_holding where fund_id = :fund and asset_id % 8 = :client_id order by asset_id limit 1) m;
select fundes.accrue_fee(:other, 3, 'k' || :client_id);
SQL
$node->command_ok([ 'pgbench', '-n', '-c', $writers, '-t', 40, '-f', $script, $node->connstr('postgres') ], "$writers writers at once");
is($node->safe_psql('postgres', q{select count(*) from fundes.event_log where type = 'McpPurchased'}), 40 * $writers, 'all of them have written');
cmp_ok($node->safe_psql('postgres', q{
		select count(*) from (select position, lag(position) over (order by ctid) as before from fundes.event) e where position < before}),
	'>', 0, 'the rows do not lie in the order of positions');
is(differences($node, 'postgres'), '', 'the store is sound');
my $figures = figures($node, 'postgres');

my %dump = (
	inserts => [ '--inserts' ],
	columns => [ '--column-inserts', '--rows-per-insert=7' ],
	copies => []);
for my $db (sort keys %dump)
{
	my $file = $node->basedir . "/$db.sql";

	$node->safe_psql('postgres', "create database $db");
	$node->command_ok([ 'pg_dump', @{ $dump{$db} }, '-f', $file, 'postgres' ], "pg_dump: $db");
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $db ], "restore: $db");
	is(figures($node, $db), $figures, "$db: the same figures, and the same log");
	is(differences($node, $db), '', "$db: the projections equal the log");
}

# Only data, without triggers, into a database that has the extension: nothing
# is projected until all is folded anew.
my $archive = $node->basedir . '/store.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $archive, 'postgres' ], 'pg_dump -Fc');
$node->safe_psql('postgres', 'create database quiet');
$node->safe_psql('quiet', 'create extension fundes');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--data-only', '--disable-triggers', '-d', 'quiet', $archive ],
	'pg_restore --data-only --disable-triggers');
cmp_ok($node->safe_psql('quiet', 'select fundes.rebuild_projections()'), '>', 0, 'then the projections are rebuilt');
is(figures($node, 'quiet'), $figures, 'the same figures, and the same log');
is(differences($node, 'quiet'), '', 'the projections equal the log');
is($node->safe_psql('quiet', 'select fundes.rebuild_projections()'), '0', 'rebuilt again, nothing changes');
my $triggers = q{
	select string_agg(format('%s on %s: %s', tgname, tgrelid::regclass, tgenabled), ', ' order by tgrelid::regclass::text, tgname)
	  from pg_trigger join pg_class c on c.oid = tgrelid
	 where relnamespace = 'fundes'::regnamespace and not tgisinternal};
is($node->safe_psql('quiet', $triggers), $node->safe_psql('postgres', $triggers), 'triggers fire as in the store that was dumped');
for my $role ('origin', 'replica')
{
	for my $change ('delete from fundes.event', 'update fundes.event set version = version', 'truncate fundes.event',
		'delete from fundes.stream', 'delete from fundes.event where false')
	{
		my (undef, undef, $err) = $node->psql('quiet', "\\set VERBOSITY verbose\nset session_replication_role = $role;\n$change;");
		like($err, qr/UF018/, "$role: $change");
	}
}
is($node->safe_psql('quiet', q{
		set session_replication_role = replica;
		select fundes.record_royalty(fund_id, asset_id, 7) is not null from fundes.mcp_holding order by asset_id limit 1;}),
	't', 'replica: an event is appended');
is(differences($node, 'quiet'), '', 'replica: and projected');
cmp_ok($node->safe_psql('quiet', q{select fundes.purchase_mcp(1, 'after', 'R', 'S', 10)}), '>',
	$node->safe_psql('postgres', q{select max((payload ->> 'asset_id')::bigint) from fundes.event_log where type = 'McpPurchased'}),
	'a new asset_id is none of before');

# A savepoint an event does not fill the lock table.
my $settings = $node->safe_psql('postgres', q{select current_setting('max_locks_per_transaction')});
my $streams = q{
	do $$
	begin
		for i in 1 .. 1100 loop
			begin
				perform fundes.append('%s', 'X', '{"n": 1}');
				if i %% 3 = 0 then
					raise exception using errcode = '22000';
				end if;
			exception when sqlstate '22000' then
				perform fundes.append('undone-' || i, 'X', '{"n": 2}');
			end;
		end loop;
	end $$;
	select count(*) from fundes.event_log where stream like '%s';};
is($node->safe_psql('postgres', sprintf($streams, q{one-1}, 'one-1')), 1100 - 366,
	"1,100 savepoints with an event of one stream, with $settings locks a transaction");
is($node->safe_psql('postgres', sprintf($streams, q{many-' || i || '}, 'many-%')), 1100 - 366, 'and of 1,100 streams');
my $several = join("\n", 'begin;', (map { "savepoint s; select fundes.append('held-$_', 'X', '{}');" } 1 .. 1100), 'commit;');
my ($code, undef, $err) = $node->psql('postgres', $several, on_error_stop => 1);
is("$code $err", '0 ', 'savepoints one in another, none released');
is($node->safe_psql('postgres', q{select count(*) from fundes.event_log where stream like 'held-%'}), '1100', 'all of it is written');
is($node->safe_psql('postgres', q{
		begin;
		select count(fundes.create_investor('many' || i, 'Kim')) from generate_series(1, 1100) i;
		commit;}),
	'1100', '1,100 commands in one transaction');
is(differences($node, 'postgres'), '', 'the projections equal the log');

$node->stop;
done_testing();
