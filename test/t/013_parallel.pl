# Many sessions at once: any-appends to one stream, batches over the same
# streams in opposite order, the same event id from two sessions.
#
# FUNDES_LOAD_SECONDS: how long the batches run, 10 by default.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{FUNDES_LOAD_SECONDS} || 10;
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('parallel');
$node->init;
$node->append_conf('postgresql.conf', "max_connections = 60\nlog_statement = none");
$node->start;
$node->safe_psql('postgres', "create extension fundes; select fundes.define_event_type('X')");

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# Runs scripts at the same time, and returns what psql said of errors.
sub at_once
{
	my @scripts = @_;
	my $n = 0;
	my @running = map
	{
		my $file = $dir . '/' . ++$n;

		unlink $file, "$file.err";
		append_to_file($file, $_);
		IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres'), '-f', $file ],
			'<', \undef, '>', '/dev/null', '2>', "$file.err");
	} @scripts;

	$_->finish foreach @running;
	return join '', map { slurp_file("$dir/$_.err") } 1 .. $n;
}

# Twenty parallel appends of any version to one stream: none fails, all are
# there (Eventuous#553).
is(at_once(("select fundes.append('one-1', 'X', '{}');\n" x 50) x 20), '', 'any-appends to one stream do not fail');
is(sql("select count(*) || ' ' || max(version) || ' ' || count(distinct version) from fundes.read_stream('one-1', max_count => null)"),
	'1000 1000 1000', 'all are there, without holes');

# Of parallel appends with the same exact expectation one wins, the others are
# told so, never with 23505; in every isolation level.
foreach my $level ('read committed', 'repeatable read', 'serializable')
{
	(my $stream = "won-$level") =~ tr/ /_/;
	my $script = join '', map { "begin isolation level $level; select fundes.append('$stream', 'X', '{}', expected_version => " . ($_ - 1) . ");\ncommit;\n" } 1 .. 20;
	my $errors = at_once(($script) x 8);

	my @codes = $errors =~ /(?:ERROR|FATAL):  (\w{5}):/g;
	is(join(' ', grep { $_ ne 'UF021' && ($_ ne '40001' || $level eq 'read committed') } @codes),
		'', "$level: losers get UF021" . ($level eq 'read committed' ? '' : ' or 40001'));
	is(sql("select count(*) = max(version) and count(*) > 0 from fundes.read_stream('$stream')"), 't', "$level: versions are without holes");
	is(@codes + sql("select fundes.stream_version('$stream')"), 160, "$level: each call won or was told");
}

# Batches over the same streams in opposite order do not deadlock.
my @streams = map { "b-$_" } 1 .. 12;
sub batches
{
	my ($backward) = @_;
	my $names = join ',', $backward ? reverse @streams : @streams;

	return <<"SQL";
do \$\$
declare
	stop_at timestamptz := clock_timestamp() + interval '$seconds s';
	names text[] := '{$names}';
begin
	while clock_timestamp() < stop_at loop
		perform fundes.append_batch(names, array_fill('X'::text, array[cardinality(names)]),
									array_fill('{}'::jsonb, array[cardinality(names)]));
		commit;
	end loop;
end
\$\$;
SQL
}
is(at_once(map { batches($_ % 2) } 1 .. 16), '', 'batches in opposite order: no deadlock');
is(sql("select count(distinct fundes.stream_version(s)) from unnest('{" . join(',', @streams) . "}'::text[]) s"),
	'1', 'all or nothing: all streams have the same version');
diag(sql("select fundes.stream_version('b-1')") . " batches of 12 streams in $seconds s");

# Two sessions with the same event id at once: one writes, the other has its
# result.
my $id = '01890000-0000-7000-8000-000000000001';
is(at_once(map { "begin; select fundes.append('id-1', 'X', '{}', event_id => '$id'); select pg_sleep(0.2); commit;" } 1 .. 4),
	'', 'the same call from four sessions at once');
is(sql("select count(*) from fundes.read_stream('id-1')"), '1', 'is one event');
like(at_once(map { "begin; select fundes.append('id-$_', 'X', '{}', event_id => '01890000-0000-7000-8000-000000000002'); select pg_sleep(0.2); commit;" } 2 .. 3),
	qr/ERROR:  UF008: /, 'in two streams, the second is refused');
is(sql("select fundes.stream_version('id-2') + fundes.stream_version('id-3')"), '1', 'and wrote nothing');
$node->stop;
done_testing();
