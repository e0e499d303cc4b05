# Eight sessions buy for 80 from a fund with 100: one wins, seven are refused.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('cash', 'max_connections = 30');
attempt_function($node);
$node->safe_psql('postgres', q{
	select fundes.create_investor('A', 'Kim');
	create table outcome (fund bigint, buyer integer, code text);});

my $fund = 0;
for my $level ('read committed', 'repeatable read', 'serializable')
{
	$fund++;
	$node->safe_psql('postgres', qq{
		select fundes.create_fund('Last cash');
		select fundes.create_investment('A', $fund, 1000);
		select fundes.purchase_mcp($fund, 'first$fund', 'R', 'S', 900);});

	# All stand behind one gate, with their snapshots taken.
	my ($in, $out) = ('', '');
	my $gate = IPC::Run::start(
		[ 'psql', '-XqAt', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out);
	$in .= "select pg_advisory_lock(1); select 'closed';\n";
	$gate->pump until $out =~ /closed/;

	my @buyers;
	for my $buyer (1 .. 8)
	{
		my $err = '';
		push @buyers, { err => \$err, run => IPC::Run::start(
			[ 'psql', '-XqAt', '-d', $node->connstr('postgres'),
			  '-c', "begin isolation level $level",
			  '-c', 'select pg_advisory_xact_lock_shared(1)',
			  '-c', "insert into outcome select $fund, $buyer, attempt('select fundes.purchase_mcp($fund, ''M$fund-$buyer'', ''R'', ''S'', 80)')",
			  '-c', 'commit' ], '>', '/dev/null', '2>', \$err) };
	}
	my $come = $node->poll_query_until('postgres',
		q{select count(*) = 8 from pg_locks where locktype = 'advisory' and not granted and objid = 1});
	$come or do { $_->kill_kill for $gate, map { $_->{run} } @buyers; die 'the buyers do not come' };
	$in .= "\\q\n";
	$gate->finish;
	$_->{run}->finish for @buyers;

	my $wanted = $level eq 'read committed' ? 'UF003' : 'UF003|40001';
	is($node->safe_psql('postgres', "select count(*) from outcome where fund = $fund and code = 'accepted'"),
		'1', "$level: one wins");
	is($node->safe_psql('postgres', "select count(*) from fundes.mcp_holding where fund_id = $fund"),
		'2', "$level: one copyright was bought");
	is($node->safe_psql('postgres', "select trim_scale(capital_cash::numeric) from fundes.fund_sheet where fund_id = $fund"),
		'20', "$level: cash 20");
	# In SERIALIZABLE a session may be told when it writes down its outcome.
	my $others = $node->safe_psql('postgres', "select string_agg(code, ' ') from outcome where fund = $fund and code <> 'accepted'");
	my $told = grep { ${ $_->{err} } =~ /could not serialize access/ } @buyers;
	my @codes = split / /, $others;
	like($_, qr/^($wanted)$/, "$level: refused with $wanted") for @codes;
	is(scalar(@codes) + ($level eq 'serializable' ? $told : 0), 7, "$level: seven are refused");
}
is(differences($node, 'postgres'), '', 'the projections equal the log');

$node->stop;
done_testing();
