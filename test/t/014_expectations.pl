# The matrix of expectations as KurrentDB documents it: what is expected of a
# stream, what it is, and whether the call writes or only checks; in READ
# COMMITTED and REPEATABLE READ. And what makes a call a repeated one.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('expectations');
$node->init;
$node->append_conf('postgresql.conf', 'log_statement = none');
$node->start;
$node->safe_psql('postgres', "create extension fundes; select fundes.define_event_type('X'), fundes.define_event_type('Y')");

# SQLSTATE of a call, 00000 where it was accepted.
sub state_of
{
	my ($sql) = @_;
	my ($result, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql");

	return $err =~ /ERROR:  (\w{5}):/ ? $1 : $result == 0 ? '00000' : "none: $err";
}

my %expected = (any => 'null', none => 0, exists => -4, exact => 2);

# whether the expectation is met by a stream that is absent, at version 2 as
# expected, at another version
my %met = (
	any    => { absent => 1, there => 1, other => 1 },
	none   => { absent => 1, there => 0, other => 0 },
	exists => { absent => 0, there => 1, other => 1 },
	exact  => { absent => 0, there => 1, other => 0 });
my %events = (absent => 0, there => 2, other => 3);
my $n = 0;

foreach my $level ('read committed', 'repeatable read')
{
	foreach my $expectation (sort keys %expected)
	{
		foreach my $stream_is (sort keys %events)
		{
			foreach my $call ('write', 'batch', 'check only')
			{
				my $stream = 'm-' . ++$n;
				my $version = $expected{$expectation};
				my $sql = $call eq 'write' ? "select fundes.append('$stream', 'X', '{}', expected_version => $version)"
				  : $call eq 'batch' ? "select fundes.append_batch('{other-$n,$stream}', '{X,X}', array['{}','{}']::jsonb[], expected_streams => '{$stream}', expected_versions => '{$version}')"
				  : "select fundes.append_batch('{other-$n}', '{X}', array['{}']::jsonb[], expected_streams => '{$stream}', expected_versions => '{$version}')";
				my $met = $met{$expectation}{$stream_is};
				my $after = $events{$stream_is} + ($met && $call ne 'check only' ? 1 : 0);
				my $other = $met && $call ne 'write' ? 1 : 0;

				$node->safe_psql('postgres', "select fundes.append('$stream', 'X', '{}') from generate_series(1, $events{$stream_is})");
				is( state_of("begin isolation level $level; $sql; commit;") . ' '
					  . $node->safe_psql('postgres', "select fundes.stream_version('$stream') || ' ' || fundes.stream_version('other-$n')"),
					($met ? '00000' : 'UF021') . " $after $other",
					"$level, $call: $expectation of a stream that is $stream_is");
			}
		}
	}
}
is($node->safe_psql('postgres', "select count(*) from fundes.stream where name like 'm-%' and not exists (select from fundes.event e where e.stream_id = stream.stream_id)"),
	'0', 'checking a stream does not make it');

# Idempotency
sub id
{
	return sprintf '01890000-0000-7000-8000-%012d', $_[0];
}

# A batch of events of the form stream/type/payload/id, as SQL.
sub batch
{
	my ($events, $expected) = @_;
	my @columns;

	foreach my $event (@$events)
	{
		push @{ $columns[$_] }, $event->[$_] foreach 0 .. 3;
	}
	my @sql = map { my $c = $_; 'array[' . join(',', map { "'$_'" } @$c) . ']' } @columns;
	return "select fundes.append_batch($sql[0], $sql[1], $sql[2]::jsonb[], $sql[3]::uuid[]"
	  . ($expected ? ", expected_streams => '{$expected->[0]}', expected_versions => '{$expected->[1]}'" : '') . ')';
}

foreach my $level ('read committed', 'repeatable read')
{
	my $p = $level eq 'read committed' ? 'c' : 'r';
	my $k = $level eq 'read committed' ? 100 : 200;
	my @batch = ([ "$p-1", 'X', '{"n": 1}', id($k + 1) ], [ "$p-2", 'Y', '{"n": 2}', id($k + 2) ], [ "$p-1", 'X', '{"n": 3}', id($k + 3) ]);
	my $count = 'select count(*) from fundes.event_log';
	my $once = sub { state_of("begin isolation level $level; $_[0]; commit;") };

	is($once->(batch(\@batch, [ "$p-1", 0 ])), '00000', "$level: a batch");
	my $events = $node->safe_psql('postgres', $count);
	my $places = $node->safe_psql('postgres', "select string_agg(position::text, ' ' order by position) from fundes.event_log where stream like '$p-%'");

	is( $node->safe_psql('postgres', "begin isolation level $level; select string_agg((b).position::text || (b).replayed, ' ') from ("
			  . batch(\@batch, [ "$p-1", 0 ]) . ' as b) r; commit'),
		join(' ', map { "${_}true" } split / /, $places),
		"$level: the whole batch again has the first result, though the expectation fails by now");
	is($once->(batch([ @batch[ 0, 1 ] ])), '00000', "$level: a part of it again");
	is($once->(batch([ @batch[ 1, 0 ] ])), 'UF008', "$level: in another order");
	is($once->(batch([ $batch[0], [ "$p-1", 'X', '{}', id($k + 9) ] ])), 'UF008', "$level: with a new one");
	is($once->(batch([ [ "$p-1", 'X', '{"n": 9}', id($k + 1) ] ])), 'UF008', "$level: with other content");
	is($once->(batch([ [ "$p-1", 'Y', '{"n": 1}', id($k + 1) ] ])), 'UF008', "$level: of another type");
	is($once->(batch([ [ "$p-9", 'X', '{"n": 1}', id($k + 1) ] ])), 'UF008', "$level: in another stream");
	is($once->(batch([ @batch[ 0, 0 ] ])), 'UF008', "$level: twice in one call");
	is($node->safe_psql('postgres', $count), $events, "$level: none of them wrote anything");
}

# What is expected of a fund's stream is its version, whatever else the fund's
# row has seen since the snapshot.
$node->safe_psql('postgres', "select fundes.create_investor('A', 'Kim'), fundes.create_fund('F'); select fundes.create_investment('A', 1, 100000)");
my $reader = Session->new($node);
$reader->rows('begin isolation level repeatable read');
$reader->rows('select 1');
$node->safe_psql('postgres', "select fundes.withdraw_investment('A', 1, 1)");
is($reader->value("select count(*) from fundes.append_batch('{}', '{}', '{}', expected_streams => '{fund-1}', expected_versions => '{1}')"),
	'0', 'in REPEATABLE READ a fund that was dealt in since can be expected at its version');
is($reader->value("select stream, version from fundes.append_batch('{note-1}', '{X}', array['{}']::jsonb[], expected_streams => '{fund-1}', expected_versions => '{1}')"),
	'note-1|1', 'beside what is written');
$reader->rows('commit');
$reader->close;

$node->stop;
done_testing();
