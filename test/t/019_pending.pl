# Pay-ins that leave the fund's row alone: what is read has them, whatever
# comes next takes them in, and the log gives the same.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_store('pending');

sub sql { return $node->safe_psql('postgres', shift); }
sub fund_row { return sql('select capital_cash, total_supply, last_position, entries from fundes.fund'); }
my $verify = 'select count(*) from fundes.verify_projections()';

is( sql(q{
	select attname from pg_attribute where attrelid = 'fundes.fund'::regclass and attnum > 0 order by attnum}),
	sql(q{
	select attname from pg_attribute where attrelid = 'fundes.fund_now'::regclass and attnum > 0 order by attnum}),
	'fund_now has the columns of fund');

sql(q{select fundes.create_fund('Hot')});
sql(q{select fundes.create_investor('A', 'Kim')});
sql(q{select fundes.create_investor('B', 'Lee')});
is(sql(q{select units from fundes.create_investment('A', 1, 1000000)}), '1000', 'the first pays in alone');
my $before = fund_row();
like($before, qr/^1000000\|1000\|/, 'and is in the row of the fund');

is(sql(q{select units from fundes.create_investment('B', 1, 500500)}), '500', 'one pays in beside others');
is(sql(q{select units from fundes.create_investment('A', 1, 7000)}), '7', 'and one more');
is(fund_row(), $before, 'the row of the fund is as it was');
is(sql('select capital_cash, total_supply, subscriptions, nav from fundes.fund_sheet'),
	'1507000|1507|1507000|1507000', 'the sheet has both');
is(sql('select sum(units) from fundes.investment_current_value'), '1507', 'so have the holdings');
is(sql('select fundes.fund_nav(1)'), '1507000', 'and the figures as of a moment');
is(sql($verify), '0', 'the log gives the same');
is(sql('select fundes.rebuild_projections()'), '0', 'and nothing is to be mended');

my ($status, $out, $err) = $node->psql('postgres', q{select fundes.purchase_mcp(1, 'C', 'R', 'S', 1507001)},
	on_error_stop => 1, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($err, qr/UF003/, 'cash is counted to the last coin');
is(sql(q{select fundes.purchase_mcp(1, 'C', 'R', 'S', 1507000)}), '1', 'what is pending can be spent');
like(fund_row(), qr/^0\|1507\|/, 'and is in the row of the fund then');
is(sql($verify), '0', 'as the log gives it');

# what was known when, while entries are pending
sql(q{select fundes.create_investment('B', 1, 3000)});
is(sql(q{select (fundes.fund_state_at(1, 'infinity', e.recorded_at)).capital_cash
	from fundes.event_log e where type = 'McpPurchased'}), '0', 'as known before it');
is(sql(q{select (fundes.investment_value_at('B', 1, 'infinity')).units}), '503', 'a holding has it at once');

# after so many, somebody takes them in
my $position = sql('select last_position from fundes.fund');
sql(q{select count(fundes.append('other-1', 'Noted', '{}')) from generate_series(1, 600)});
sql(q{select fundes.create_investment('B', 1, 1000)});
cmp_ok(sql('select last_position from fundes.fund'), '>', $position, 'a pay-in clears the way where the log has gone on');
is(sql('select total_supply from fundes.fund'), '1511', 'with all that was pending');

# near a limit nobody pays in beside others
sql(q{select fundes.set_price_limits(1, 0)});
$before = fund_row();
sql(q{select fundes.create_investment('B', 1, 1000)});
isnt(fund_row(), $before, 'at the limit of the drift a pay-in is alone');
sql(q{select fundes.set_price_limits(1)});

# a row of the fund that is wrong about what is pending
sql(q{select fundes.create_investment('B', 1, 1000)});
is(sql($verify), '0', 'with one pending');
sql('update fundes.fund set last_position = 3');
cmp_ok(sql($verify), '>', 0, 'a wrong position shows');
cmp_ok(sql('select fundes.rebuild_projections()'), '>', 0, 'and is mended');
is(sql($verify), '0', 'so that nothing differs');

$node->stop;
done_testing();
