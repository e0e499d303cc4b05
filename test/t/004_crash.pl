# What was committed before a crash is there after it, and the projections
# equal the log.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('crash', 'max_prepared_transactions = 5');
$node->safe_psql('postgres', q{
	select fundes.create_fund('Ballads');
	select fundes.create_investor('A', 'Kim');
	select fundes.create_investor('B', 'Lee');});

for my $how ('kill9', 'immediate')
{
	# Two writers who note what they were told, until the server is gone.
	my @writers;
	for my $investor ('A', 'B')
	{
		my ($out, $err) = ('', '');
		my $script = $node->basedir . "/$investor.sql";
		append_to_file($script, "select event_id from fundes.create_investment('$investor', 1, 5000);\n" x 20000);
		push @writers, { out => \$out, run => IPC::Run::start(
			[ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-f', $script ], '>', \$out, '2>', \$err) };
	}
	for my $writer (@writers)
	{
		$writer->{run}->pump until (${ $writer->{out} } =~ tr/\n//) > 50;
	}
	$how eq 'kill9' ? kill_server($node) : $node->stop('immediate');
	$_->{run}->finish for @writers;
	start_again($node);

	my @told = map { ${ $_->{out} } =~ /^([0-9a-f-]{36})\n/mg } @writers;
	cmp_ok(scalar @told, '>', 100, "$how: events were committed before the crash");
	is($node->safe_psql('postgres',
			"select count(*) from unnest('{" . join(',', @told) . "}'::uuid[]) id where not exists (select from fundes.event_log where event_id = id)"),
		'0', "$how: each of them is there after it");
	is(differences($node, 'postgres'), '', "$how: the projections equal the log");
	is($node->safe_psql('postgres', q{
			select count(*) from (select stream from fundes.event_log group by 1 having count(*) <> max(version)) s}),
		'0', "$how: versions have no holes");
	is($node->safe_psql('postgres', q{
			select s.capital_cash = 5000 * count(*) and s.total_supply = 5 * count(*)
			  from fundes.fund_sheet s, fundes.event_log e where e.type = 'InvestmentCreated' group by s.capital_cash, s.total_supply}),
		't', "$how: cash and units are those of the events");
	my $position = $node->safe_psql('postgres', 'select max(position) from fundes.event_log');
	cmp_ok($node->safe_psql('postgres', q{select position from fundes.append('order-1', 'X', '{}')}),
		'>', $position, "$how: the store goes on");
}

# A prepared append outlives the server, and holds its stream until it ends.
$node->safe_psql('postgres', q{
	begin;
	select fundes.append('order-2', 'X', '{"n": 1}');
	prepare transaction 'waiting';});
$node->stop('immediate');
start_again($node);
is($node->safe_psql('postgres', q{select fundes.stream_version('order-2')}), '0', 'a prepared append is not there');
my (undef, undef, $err) = $node->psql('postgres',
	q{\set VERBOSITY verbose
	set lock_timeout = '100ms';
	select fundes.append('order-2', 'X', '{"n": 2}');});
like($err, qr/55P03/, 'its stream waits for it');
$node->safe_psql('postgres', q{commit prepared 'waiting'});
is($node->safe_psql('postgres', q{select version from fundes.append('order-2', 'X', '{"n": 2}', expected_version => 1)}),
	'2', 'then it is there');
is(differences($node, 'postgres'), '', 'the projections equal the log');

$node->stop;
done_testing();
