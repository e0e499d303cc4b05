# A dump, restored into a younger cluster, whose transaction ids begin anew:
# subscriptions go on where they were, and so do readers
# (ThreeDotsLabs/watermill#576). Filter indexes come along.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->start;
$old->safe_psql('postgres', <<'SQL');
create extension fundes;
select fundes.create_subscription('s'), fundes.create_subscription('rare', types => '{Y}'),
	   fundes.create_subscription('halves'), fundes.create_filter_index('type'), fundes.create_filter_index('correlation_id');
select count(txid_current()) from generate_series(1, 1000);
select fundes.append(case when n % 2 = 0 then 'even-' else 'odd-' end || n % 4, 'X', '{}', metadata => '{"correlation_id": "c"}')
  from generate_series(1, 20) n;
begin;
select fundes.append('gone-1', 'X', '{}');
rollback;
select fundes.append('even-9', 'Y', '{}');
select fundes.poll('s', 5);
select fundes.acknowledge('s', 5);
select fundes.poll('halves', 3, partition => n, partitions => 2) from generate_series(0, 1) n;
select fundes.acknowledge('halves', 2, 2);
SQL

sub state_of
{
	my ($node) = @_;
	return $node->safe_psql('postgres', <<'SQL');
select fundes.watermark();
select name, partition, position from fundes.subscription_status order by name collate "C", partition;
select position, stream, type from fundes.read_all();
select count(*) from fundes.read_all(types => '{Y}');
select count(*) from fundes.read_all(categories => '{even}');
select count(*) from fundes.read_correlation('c');
select indexdef from pg_indexes where schemaname = 'fundes' and indexname like 'event_by%' order by indexname collate "C";
SQL
}

my $before = state_of($old);
like($before, qr/event_by_type/, 'there are filter indexes');
is($old->safe_psql('postgres', 'select string_agg(position::text, \' \') from fundes.poll(\'s\', 3)'), '6 7 8', 'the old one goes on after 5');

my %restores = (
	plain => sub { $_[0]->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $_[0]->connstr('postgres'), '-f', $_[1] ], 'restore with psql') },
	custom => sub { $_[0]->command_ok([ 'pg_restore', '-d', $_[0]->connstr('postgres'), '-j', '2', '--exit-on-error', $_[1] ], 'restore with pg_restore -j') });

foreach my $format (sort keys %restores)
{
	my $file = PostgreSQL::Test::Utils::tempdir() . "/dump.$format";
	my $new = PostgreSQL::Test::Cluster->new("new_$format");

	$old->command_ok([ 'pg_dump', '-F', $format, '-f', $file, '-d', $old->connstr('postgres') ], "dump as $format");
	$new->init;
	$new->start;
	$restores{$format}->($new, $file);
	is(state_of($new), $before, "$format: log, positions and filter indexes are the same");
	$new->safe_psql('postgres', "select fundes.append('odd-1', 'X', '{}')");
	is($new->safe_psql('postgres', "select string_agg(position::text, ' ') from fundes.poll('s', null)"),
		join(' ', 6 .. 20, 22, 23), "$format: a subscription goes on after what was acknowledged, with new events, too");
	is($new->safe_psql('postgres', "select count(*) from fundes.stream where stream_id <= 0 or name = 'new'"), '0', "$format: stream ids are as they were");
	$new->safe_psql('postgres', "select fundes.append('odd-new', 'Z', '{}'), fundes.create_subscription('t', '{odd}', '{Z}')");
	is($new->safe_psql('postgres', "select stream from fundes.poll('t')"), 'odd-new', "$format: new names and subscriptions");
	$new->stop;
}
$old->stop;
done_testing();
