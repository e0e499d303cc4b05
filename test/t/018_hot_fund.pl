# One hot fund: many sessions pay in at the same time, others buy, sell,
# withdraw, value and charge fees beside them; sessions are killed, then a
# server process, then the server. All the while the views are right in every
# statement; at the end the figures are those of a fold of the log (FundModel),
# and whatever a session was told is there.
#
# FUNDES_LOAD_SECONDS: how long it runs, 12 by default.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use FundModel;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{FUNDES_LOAD_SECONDS} || 12;
my $node = new_store('hot', 'max_connections = 60', 'restart_after_crash = on', 'log_statement = none');
my $dir = $node->basedir;

# Valuations are of yesterday: a new revision each time the quotes change.
$node->safe_psql('postgres', q{
	select fundes.create_fund('Hot', effective_at => now() - interval '10 days');
	select fundes.create_fund('Cold', effective_at => now() - interval '10 days');
	select fundes.create_investor('inv' || n, 'Investor', effective_at => now() - interval '10 days') from generate_series(0, 9) n;
	select fundes.set_price_limits(fund, null, null, effective_at => now() - interval '10 days') from generate_series(1, 2) fund;
	select fundes.create_investment('inv' || n, fund, 1000000, effective_at => now() - interval '9 days') from generate_series(0, 9) n, generate_series(1, 2) fund;
	select fundes.purchase_mcp(fund, 'M' || fund || '-' || n, 'R', 'S', 100000, effective_at => now() - interval '8 days') from generate_series(1, 5) n, generate_series(1, 2) fund;
	create table stopped ();});

# What the sessions do; one statement a transaction. A statement tells the id of
# its event, or is empty where it has none.
my %does = (
	same => q{select event_id from fundes.create_investment('inv0', 1, 5000 + trunc(random() * 9000)::integer);},
	different => q{select event_id from fundes.create_investment('inv' || trunc(random() * 10), 1, 5000 + trunc(random() * 9000)::integer);},
	batch => q{begin; select event_id from fundes.create_investment('inv1', 1, 5000); select event_id from fundes.create_investment('inv2', 1, 5000); commit;},
	abort => q{begin; select count(event_id) from fundes.create_investment('inv3', 1, 7000); rollback;},
	cold => q{select event_id from fundes.create_investment('inv' || trunc(random() * 10), 2, 5000 + trunc(random() * 9000)::integer);},
	withdraw => q{select event_id from fundes.withdraw_investment('inv' || trunc(random() * 10), 1, 1 + trunc(random() * 5)::integer);},
	buy => q{select count(fundes.purchase_mcp(1, 'B' || nextval('b'), 'R', 'S', 1000 + trunc(random() * 1000)::integer));},
	sell => q{select count(fundes.sell_mcp(1, asset_id, round(value_cash * 1.01))) from (select asset_id, value_cash from fundes.mcp_holding where copyright_code like 'B%' order by asset_id desc limit 1) m;},
	royalty => q{select fundes.record_royalty(1, asset_id, 100) from (select min(asset_id) as asset_id from fundes.mcp_holding where fund_id = 1) m;},
	past => q{select event_id from fundes.create_investment('inv4', 1, 3000, effective_at => now() - interval '1 day' * random());},
	value => q{select count(*) from (select fundes.record_mcp_price('M1-' || n, 'R', 'S', current_date - 1, 90000 + trunc(random() * 20000)::integer) from generate_series(1, 5) n) q;}
	  . q{select count(*) from fundes.update_mcp_asset_value(1);},
	accrue => q{select fundes.accrue_fee(1, 10);},
	pay => q{select fundes.pay_fee(1, 7);});
my @sessions = (('same') x 4, ('different') x 5, qw(batch abort cold withdraw withdraw buy sell royalty past value accrue pay));
$node->safe_psql('postgres', 'create sequence b');

# A session that begins anew whenever it dies, until it is told to stop.
sub start_session
{
	my ($name, $n) = @_;
	my $file = "$dir/$name-$n";

	append_to_file("$file.sql", "\\set VERBOSITY verbose\n" . "$does{$name}\n" x ($name =~ /^reader/ ? 2 : 100));
	return IPC::Run::start([ 'sh', '-c', "while [ ! -e $dir/stop ]; do PGCONNECT_TIMEOUT=5 psql -XAtq -d \"\$1\" -f $file.sql || sleep 0.1; done", 'sh', $node->connstr('postgres') . " application_name=hot" ],
		'<', \undef, '>>', "$file.out", '2>>', "$file.err");
}

