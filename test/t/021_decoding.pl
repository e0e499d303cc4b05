# What is written below the executor is as good as what a statement writes: it
# is decoded, and the server's own checks of tables and indexes find no fault.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('decoding');
$node->init;
$node->append_conf('postgresql.conf', 'wal_level = logical');
$node->start;
$node->safe_psql('postgres', 'create extension fundes');
my $slot = $node->psql('postgres', q{select pg_create_logical_replication_slot('s', 'test_decoding')});
my $amcheck = $node->psql('postgres', 'create extension amcheck');

$node->safe_psql('postgres', <<'SQL');
select fundes.append('a-1', 'Noted', '{"n": 1}'), fundes.append('a-1', 'Noted', '{"n": 2}', metadata => '{"m": 1}');
select fundes.append('a-1', 'Noted', '{"n": 3}', event_id => gen_random_uuid()),
	fundes.append('a-1', 'Noted', '{"n": 4}', event_id => gen_random_uuid(), metadata => '{"m": 2}');
select fundes.append_batch(array(select 'a-' || n % 3 from generate_series(5, 1004) n), array_fill('Noted'::text, array[1000]),
	array(select jsonb_build_object('n', n) from generate_series(5, 1004) n),
	event_ids => array(select case when n % 4 = 0 then gen_random_uuid() end from generate_series(5, 1004) n));
begin;
select fundes.append('a-1', 'Noted', '{"n": -1}');
rollback;
SQL

SKIP:
{
	skip 'test_decoding is not installed', 1 if $slot != 0;

	# json_object is a keyword since PostgreSQL 16, and then quoted
	is($node->safe_psql('postgres', q{
		select count(*), sum((substring(data, 'payload\[fundes\."?json_object"?\]:''({[^'']*})''')::jsonb ->> 'n')::int),
			   count(*) filter (where data !~ 'event_id\[uuid\]:null'), count(*) filter (where data ~ '"m": \d')
		  from pg_logical_slot_get_changes('s', null, null) where data like 'table fundes.event: INSERT:%'}),
		join('|', 1004, 1004 * 1005 / 2, 2 + 250, 2), 'every event is decoded once, with all it has');
}

my $checks = q{
	select bt_index_parent_check(indexrelid, true) from pg_index where indrelid = 'fundes.event'::regclass;
	select * from verify_heapam('fundes.event')};
SKIP:
{
	skip 'amcheck is not installed', 2 if $amcheck != 0;
	is($node->safe_psql('postgres', $checks) =~ s/\s//gr, '', 'table and indexes are whole');
	my $shown = $node->safe_psql('postgres', 'select * from fundes.event_log order by position');
	$node->safe_psql('postgres', 'vacuum full fundes.event; reindex table fundes.event');
	$node->safe_psql('postgres', $checks);
	is($node->safe_psql('postgres', 'select * from fundes.event_log order by position'), $shown, 'and the same when they were written anew');
}
$node->safe_psql('postgres', q{select fundes.append('a-1', 'Noted', '{"n": 1005}')});

$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'select count(*), max(position) > 1004 from fundes.event_log'), '1005|t', 'a crash loses nothing');
$node->stop;
done_testing();
