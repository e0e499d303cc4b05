# What the TAP tests share: a private server with a store, and all that can be
# seen of a store.

package FundesTest;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep);

our @EXPORT = qw(new_store kill_server start_again figures differences attempt_function extension_available);

# A running server whose database postgres has the extension.
sub new_store
{
	my ($name, @conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', join("\n", "timezone = 'Asia/Seoul'", @conf, ''));
	$node->start;
	$node->safe_psql('postgres', 'create extension fundes');
	return $node;
}

# Kills every process of the server at once. It is stopped before its children
# are listed, so none is born meanwhile: a process that outlives it may wait for
# ever for what a killed one held, and keeps the next server from starting.
sub kill_server
{
	my ($node) = @_;
	my ($server) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)$/m;

	kill 'STOP', $server;
	wait_until(sub { (process($server))[0] =~ /[TZ]/ });
	my @pids = ($server, grep { (process($_))[1] == $server } map { m{^/proc/(\d+)$} } glob '/proc/*');
	kill 'KILL', @pids;
	$node->kill9;
	wait_until(sub { !grep { (process($_))[0] ne 'Z' } @pids });
	return;
}

# Starts a server that was killed.
sub start_again
{
	my ($node) = @_;

	# where nobody collects dead processes, the old one looks alive
	unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock';
	$node->start;
	return;
}

# State and parent of a process; that of one that is gone is Z.
sub process
{
	my ($pid) = @_;
	open my $stat, '<', "/proc/$pid/stat" or return ('Z', 0);
	my $line = <$stat> // '';
	return $line =~ /\) (\S) (\d+) / ? ($1, $2) : ('Z', 0);
}

sub wait_until
{
	my ($condition) = @_;

	for (1 .. 1000)
	{
		return if $condition->();
		sleep 0.01;
	}
	die 'waited for 10 s in vain';
}

# Every row of every view, and what is not derived from the log.
sub figures
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, q{
		select 'fund', s from fundes.fund_sheet s order by s.fund_id;
		select 'holding', v from fundes.investment_current_value v order by investor_id, fund_id;
		select 'details', d from fundes.investment_details d order by investor_id, currency;
		select 'mcp', m from fundes.mcp_holding m order by asset_id;
		select 'nav', n from fundes.nav_history n order by fund_id, valuation_date, revision;
		select 'event', e from fundes.event_log e order by position;
		select 'quote', p from fundes.mcp_price p order by p;
		select 'credential', c from fundes.investor_credential c order by c;
		select 'value', fundes.compute_fund_value(fund_id) from fundes.fund_sheet order by fund_id;});
}

# What verify_projections shows.
sub differences
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, 'select * from fundes.verify_projections()');
}

# A function attempt(command) that returns 'accepted' or the SQLSTATE.
sub attempt_function
{
	my ($node) = @_;
	$node->safe_psql('postgres', q{
		create function attempt(command text) returns text language plpgsql as $$
		begin
			execute command;
			return 'accepted';
		exception when others then
			return sqlstate;
		end $$});
	return;
}

sub extension_available
{
	my ($node, $name) = @_;
	return $node->safe_psql('postgres',
		"select count(*) from pg_available_extensions where name = '$name'");
}

1;