# Readers: in each statement, the views agree with each other.
my $views_agree = q{
	select s.fund_id, s.total_supply, i.units, s.nav, s.asset_value, m.value, s.subscriptions, i.paid, s.redemptions, i.withdrawn
	  from fundes.fund_sheet s
	  left join (select fund_id, sum(units) as units, sum(investment_amount) as paid, sum(withdrawn_amount) as withdrawn from fundes.investment_current_value group by 1) i using (fund_id)
	  left join (select fund_id, sum(value_cash) as value from fundes.mcp_holding group by 1) m using (fund_id)
	 where s.total_supply <> i.units or s.asset_value <> m.value or s.subscriptions <> i.paid or s.redemptions <> i.withdrawn
		or s.nav <> s.subscriptions - s.redemptions + s.realised_gain + s.unrealised_gain + s.royalty_income - s.fee_expense - s.distributed
		or s.capital_cash <> s.subscriptions - s.redemptions - s.accumulated_purchase_value + s.accumulated_sold_value + s.royalty_income - s.fee_expense + s.liabilities
		or least(s.capital_cash, s.liabilities, s.asset_value, s.total_supply) < 0};
my @readers = (
	# with what the log says in the same statement
	[ 'view', "$views_agree;" ],
	[ 'log', q{
	select s.fund_id, s.subscriptions, l.taken, s.total_supply, l.units
	  from fundes.fund_sheet s
	  join (select (payload ->> 'fund_id')::bigint as fund_id, sum((payload ->> 'cash_taken')::numeric) as taken,
				   sum(coalesce((payload ->> 'units')::numeric, -(payload ->> 'stock_quantity')::numeric)) as units
			  from fundes.event_log where type in ('InvestmentCreated', 'InvestmentWithdrawn') group by 1) l using (fund_id)
	 where s.subscriptions <> l.taken or s.total_supply <> l.units;} ],
	# with the figures as of now, and a moment ago
	[ 'asof', q{
	select s.fund_id, s.capital_cash, a.capital_cash, s.total_supply, a.total_supply, v.units
	  from fundes.fund_sheet s, fundes.fund_state_at(s.fund_id, 'infinity') a,
		   lateral (select sum(i.units) as units from generate_series(0, 9) n, fundes.investment_value_at('inv' || n, s.fund_id, 'infinity') i) v
	 where s.capital_cash <> a.capital_cash or s.asset_value <> a.asset_value or s.liabilities <> a.liabilities or s.total_supply <> a.total_supply
		or s.subscriptions <> a.subscriptions or s.base_price <> a.base_price or s.total_supply <> v.units
	 union all
	select f, a.nav, fundes.fund_nav(f, at), a.total_supply, null, u.units
	  from generate_series(1, 2) f, (select now() - interval '1 day' * random() as at) m, fundes.fund_state_at(f, at) a,
		   lateral (select sum(i.units) as units from generate_series(0, 9) n, fundes.investment_value_at('inv' || n, f, at) i) u
	 where a.nav <> a.capital_cash + a.asset_value - a.liabilities or a.nav <> fundes.fund_nav(f, at) or u.units <> a.total_supply
	 union all
	select fund_id, sum(debit), sum(credit), null, null, null from fundes.trial_balance group by 1 having sum(debit) <> sum(credit) or sum(balance) <> 0;} ],
	[ 'verify', 'select * from fundes.verify_projections();' ]);
$does{"reader-$_->[0]"} = "$_->[1]\n\\echo read :SQLSTATE" foreach @readers;

