# poll(wait): answers soon after the commit that it waits for, burns no CPU
# while it waits, and ends by itself.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('wait');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
create extension fundes;
select fundes.define_event_type('X'), fundes.create_subscription('s'), fundes.create_subscription('rare', types => '{Y}');
create table answer (after_commit double precision);

-- polls, and keeps how long after its event's commit it had the answer; the
-- appender's clock at the commit is within a millisecond of recorded_at
create procedure answer_polls(n integer) language plpgsql as $$
declare
	e fundes.event_log;
begin
	for i in 1 .. n loop
		select * into e from fundes.poll('s', wait => '30 s');
		insert into answer values (1000 * extract(epoch from clock_timestamp() - e.recorded_at));
		perform fundes.acknowledge('s', e.position);
		commit;
	end loop;
end
$$;
SQL

sub background
{
	my ($sql) = @_;
	return IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $sql ],
		'<', \undef, '>', '/dev/null', '2>', '/dev/null');
}

# CPU time of a process in milliseconds.
sub cpu
{
	my ($pid) = @_;
	my @fields = split ' ', (split /\) /, slurp_file("/proc/$pid/stat"))[1];
	return 10 * ($fields[11] + $fields[12]);
}

my $polls = 40;
my $consumer = background("call answer_polls($polls)");
for (1 .. $polls)
{
	# longer than an answer takes, and out of step with the slices
	sleep 0.12 + rand 0.05;
	$node->safe_psql('postgres', "select fundes.append('a-1', 'X', '{}')");
}
$consumer->finish;
is($node->safe_psql('postgres', 'select count(*) from answer'), $polls, 'each poll had its event');
my $latency = $node->safe_psql('postgres',
	"select percentile_cont(0.5) within group (order by after_commit)::numeric(9, 1) || ' ms median, '
	 || percentile_cont(0.95) within group (order by after_commit)::numeric(9, 1) || ' ms 95th percentile, '
	 || max(after_commit)::numeric(9, 1) || ' ms at most' from answer");
diag("poll(wait) answers after $latency");
cmp_ok($node->safe_psql('postgres', 'select percentile_cont(0.95) within group (order by after_commit) from answer'),
	'<', 50, 'poll answers within 50 ms of the commit');

# It ends by itself, and an event that it has no use for does not end it.
my $start = time;
is($node->safe_psql('postgres', "select count(*) from fundes.poll('s', wait => '500 ms')"), '0', 'nothing came');
my $took = time - $start;
cmp_ok($took, '>=', 0.5, 'it waited');
cmp_ok($took, '<', 1.5, 'it ended by itself');

# What it costs to wait.
SKIP:
{
	skip 'no /proc', 2 unless -e '/proc/self/stat';
	foreach my $held (0, 1)
	{
		my $holder;
		$holder = background("begin; select fundes.append('h-1', 'X', '{}'); select pg_sleep(20)") if $held;
		my $waiting = background("select fundes.poll('rare', wait => '20 s')");
		sleep 1;
		my $pid = $node->safe_psql('postgres', "select pid from pg_stat_activity where query like '%poll(%' and pid <> pg_backend_pid()");
		my $before = cpu($pid);
		sleep 5;
		my $used = cpu($pid) - $before;
		my $what = $held ? 'while an append is in progress' : 'while nothing happens';

		diag("a waiting poll used $used ms of CPU in 5 s $what");
		cmp_ok($used, '<', 100, "waiting costs next to nothing $what");
		$node->safe_psql('postgres', "select pg_cancel_backend($pid)");
		$waiting->finish;
		if ($held)
		{
			$node->safe_psql('postgres', "select pg_terminate_backend(pid) from fundes.appends_in_progress");
			$holder->finish;
		}
	}
}

# It can be cancelled at any time.
my $waiting = background("select fundes.poll('rare', wait => '1 hour')");
ok($node->poll_query_until('postgres',
		"select count(pg_cancel_backend(pid)) = 1 from pg_stat_activity where wait_event_type = 'Extension' and query like '%poll(%'"),
	'a waiting poll is shown as waiting');
$waiting->finish;
is($node->safe_psql('postgres', "select claimed_by is null from fundes.subscription_status where name = 'rare'"), 't', 'cancelled, it has no claim');
$node->stop;
done_testing();
