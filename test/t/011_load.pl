# Sixteen writers that sleep, abort and use savepoints, and followers beside
# them: each follower sees each committed event once, in order. Then the same
# while the server is killed: every acknowledged append is there, and followers
# go on from what they acknowledged.
#
# FUNDES_LOAD_SECONDS: how long each of the two runs writes, 15 by default.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $seconds = $ENV{FUNDES_LOAD_SECONDS} || 15;
my $writers = 16;
my $dir = PostgreSQL::Test::Utils::tempdir();

my $node = new_store('load', 'max_connections = 60', 'log_statement = none');

# A follower keeps what it saw, in the order in which it saw it, in the same
# transaction in which it moves on.
$node->safe_psql('postgres', <<'SQL');
create table stop ();
create table seen (follower text, n bigserial, position bigint, stream text);

-- with read_all, from the last position that it got
create procedure follow_log(me text) language plpgsql as $$
declare
	stopping boolean;
	found_some boolean;
begin
	loop
		stopping := to_regclass('stopped') is not null;
		insert into seen (follower, position, stream)
		select me, e.position, e.stream
		  from fundes.read_all((select coalesce(max(s.position), 0) from seen s where s.follower = me), 50) e;
		found_some := found;
		commit;
		exit when stopping and not found_some;
		if not found_some then
			perform pg_sleep(random() * 0.01);
		end if;
	end loop;
end
$$;

-- with a subscription; now and then the transaction fails
create procedure follow_subscription(me text, sub text, part integer, parts integer) language plpgsql as $$
declare
	stopping boolean;
	last bigint;
begin
	loop
		stopping := to_regclass('stopped') is not null;
		with polled as (
			select * from fundes.poll(sub, 1 + (random() * 50)::integer, wait => '100 ms',
									  partition => part, partitions => parts)),
		kept as (
			insert into seen (follower, position, stream)
			select me, p.position, p.stream from polled p order by p.position
			returning position)
		select max(k.position) into last from kept k;
		if last is not null then
			perform fundes.acknowledge(sub, last, parts);
		end if;
		if random() < 0.1 and last is not null then
			rollback;
		else
			commit;
			exit when stopping and last is null;
		end if;
	end loop;
end
$$;
select fundes.create_subscription('all'), fundes.create_subscription('halves');
SQL

# A psql that goes its own way, with what it says in a file.
sub start_psql
{
	my ($name, $script) = @_;
	my $file = "$dir/$name";

	append_to_file("$file.sql", $script);
	return IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', "$file.sql" ],
		'<', \undef, '>', "$file.out", '2>', "$file.err");
}

# A writer's script: transactions of some appends, with sleeps between; a
# third of them fails, wholly or in a savepoint. After a commit, what it had
# appended is told: "done STREAM COUNT".
sub writer_script
{
	my ($run, $writer) = @_;
	my $script = '';

	for my $k (1 .. 40 * $seconds)
	{
		my $mine = "w-$run-$writer";
		my $shared = 's-' . int(rand 8);

		$script .= "begin;\n";
		$script .= sprintf("select pg_sleep(%.3f);\n", rand 0.02) if rand() < 0.5;
		$script .= "savepoint p;\nselect fundes.append('$mine', 'X', '{}');\nrollback to p;\n" if rand() < 0.2;
		$script .= "select fundes.append('$mine', 'X', '{\"k\": $k}');\n";
		$script .= sprintf("select pg_sleep(%.3f);\n", rand 0.04);
		$script .= "select fundes.append('$shared', 'X', '{}');\n" if rand() < 0.3;
		$script .= "savepoint p;\nselect fundes.append('$mine', 'X', '{}');\nrollback to p;\n" if rand() < 0.2;
		if (rand() < 0.2)
		{
			$script .= "rollback;\n";
		}
		else
		{
			$script .= "commit;\n\\echo done $k :SQLSTATE\n";
		}
	}
	return $script;
}