my @running = (map({ start_session($sessions[$_], $_) } 0 .. $#sessions), map { start_session("reader-$_->[0]", 0) } @readers);
my $start = time;
sub starts { return scalar(() = slurp_file($node->logfile) =~ /database system is ready to accept connections/g) }
my $starts = starts();
my ($terminated, $killed, $crashed) = (0, 0, 0);

# A statement of the test itself, which may find the server away.
sub sql
{
	my ($sql) = @_;
	my ($out, $rc);

	for (1 .. 200)
	{
		($rc, $out) = (0, '');
		$rc = $node->psql('postgres', $sql, stdout => \$out);
		return $out if $rc == 0;
		sleep 0.1;
	}
	die "the server does not answer: $sql";
}

while ((my $t = time - $start) < $seconds)
{
	sleep 0.2;
	sql(q{select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity where application_name = 'hot' order by random() limit 2) p});
	$terminated += 2;
	if ($t > $seconds / 3 && !$killed)
	{
		$killed = 1;
		kill 9, sql(q{select pid from pg_stat_activity where application_name = 'hot' and query like '%create_investment%' order by random() limit 1});
	}
	if ($t > 2 * $seconds / 3 && !$crashed)
	{
		$crashed = 1;
		kill_server($node);
		start_again($node);
	}
}
append_to_file("$dir/stop", '');
$_->finish foreach @running;

# What the sessions were told, and what went wrong.
my (%codes, @told);
foreach my $n (0 .. $#sessions)
{
	my $file = "$dir/$sessions[$n]-$n";
	push @told, slurp_file("$file.out") =~ /^([0-9a-f-]{36})$/mg if $sessions[$n] ne 'batch';
	$codes{"$sessions[$n] $_"}++ foreach slurp_file("$file.err") =~ /(?:ERROR|FATAL|PANIC):  (\w{5}):/g;
}
# 57P01 to 57P03: ended by the test, or the server is away
my %allowed = (withdraw => 'UF003|UF004', buy => 'UF003', pay => 'UF003', sell => 'UF007', value => '');
my @wrong = grep { my ($name, $code) = split / /; $code !~ /^57P0[1-3]$/ && $code !~ /^(?:@{[ $allowed{$name} || 'none' ]})$/ } sort keys %codes;
is(join(', ', map { "$_: $codes{$_}" } @wrong), '', 'no session had an error but those that are allowed');
diag(join ', ', map { "$_: $codes{$_}" } sort keys %codes);
foreach my $reader (@readers)
{
	my $file = "$dir/reader-$reader->[0]-0";
	my @said = split /\n/, slurp_file("$file.out");
	my @read = grep { $_ eq 'read 00000' } @said;
	is(join("\n", grep { !/^read / } @said), '', "$reader->[0]: the views were right in each statement");
	cmp_ok(scalar @read, '>', 3, "$reader->[0]: of " . @read);
	my %failed = map { $_ => 1 } slurp_file("$file.err") =~ /(?:ERROR|FATAL|PANIC):  (\w{5}):/g;
	is(join(' ', grep { !/^57P0[1-3]$/ } sort keys %failed), '', "$reader->[0]: without an error");
}
cmp_ok($terminated, '>', 10, "$terminated sessions were ended");
is(starts() - $starts, 2, 'the server began anew after a process was killed, and after it was killed itself');

my $db = Session->new($node);
is(join("\n", $db->rows($views_agree)), '', 'the views agree at the end');
is(join("\n", $db->rows('select * from fundes.verify_projections()')), '', 'the projections equal the log');
cmp_ok(scalar @told, '>', 100, scalar(@told) . ' events were told');
is($db->value("select count(*) from unnest('{" . join(',', @told) . "}'::uuid[]) id where not exists (select from fundes.event_log where event_id = id)"),
	'0', 'and all are there');

# The fold. A fund's days end in Seoul.
my %ends;
my $model = FundModel->new(sub { $ends{ $_[1] } //= $db->value("select (extract(epoch from (date '$_[1]' + 1)::timestamp at time zone '$_[0]') * 1000000)::bigint") });
my @rows = $db->rows(FundModel::events_query(0));
$model->add_all(@rows);
is(join("\n", @{ $model->{faults} }), '', 'nothing was illegal at any moment');
foreach my $fund (values %{ $model->{funds} })
{
	is($db->value('select ' . FundModel::figures_query() . " from fundes.fund_sheet where fund_id = $fund->{id}"), FundModel::figures($fund->{now}), "fund $fund->{id} is what a fold gives");
	my %is = map { (split /\|/, $_, 2) } $db->rows('select investor_id, ' . FundModel::holding_query() . " from fundes.investment_current_value where fund_id = $fund->{id}");
	is_deeply(\%is, { map { $_ => FundModel::holding_figures($fund->{now}{holding}{$_}) } keys %{ $fund->{now}{holding} } }, "so are its holdings");
}
is($db->value('select count(*) from (select stream from fundes.event_log group by 1 having count(*) <> max(version)) s'), '0', 'versions have no holes');
my %events;
$events{ (split /\|/)[4] }++ foreach @rows;
diag(scalar(@rows) . ' events: ' . join ', ', map { "$_ $events{$_}" } sort keys %events);
cmp_ok($events{$_} // 0, '>', 5, "$_: $events{$_}") foreach qw(InvestmentCreated InvestmentWithdrawn McpPurchased McpSold FundValued FeeAccrued FeePaid RoyaltyReceived);
is($db->value("select count(*) > 0 from fundes.create_investment('inv0', 1, 5000)"), 't', 'and it goes on');
$db->close;
$node->stop;
done_testing();
