# What the documentation shows is what the software says.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init;
$node->start;
$node->safe_psql('postgres', 'create extension fundes');

my ($stdout, $stderr);
$node->psql('postgres', slurp_file('doc/reference.sql'), stdout => \$stdout, stderr => \$stderr);
is($stderr, '', 'the reference is made without an error');
is("$stdout\n", slurp_file('doc/reference.md'), 'doc/reference.md is what the catalog says');

# Each in a database of its own, as positions are shown. A page may show an
# example in parts, which \echo ---- divides; one that is silent is not shown.
my %shown = (
	'examples/session.sql' => 'README.md',
	'examples/reading.sql' => 'doc/event-store.md',
	'examples/accounting.sql' => 'doc/fund-accounting.md',
	'examples/edges.sql' => 'doc/fund-accounting.md',
	'examples/operators.sql' => 'doc/operators.md');
for my $example (sort keys %shown)
{
	my $session;
	my ($db) = $example =~ /(\w+)\.sql/;

	$node->safe_psql('postgres', "create database $db");
	$node->safe_psql($db, 'create extension fundes');
	IPC::Run::run([ 'psql', '-XaqP', 'pager=off', '-f', '-', $node->connstr($db) ],
		'<', $example, '>', \$session, '2>&1');
	$session =~ s/^psql:<stdin>:\d+: //mg;
	my $part = 0;
	for my $output (split /^\\echo ----\n----\n/m, $session)
	{
		next if $output =~ /^\\set ECHO none/;
		$part++;
		$output =~ s/\s+\z//;
		ok(index(slurp_file($shown{$example}), "```sql\n$output\n```") >= 0,
			"$shown{$example} shows the output of $example, part $part") or diag $output;
	}
	cmp_ok($part, '>', 0, "$example has parts");
}

# The README's statements one after the other, as a stranger tries them.
$node->safe_psql('postgres', q{create database readme});
$node->safe_psql('readme', q{create extension fundes; create role app; create role analyst});
my @blocks = slurp_file('README.md') =~ /^```sql\n(.*?)^```/msg;
$blocks[0] = slurp_file('examples/session.sql');
is($node->psql('readme', join("\n", @blocks), on_error_stop => 0, stderr => \$stderr), 0, 'the README runs');
my @refused = $stderr =~ /ERROR:  (.*)/g;
is(scalar @refused, 2, 'with two errors') or diag $stderr;
is($refused[0], 'Insufficient fund', 'the one that it shows');
like($refused[1] // '', qr/^pg_cron is not installed/, 'and that pg_cron is not there');

my $errors = slurp_file('doc/errors.md');
for my $code (slurp_file('src/errors.h') =~ /UF\('(\d', '\d)'\)/g)
{
	$code =~ s/', '//;
	like($errors, qr/\| UF0$code \|/, "UF0$code is explained");
}

$node->stop;
done_testing();