my @followers = (
	[ 'log', "call follow_log('log')" ],
	[ 'all', "call follow_subscription('all', 'all', 0, 1)" ],
	[ 'half0', "call follow_subscription('half0', 'halves', 0, 2)" ],
	[ 'half1', "call follow_subscription('half1', 'halves', 1, 2)" ]);

sub start_followers
{
	my ($run) = @_;

	return map { start_psql("$_->[0]-$run", "$_->[1];\n") } @followers;
}

sub check_followers
{
	my ($what) = @_;

	foreach my $follower (@followers)
	{
		my $name = $follower->[0];

		is( $node->safe_psql('postgres', "select count(*) from (select position, lag(position) over (order by n) as before
			  from seen where follower = '$name') s where before >= position"),
			'0', "$what: $name saw each position after a smaller one");
	}
	foreach my $names ([ 'log' ], [ 'all' ], [ 'half0', 'half1' ])
	{
		my $in = join ', ', map { "'$_'" } @$names;

		is( $node->safe_psql('postgres',
				"select count(*) from fundes.event_log e full join (select * from seen where follower in ($in)) s using (position)
				  where e.position is null or s.position is null"),
			'0', "$what: @$names saw what was committed, and nothing else");
		is( $node->safe_psql('postgres', "select count(*) - count(distinct position) from seen where follower in ($in)"),
			'0', "$what: @$names saw nothing twice");
	}
	is( $node->safe_psql('postgres', "select count(*) from (select stream from seen where follower like 'half%'
		  group by stream having count(distinct follower) > 1) s"),
		'0', "$what: no stream is in two partitions");
}

sub finish_followers
{
	$node->safe_psql('postgres', 'create table stopped ()');
	foreach my $follower (@_)
	{
		$follower->finish;
	}
	$node->safe_psql('postgres', 'drop table stopped');
}

# What a writer was told is committed: the numbers in its output.
sub acknowledged
{
	my ($writer) = @_;
	return map { /^done (\d+) 00000$/ ? $1 : () } split /\n/, slurp_file("$dir/$writer.out");
}

sub load
{
	my ($run, $what, $kill) = @_;
	my $before = $node->safe_psql('postgres', 'select count(*) from fundes.event_log');
	my @following = start_followers($run);
	my @writing = map { start_psql("w-$run-$_", writer_script($run, $_)) } 1 .. $writers;

	if ($kill)
	{
		sleep $seconds / 2;
		kill_server($node);
		$_->finish foreach @following, @writing;
		start_again($node);
		@following = start_followers("$run-again");
		@writing = map { start_psql("v-$run-$_", writer_script("$run-again", $_)) } 1 .. $writers;
		sleep $seconds / 2;
	}
	else
	{
		sleep $seconds;
	}
	$_->kill_kill(grace => 0) foreach @writing;
	# what a dead writer had sent is still being done
	$node->poll_query_until('postgres',
		"select count(*) = 0 from pg_stat_activity where query like '%append(%' and pid <> pg_backend_pid()");
	if ($kill)
	{
		for my $writer (1 .. $writers)
		{
			my %there = map { $_ => 1 } split /\n/, $node->safe_psql('postgres',
				"select payload ->> 'k' from fundes.read_stream('w-$run-$writer', max_count => null)");
			my @told = acknowledged("w-$run-$writer");
			my @lost = grep { !$there{$_} } @told;

			is("@lost", '', "$what: what writer $writer was told is committed (" . @told . " appends) is there");
		}
	}
	$node->safe_psql('postgres', "select fundes.append('s-0', 'X', '{}')") for 1 .. 3;
	finish_followers(@following);
	check_followers($what);
	my $events = $node->safe_psql('postgres', 'select count(*) from fundes.event_log') - $before;
	cmp_ok($events, '>', 100 * $seconds / 15, "$what: $events events");
}

load(1, 'load', 0);
load(2, 'killed server', 1);
$node->stop;
done_testing();
