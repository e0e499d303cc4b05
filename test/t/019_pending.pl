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

# after so many, somebody takes them in, while others go on
my $position = sql('select last_position from fundes.fund');
sql(q{select count(fundes.append('other-1', 'Noted', '{}')) from generate_series(1, 600)});
sql(q{select fundes.create_investment('B', 1, 1000)});
cmp_ok(sql('select last_position from fundes.fund'), '>', $position, 'a pay-in brings the row up to date where the log has gone on');
is(sql('select total_supply from fundes.fund'), '1510', 'with all that was pending');
is(sql('select total_supply from fundes.fund_sheet'), '1511', 'but its own, which is pending now');
is(sql($verify), '0', 'as the log gives it');

sql(q{select fundes.set_price_limits(1, 0.02, '7 days')});
sql(q{select fundes.create_investment('B', 1, 1000)});
sql(q{select count(fundes.append('other-1', 'Noted', '{}')) from generate_series(1, 300)});
my $open = $node->background_psql('postgres');
$open->query_safe(q{begin});
$open->query_safe(q{select units from fundes.create_investment('A', 1, 4000)});
sql(q{select units from fundes.create_investment('B', 1, 2000)});
sql(q{select count(fundes.append('other-1', 'Noted', '{}')) from generate_series(1, 600)});
sql(q{select fundes.create_investment('B', 1, 1000)});
is(sql('select total_supply from fundes.fund'), '1512', 'what is pending after a pay-in in progress stays so');
is(sql('select total_supply from fundes.fund_sheet'), '1515', 'and is in the sheet');
is(sql($verify), '0', 'as the log gives it beside the pay-in in progress');
sql(q{select count(fundes.append('other-1', 'Noted', '{}')) from generate_series(1, 600)});
($status, $out, $err) = $node->psql('postgres', q{set lock_timeout = '200ms'; select fundes.create_investment('B', 1, 1000)},
	extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($err, qr/55P03/, 'when far too much would be pending, pay-ins wait for it');
$open->query_safe('commit');
$open->quit;
sql(q{select fundes.create_investment('B', 1, 1000)});
is(sql('select total_supply from fundes.fund'), '1520', 'and then all is in the row');
is(sql($verify), '0', 'as the log gives it in the end');

# in a transaction that has but one snapshot
sql(q{select fundes.create_investment('B', 1, 1000)});
sql(q{select count(fundes.append('other-1', 'Noted', '{}')) from generate_series(1, 600)});
sql(q{begin isolation level repeatable read; select fundes.create_investment('B', 1, 1000); commit});
is(sql('select total_supply from fundes.fund'), '1520', 'with one snapshot nobody brings the row up to date');
is(sql('select total_supply from fundes.fund_sheet'), '1522', 'nor needs to');
is(sql($verify), '0', 'as the log gives it');

# near a limit nobody pays in beside others
sql(q{select fundes.set_price_limits(1, 0, '7 days')});
$before = fund_row();
sql(q{select fundes.create_investment('B', 1, 1000)});
isnt(fund_row(), $before, 'at the limit of the drift a pay-in is alone');
sql(q{select fundes.set_price_limits(1, 0.02, '7 days')});

# a row of the fund that is wrong about what is pending
sql(q{select fundes.create_investment('B', 1, 1000)});
is(sql($verify), '0', 'with one pending');
sql('update fundes.fund set last_position = 3');
cmp_ok(sql($verify), '>', 0, 'a wrong position shows');
cmp_ok(sql('select fundes.rebuild_projections()'), '>', 0, 'and is mended');
is(sql($verify), '0', 'so that nothing differs');

# pay-ins of very many units do not add up behind the bounds
sql(q{select fundes.create_fund('Tiny', initial_price => 0.0001)});
sql(q{select fundes.create_investment('A', 2, 10000000000)});
my $refused = 0;
foreach (1 .. 12)
{
	my ($rc, $stdout, $stderr) = $node->psql('postgres', q{select fundes.create_investment('B', 2, 9999999999999)},
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	$refused++ if $stderr =~ /22003/;
}
cmp_ok($refused, '>', 0, 'a pay-in that would be too much is refused');
cmp_ok(sql('select (total_supply < 1000000000000000000)::int from fundes.fund_sheet where fund_id = 2'), '==', 1, 'the units stay within their bounds');
isnt(sql('select fundes.accrue_fee(2, 1)'), '', 'and the fund goes on');

# a trigger of somebody else's that appends in between
sql(q{
	select fundes.accrue_fee(1, 100, 'm');
	create function public.pay() returns trigger language plpgsql as $$
	begin
		if new.type_id = 4 then perform fundes.pay_fee(1, 50, 'm'); end if;
		return new;
	end $$;
	create trigger pay before insert on fundes.event for each row execute function public.pay()});
my ($refusal) = ($node->psql('postgres', q{select fundes.create_investment('A', 1, 2000)}, extra_params => [ '-v', 'VERBOSITY=verbose' ]))[2];
like($refusal, qr/ERROR:  55000.*HINT:/s, 'before the fold a trigger cannot call a command');
is(sql($verify), '0', 'and leaves nothing');
sql(q{drop trigger pay on fundes.event;
	create or replace function public.pay() returns trigger language plpgsql as $$
	begin
		if exists (select from new_events where type_id = 4) then perform fundes.pay_fee(1, 50, 'm'); end if;
		return null;
	end $$;
	create trigger then_pay after insert on fundes.event referencing new table as new_events
		for each statement execute function public.pay()});
sql(q{select fundes.create_investment('A', 1, 2000)});
is(sql($verify), '0', 'what a trigger appends counts once');
is(sql(q{select paid from fundes.fee_account where fund_id = 1 and kind = 'm'}), '50', 'and it counts');
sql(q{drop trigger then_pay on fundes.event;
	create or replace function public.pay() returns trigger language plpgsql as $$
	begin
		if new.type_id = 4 then
			perform fundes.append('fund-1', 'FeeAccrued', '{"fund_id": 1, "kind": "m", "amount": 10.5}');
		end if;
		return new;
	exception when others then
		return new;
	end $$;
	create trigger pay before insert on fundes.event for each row execute function public.pay()});
sql(q{select fundes.create_investment('A', 1, 2000, now())});
is(sql($verify), '0', 'what fails in a trigger leaves nothing');
sql(q{drop trigger pay on fundes.event});

# an INSERT of the owner's waits for pay-ins, whatever the transaction did before
my $one = $node->background_psql('postgres');
$one->query_safe(q{begin});
$one->query_safe(q{select units from fundes.create_investment('B', 1, 5000)});
my $two = $node->background_psql('postgres');
$two->query_safe(q{begin});
$two->query_safe(q{select fundes.create_investor('C', 'Park')});
my $event = q{insert into fundes.event (position, stream_id, version, effective_at, recorded_at, type_id, payload)
	select nextval('fundes.event_position'), stream_id, 1 + (select max(version) from fundes.event e where e.stream_id = s.stream_id),
		   now(), clock_timestamp(), 10, '{"fund_id": 1, "amount": 1, "kind": "m"}'
	  from fundes.stream s where name = 'fund-1'};
my ($rc, $stdout, $stderr) = $node->psql('postgres', "begin; set local lock_timeout = '300ms'; select fundes.create_investor('D', 'Choi'); $event;",
	extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($stderr, qr/55P03/, 'an INSERT into the log waits for the pay-in');
$one->query_safe('commit');
$two->query_safe($event);
$two->query_safe('commit');
$_->quit foreach $one, $two;
is(sql($verify), '0', 'and counts after it');

# whoever updates a fund very often in one transaction leaves no long way to it
sql(q{select count(fundes.accrue_fee(2, 1, 'often')) from generate_series(1, 2000)});
sql(q{select fundes.accrue_fee(2, 1, 'often')});
my $steps = q{select idx_tup_read from pg_stat_user_indexes where indexrelname = 'fund_pkey'};
my $read = sql($steps);
sql(q{select fundes.accrue_fee(2, 1, 'often')});
cmp_ok(sql($steps) - $read, '<', 20, 'the index leads to the row in a few steps');

$node->stop;
done_testing();
