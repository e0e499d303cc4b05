# What holds a reader of the whole log back, and what does not: a backend that
# dies in mid-append, a prepared transaction, also through a restart of the
# server, a thousand aborted appends; and where the log cannot be followed.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('watermark');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;
$node->safe_psql('postgres', "create extension fundes; select fundes.define_event_type('X')");

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# The streams of the events that a reader gets.
sub seen
{
	return sql("select coalesce(string_agg(stream, ' ' order by position), '') from fundes.read_all(max_count => null)");
}

sub refusal
{
	my ($server, $sql) = @_;
	my ($result, $out, $err) = $server->psql('postgres', "\\set VERBOSITY verbose\n$sql");

	return $err =~ /ERROR:  (\w{5}):/ ? $1 : "none: $out$err";
}

# A psql that can be talked to.
sub open_session
{
	my ($stdin, $stdout) = ('', '');
	my $h = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', '-' ],
		'<', \$stdin, '>', \$stdout, '2>', '/dev/null', IPC::Run::timeout(60));
	my $s = { h => $h, in => \$stdin, out => \$stdout };
	return $s;
}

# Runs SQL in a session and returns what it says.
sub in_session
{
	my ($s, $sql) = @_;

	${ $s->{out} } = '';
	${ $s->{in} } .= "$sql\n\\echo ready\n";
	$s->{h}->pump until ${ $s->{out} } =~ /^ready$/m;
	(my $result = ${ $s->{out} }) =~ s/^ready\n//m;
	chomp $result;
	return $result;
}

# A backend that is terminated in mid-append holds nobody back.
my $session = open_session();
my $pid = in_session($session, 'select pg_backend_pid();');
in_session($session, "begin; select fundes.append('dead-1', 'X', '{}');");
sql("select fundes.append('a-1', 'X', '{}')");
is(seen(), '', 'an open append holds the reader back');
is(sql("select pid = $pid and from_position = 1 and started_at < now() and prepared is null from fundes.appends_in_progress"),
	't', 'and can be seen');
sql("select pg_terminate_backend($pid)");
$node->poll_query_until('postgres', 'select count(*) = 0 from fundes.appends_in_progress');
is(seen(), 'a-1', 'not when its backend has died');
eval { $session->{h}->finish };

# A prepared transaction does, as it may still commit; also after a restart.
sql("begin; select fundes.append('later-1', 'X', '{}'); prepare transaction 'later'");
sql("select fundes.append('a-2', 'X', '{}')");
is(seen(), 'a-1', 'a prepared append holds the reader back');
is(sql('select prepared from fundes.appends_in_progress where pid is null and started_at < now()'),
	'later', 'and can be seen by its name');
$node->stop('immediate');
$node->start;
is(seen(), 'a-1', 'so it does after a crash');
is(sql('select prepared from fundes.appends_in_progress where pid is null'), 'later', 'and can be seen');
sql("select fundes.append('a-3', 'X', '{}')");
sql("commit prepared 'later'");
is(seen(), 'a-1 later-1 a-2 a-3', 'committed, it stands in its place');
sql("begin; select fundes.append('never-1', 'X', '{}'); prepare transaction 'never'");
sql("rollback prepared 'never'");
sql("select fundes.append('a-4', 'X', '{}')");
is(seen(), 'a-1 later-1 a-2 a-3 a-4', 'rolled back, it leaves a hole');

# Transactions are prepared, ours or not, while readers look.
my @readers = map { open_session() } 1 .. 2;
for my $reader (@readers)
{
	${ $reader->{in} } .= "do \$\$ begin for i in 1 .. 20000 loop perform fundes.watermark(); end loop; end \$\$;\n\\echo looked\n";
	$reader->{h}->pump_nb;
}
sql(join '', map { "begin; select fundes.append('gone-$_', 'X', '{}'); prepare transaction 'p'; rollback prepared 'p';\n" } 1 .. 300);
for my $reader (@readers)
{
	eval { $reader->{h}->pump until ${ $reader->{out} } =~ /^looked$/m; };
	like(${ $reader->{out} }, qr/^looked$/m, 'the watermark is read while transactions are prepared');
	eval { $reader->{h}->finish };
}

# A thousand aborted appends, as transactions and as savepoints.
my $aborts = "begin; select fundes.append('gone-1', 'X', '{}'); rollback;\n" x 500;
$aborts .= "begin;\n"
  . ("savepoint s; select fundes.append('gone-2', 'X', '{}'); rollback to s; release s;\n" x 500)
  . "commit;\n";
sql($aborts);
is(sql('select fundes.watermark() >= 1000'), 't', 'aborted appends do not hold the watermark back');
sql("select fundes.append('a-5', 'X', '{}')");
is(seen(), 'a-1 later-1 a-2 a-3 a-4 a-5', 'nor the reader');

# An idle transaction with a snapshot and a transaction id of its own, in this
# database and in another (sliceworkz/eventstore#103).
$node->safe_psql('postgres', 'create database other');
$session = open_session();
in_session($session, 'begin isolation level serializable; create table idle (); select txid_current();');
my $elsewhere = open_session();
in_session($elsewhere, '\c other');
in_session($elsewhere, 'create extension fundes; begin; select fundes.append(\'x-1\', \'X\', \'{}\');');
sql("select fundes.append('a-6', 'X', '{}')");
is(seen(), 'a-1 later-1 a-2 a-3 a-4 a-5 a-6', 'transactions that append nothing here do not hold the reader back');
is(sql('select count(*) from fundes.appends_in_progress'), '0', 'and are not shown');

# Snapshots that cannot be renewed.
foreach my $level ('repeatable read', 'serializable')
{
	foreach my $call ('fundes.read_all()', 'fundes.watermark()', "fundes.read_correlation('x')", "fundes.poll('x')")
	{
		is(refusal($node, "begin isolation level $level; select $call;"), '0A000', "$call is refused in $level");
	}
}
is(sql('begin read only; select count(*) from fundes.read_all()'), '7', 'read_all runs in a read-only transaction');
is(refusal($node, "begin read only; select fundes.poll('x');"), '25006', 'poll does not');

# A standby.
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', "select count(*) from fundes.read_stream('a-6')"), '1', 'read_stream runs on a standby');
is(refusal($standby, 'select fundes.read_all();'), '0A000', 'read_all is refused there');
is(refusal($standby, 'select fundes.watermark();'), '0A000', 'watermark too');
is(refusal($standby, "select fundes.poll('x');"), '25006', 'and poll');
is(refusal($standby, "select fundes.append('b-1', 'X', '{}');"), '25006', 'an append');
is(refusal($standby, "select count(*) from fundes.append_batch(array(select 'b-' || n from generate_series(1, 65) n), array_fill('X'::text, array[65]), array_fill('{}'::jsonb, array[65]));"),
	'25006', 'one to very many streams');
is(refusal($standby, 'select fundes.rebuild_projections();'), '25006', 'and rebuild_projections');
$standby->promote;
$standby->safe_psql('postgres', "select fundes.append('b-1', 'X', '{}')");
is($standby->safe_psql('postgres', 'select count(*) from fundes.read_all()'), '8', 'promoted, it can be followed');

$standby->stop;
$_->{h}->kill_kill(grace => 0) foreach $session, $elsewhere;
$node->stop;
done_testing();
