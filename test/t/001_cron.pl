# schedule_revaluation: without pg_cron it says what to do; with pg_cron the
# job really fires and values the fund.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('cron');
my ($result, $out, $err) = $node->psql('postgres',
	"\\set VERBOSITY verbose\nselect fundes.schedule_revaluation()");
like($err, qr/ERROR:  0A000: /, 'without pg_cron it is 0A000');
like($err, qr/HINT:.*CREATE EXTENSION pg_cron/, 'and the hint says what to do');

SKIP:
{
	skip 'pg_cron is not installed on this machine', 8
	  unless extension_available($node, 'pg_cron');

	$node->append_conf('postgresql.conf',
		"shared_preload_libraries = 'pg_cron'\n"
		  . "cron.database_name = 'postgres'\n"
		  . "cron.host = '" . $node->host . "'\n");
	$node->restart;
	$node->safe_psql('postgres', q{
		create extension pg_cron;
		select fundes.create_fund('Ballads', effective_at => now() - interval '3 days');
		select fundes.create_investor('A', 'Kim', effective_at => now() - interval '3 days');
		select fundes.create_investment('A', 1, 100000, effective_at => now() - interval '3 days');
		select fundes.purchase_mcp(1, 'M1', 'R1', 'S1', 60000, effective_at => now() - interval '3 days');
		select fundes.record_mcp_price('M1', 'R1', 'S1', (now() at time zone 'Asia/Seoul')::date - 2, 70000);});

	my $job = $node->safe_psql('postgres', "select fundes.schedule_revaluation('0 0 * * *')");
	like($job, qr/^\d+$/, 'schedule_revaluation returns the id of the job');
	is($node->safe_psql('postgres', "select fundes.schedule_revaluation('* * * * *')"),
		$job, 'called again, it is the same job');
	is($node->safe_psql('postgres', 'select schedule from cron.job'),
		'* * * * *', 'with the new schedule');

	ok($node->poll_query_until('postgres',
			"select count(*) > 0 from fundes.event_log where type = 'FundValued'"),
		'the job fires and writes FundValued');
	is($node->safe_psql('postgres',
			q{select trim_scale(base_price::numeric), trim_scale(asset_value::numeric), trim_scale(capital_cash::numeric) from fundes.fund_sheet}),
		'1100|70000|40000', 'the fund has a new price, the cash is what it was');
	is($node->safe_psql('postgres',
			q{select bool_and(valuation_date between (now() at time zone 'Asia/Seoul')::date - 2 and (now() at time zone 'Asia/Seoul')::date - 1) from fundes.nav_history}),
		't', 'the day is yesterday in the zone of the fund');
	ok($node->poll_query_until('postgres',
			"select count(*) > 0 from cron.job_run_details where status = 'succeeded'"),
		'the job has succeeded');
	is(differences($node, 'postgres'), '', 'the projections equal the log');
}

$node->stop;
done_testing();
