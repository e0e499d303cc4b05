# What the TAP tests share: a private server with a store, and all that can be
# seen of a store.

package FundesTest;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_store figures differences attempt_function extension_available);

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
