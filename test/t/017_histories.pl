# Random histories: thousands of commands with random effective dates on a few
# funds, legal ones and others. A model that folds the log on its own (FundModel)
# says beforehand what may come of each, and afterwards what the figures are: now,
# and at random moments with random knowledge.
#
# FUNDES_HISTORY_SEED: which history, 1 by default; FUNDES_HISTORY_COMMANDS: how
# many commands, 3000 by default. Both are printed; the same two give the same
# history but for what is dated now. FUNDES_HISTORY_FAULTS: after how many faults
# it gives up, 10 by default.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";
use FundesTest;
use FundModel;
use List::Util qw(first max min);
use Session;
use Test::More;
use Time::HiRes qw(time);

use constant SECOND => 1_000_000;
use constant HOUR => 3600 * SECOND;
use constant DAY => 24 * HOUR;
use constant FIRST_DAY => '2019-12-01';

# the log is folded anew after each of the first commands, then after every so many
use constant VERIFIED_EACH => 300;
use constant VERIFIED_LATER => 50;

my $seed = $ENV{FUNDES_HISTORY_SEED} // 1;
my $commands = $ENV{FUNDES_HISTORY_COMMANDS} || 3000;
diag("FUNDES_HISTORY_SEED=$seed FUNDES_HISTORY_COMMANDS=$commands");
srand $seed;

my $node = new_store('histories', 'fsync = off');
my $db = Session->new($node);

# The funds: scales of money and units, zone, first price.
my @kinds = ([ 0, 0, 'Asia/Seoul', '1000' ], [ 2, 3, 'America/New_York', '12.34' ], [ 4, 6, 'Europe/London', '1.0001' ]);

# Where days begin: a table of moments for each zone, and the names of the days.
my (%day_starts, %day_number, @day_names);
foreach my $row ($db->rows("select d::date from generate_series(date '" . FIRST_DAY . "', (now() at time zone 'UTC')::date + 3, '1 day') d"))
{
	$day_number{$row} = @day_names;
	push @day_names, $row;
}
foreach my $zone (map { $_->[2] } @kinds)
{
	$day_starts{$zone} = [ $db->rows("select (extract(epoch from d at time zone '$zone') * 1000000)::bigint from generate_series(timestamp '"
			. FIRST_DAY . "', (now() at time zone 'UTC')::date + 3, '1 day') d order by d") ];
}

sub day_end
{
	my ($zone, $day) = @_;
	return $day_starts{$zone}[ $day_number{$day} + 1 ];
}

# The number of the day in which a moment is.
sub day_of
{
	my ($zone, $at) = @_;
	my $starts = $day_starts{$zone};
	my ($low, $high) = (0, $#$starts);

	while ($low < $high)
	{
		my $mid = ($low + $high + 1) >> 1;
		$starts->[$mid] <= $at ? ($low = $mid) : ($high = $mid - 1);
	}
	return $low;
}

my $model = FundModel->new(\&day_end);

sub moment
{
	my ($at) = @_;
	return defined $at ? "timestamptz 'epoch' + interval '$at us'" : 'null';
}

sub chance { return rand() < $_[0] }
sub pick { return $_[ rand @_ ] }

# Reads what is new in the log into the model, and returns it.
sub catch_up
{
	my @events = map { $model->add($_) } $db->rows(FundModel::events_query($model->{last}));

	note_event($_) foreach @events;
	return @events;
}

# What is no figure: periods, halts, levels of the index, distributions, strikes.
sub note_event
{
	my ($event) = @_;
	my ($type, $p) = @$event{qw(type payload)};
	my $fund = defined $p->{fund_id} ? $model->{funds}{ $p->{fund_id} } : undef;

	if ($type =~ /^Period/)
	{
		$fund->{closed_through} = $p->{through_date};
		$fund->{closed_until} = defined $p->{through_date} ? day_end($fund->{zone}, $p->{through_date}) : 0;
	}
	elsif ($type =~ /^Trading(Halted|Resumed)/)
	{
		my $until = defined $p->{until} ? $db->value("select (extract(epoch from timestamptz '$p->{until}') * 1000000)::bigint") : undef;
		push @{ $model->{halts}{ $fund ? $fund->{id} : 0 } }, { at => $event->{at}, position => $event->{position}, halted => $1 eq 'Halted', until => $until };
	}
	elsif ($type eq 'IndexPublished')
	{
		$model->{index}{ $p->{index_date} } = FundModel::scaled($p->{level}, 4);
	}
	elsif ($type eq 'DistributionDeclared')
	{
		$fund->{distributions}{ $p->{distribution_id} } = { at => $event->{at}, status => 'declared', total => FundModel::scaled($p->{total}, 4) };
		$fund->{ex_at} = $event->{at};
		$fund->{struck_at} = max($fund->{struck_at} // 0, $event->{at});
	}
	elsif ($type eq 'DistributionPaid')
	{
		$fund->{distributions}{ $p->{distribution_id} }{status} = 'paid';
	}
	elsif ($type eq 'EventReversed')
	{
		my $what = $event->{what};
		my $distribution = $fund->{distributions}{ $what->{payload}{distribution_id} // 0 };
		$distribution->{status} = $what->{type} eq 'DistributionPaid' ? 'declared' : 'reversed' if $distribution;
		$fund->{unsure_of_strikes} = 1 if $what->{type} eq 'DistributionDeclared';
		$fund->{struck_at} = max($fund->{struck_at} // 0, $event->{at}) if defined $p->{base_price};
	}
	elsif ($type eq 'InvestmentCreated' && $model->state_at($fund, $event->{at} - 1)->{total_supply} == 0 && $model->state_at($fund, $event->{at} - 1)->{redemptions} > 0)
	{
		$fund->{ex_at} = max($fund->{ex_at} // 0, $event->{at});
	}
	elsif ($type eq 'FundValued' && $event->{struck})
	{
		$fund->{struck_at} = max($fund->{struck_at} // 0, $event->{at});
	}
	return;
}

# What went wrong; the test stops at the tenth.
my @faults;
sub fault
{
	push @faults, $_[0];
	diag($_[0]);
	die "too many faults\n" if @faults >= ($ENV{FUNDES_HISTORY_FAULTS} || 10);
	return;
}

sub differ
{
	my ($have, $want, $what) = @_;
	fault("$what\n  have $have\n  want $want") if $have ne $want;
	return $have ne $want;
}

# --- what there is

my %exists = map { $_ => 1 } $db->rows("select proname from pg_proc where pronamespace = 'fundes'::regnamespace"
	  . " union select relname from pg_class where relnamespace = 'fundes'::regnamespace and relkind = 'v'");
my $as_of = $exists{fund_state_at};
# what a payload may say decides whether a sale may be dated before a valuation,
# and a valuation before a price that is struck
my %has_key = map { $_ => 1 } $db->rows("select typname || '.' || attname from pg_type join pg_attribute on attrelid = typrelid where typnamespace = 'fundes'::regnamespace");

my @investors = map { "inv$_" } 1 .. 8;
$db->rows("select fundes.create_investor('$_', '$_', effective_at => '2019-12-02')") foreach @investors;
my @funds;
foreach my $kind (@kinds)
{
	my ($cash_scale, $unit_scale, $zone, $price) = @$kind;
	push @funds, $db->value("select fundes.create_fund('$zone', $price, $cash_scale, $unit_scale, time_zone => '$zone', effective_at => '2019-12-31 12:00Z')");
}
catch_up();
@funds = map { $model->{funds}{$_} } @funds;
my %limits = map { $_->{id} => { drift => '0.02', age => 7 * DAY } } @funds;
my @songs = map { "M$_ R S" } 1 .. 30;
my %quote;	# by song and day's number, in 1/10,000

# --- what a command should do

sub real_now { return int(time() * SECOND) }

# The least of some figure of the timeline from a moment on: at the moment, and
# after each later event; and the same looking only at what each moment ends with.
sub least
{
	my ($fund, $at, $figures, $start) = @_;
	my $timeline = $fund->{timeline};
	my ($all, $ends) = ($start, $start);

	for my $i (FundModel::after($fund, $at) .. $#$timeline)
	{
		my $figure = $figures->[$i];
		$all = $figure if $figure < $all;
		$ends = $figure if $figure < $ends && ($i == $#$timeline || $timeline->[ $i + 1 ]{at} > $timeline->[$i]{at});
	}
	return ($all, $ends);
}

# The least of a sum over the timeline, to which an event adds what $adds says.
sub least_sum
{
	my ($fund, $at, $start, $adds) = @_;
	my $timeline = $fund->{timeline};
	my $from = FundModel::after($fund, $at);
	my @sums;
	my $sum = $start;

	$sums[$_] = $sum += $adds->($timeline->[$_]) foreach $from .. $#$timeline;
	return least($fund, $at, \@sums, $start);
}

# What an event does, with what a reversed one did taken back.
sub effect
{
	my ($event, $of) = @_;
	return -($of->{ $event->{what}{type} } // sub { 0 })->($event->{what}{payload}) if $event->{type} eq 'EventReversed';
	return ($of->{ $event->{type} } // sub { 0 })->($event->{payload});
}

sub least_units
{
	my ($fund, $at, $investor, $start) = @_;
	my %of = (
		InvestmentCreated => sub { $_[0]{investor_id} eq $investor ? FundModel::scaled($_[0]{units}, 6) : 0 },
		InvestmentWithdrawn => sub { $_[0]{investor_id} eq $investor ? -FundModel::scaled($_[0]{stock_quantity}, 6) : 0 });
	return least_sum($fund, $at, $start, sub { effect($_[0], \%of) });
}

sub least_fee
{
	my ($fund, $at, $kind, $start) = @_;
	my %of = (
		FeeAccrued => sub { $_[0]{kind} eq $kind ? FundModel::scaled($_[0]{amount}, 4) : 0 },
		FeePaid => sub { $_[0]{kind} eq $kind ? -FundModel::scaled($_[0]{amount}, 4) : 0 });
	return least_sum($fund, $at, $start, sub { effect($_[0], \%of) });
}

# A need against the two least figures: the code if refused, '' if not, both if
# the contract leaves it open.
sub need
{
	my ($need, $code, $all, $ends) = @_;
	return $need <= $all ? () : $need <= $ends ? ($code, '') : ($code);
}

# What the rules of time say. The moment is as given, or now.
sub time_refusal
{
	my ($fund, $at) = @_;
	return 'UF020' if $at > real_now();
	return 'UF011' if $at < ($fund->{closed_until} // 0);
	return;
}

sub halted
{
	my ($fund, $at) = @_;
	return in_force($fund->{id}, $at) || in_force(0, $at);
}

# Whether units are dealt in: UF009, UF017, '' or both where nothing says.
sub price_refusal
{
	my ($fund, $s, $at, $paying_in) = @_;
	my $limits = $limits{ $fund->{id} };
	my @codes;

	if ($s->{total_supply} == 0)
	{
		return () if FundModel::nav($s) == 0 || !$paying_in;
		return 'UF017';
	}
	if (defined $limits->{age})
	{
		my $since = $s->{price_end} // ($s->{restruck} ? undef : $s->{first_purchase});
		return 'UF009' if defined $since && $at - $since > $limits->{age};
		push @codes, 'UF009', '' if !defined $since && $s->{restruck};
	}
	if (defined $limits->{drift})
	{
		# |nav / supply - price| > drift * price
		my $nav = Math::BigInt->new(FundModel::nav($s))->bmul(10**6);
		my $at_price = Math::BigInt->new($s->{base_price})->bmul($s->{total_supply});
		my $off = $nav->copy->bsub($at_price)->babs->bmul(10**6);
		return 'UF009' if $off->bcmp($at_price->copy->bmul($limits->{drift} * 10**6)) > 0;
	}
	return @codes;
}

# In the functions below: what the command should raise, as a list of what it
# may raise ('' for nothing); and what it should return or write, where it is
# accepted and the contract says.
my %expect = (
	create_investment => sub {
		my ($fund, $c) = @_;
		my $amount = FundModel::scaled($c->{investment_amount}, 4);

		return [ 'UF005' ] if !defined $amount || $amount <= 0 || $amount % $fund->{cash_unit};
		return [ 'UF001' ] if !$model->{investors}{ $c->{investor_id} };
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		return [ 'UF010' ] if halted($fund, $c->{at});
		my $s = $model->state_at($fund, $c->{at});
		my @price = price_refusal($fund, $s, $c->{at}, 1);
		return [ @price ] if @price && !grep { $_ eq '' } @price;
		my $price = $s->{total_supply} == 0 ? $fund->{initial_price} : $s->{base_price};
		return [ @price, 'UF012' ] if $price == 0;
		my $units = FundModel::muldiv($amount, 10**6, $price);
		$units -= $units % $fund->{unit_unit};
		my @strikes = $s->{total_supply} == 0 && strikes_after($fund, $c->{at}) ? ('0A000', '') : ();
		return [ (grep { $_ ne '' } @price, @strikes), 'UF012' ] if $units == 0;
		my $cash = FundModel::muldiv_up($units, $price, 10**6);
		$cash += -$cash % $fund->{cash_unit};
		push @strikes, 'UF017', '' if starts_anew_after($fund, $c->{at});
		return [ @price + @strikes ? (@price, @strikes) : '' ],
		  join '|', FundModel::decimal($units, 6), FundModel::decimal($price, 4), FundModel::decimal($cash, 4), FundModel::decimal($amount - $cash, 4);
	},
	withdraw_investment => sub {
		my ($fund, $c) = @_;
		my $units = FundModel::scaled($c->{stock_quantity}, 6);

		return [ 'UF005' ] if !defined $units || $units <= 0 || $units % $fund->{unit_unit};
		return [ 'UF001' ] if !$model->{investors}{ $c->{investor_id} };
		return [ 'UF006' ] if !$fund->{now}{holding}{ $c->{investor_id} };
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		return [ 'UF010' ] if halted($fund, $c->{at});
		my $s = $model->state_at($fund, $c->{at});
		my @codes = price_refusal($fund, $s, $c->{at}, 0);
		return [ @codes ] if @codes && !grep { $_ eq '' } @codes;
		my $h = FundModel::investor_in($s, $c->{investor_id});
		push @codes, need($units, 'UF004', least_units($fund, $c->{at}, $c->{investor_id}, $h->{units}));
		return [ @codes ] if @codes && !grep { $_ eq '' } @codes;
		my $cash = FundModel::muldiv($units, $s->{base_price}, 10**6);
		$cash -= $cash % $fund->{cash_unit};
		return [ (grep { $_ ne '' } @codes), 'UF012' ] if $cash == 0 && $units < $h->{units};
		push @codes, need($cash, 'UF003', least($fund, $c->{at}, $fund->{spendable}, $s->{capital_cash} - $s->{liabilities}));
		return [ @codes ? @codes : '' ], join '|', FundModel::decimal($cash, 4), FundModel::decimal($s->{base_price}, 4);
	},
	purchase_mcp => sub {
		my ($fund, $c) = @_;
		my $amount = FundModel::scaled($c->{price_cash}, 4);
		my $key = "$c->{copyright_code} $c->{registration_number} $c->{music_id}";

		return [ 'UF005' ] if !defined $amount || $amount <= 0 || $amount % $fund->{cash_unit};
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		return [ 'UF010' ] if halted($fund, $c->{at});
		my $s = $model->state_at($fund, $c->{at});
		my @codes = need($amount, 'UF003', least($fund, $c->{at}, $fund->{spendable}, $s->{capital_cash} - $s->{liabilities}));
		return [ @codes ] if @codes && !grep { $_ eq '' } @codes;
		foreach my $asset (values %{ $model->{assets} })
		{
			next if $asset->{key} ne $key || never_held($asset);
			return [ (grep { $_ ne '' } @codes), 'UF016' ] if !defined $asset->{to} || $asset->{to} > $c->{at};
		}
		return [ @codes ? @codes : '' ];
	},
	sell_mcp => sub {
		my ($fund, $c) = @_;
		my $amount = FundModel::scaled($c->{price_cash}, 4);
		my $asset = $model->{assets}{ $c->{asset_id} };

		return [ 'UF005' ] if !defined $amount || $amount < 0 || $amount % $fund->{cash_unit};
		return [ 'UF007', (time_refusal($fund, $c->{at})) ] if !$asset || $asset->{fund} != $fund->{id} || defined $asset->{to} || $asset->{from} > $c->{at};
		my $s = $model->state_at($fund, $c->{at});
		return [ 'UF007', (time_refusal($fund, $c->{at})) ] if !$s->{held}{ $c->{asset_id} } || grep { $_->[1] > $c->{at} } @{ $asset->{gaps} // [] };
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		return [ 'UF010' ] if halted($fund, $c->{at});
		my $gain = $amount - $s->{held}{ $c->{asset_id} }{cost};
		my $valued = first { $_->{type} eq 'FundValued' && $_->{at} > $c->{at} && exists $_->{payload}{values}{ $c->{asset_id} } } @{ $fund->{timeline} };
		return [ '', starts_anew_after($fund, $c->{at}) ? 'UF017' : (), $valued && !$has_key{'mcp_sold.taken_back'} ? '0A000' : () ], FundModel::decimal($gain, 4);
	},
	record_royalty => sub {
		my ($fund, $c) = @_;
		my $amount = FundModel::scaled($c->{amount}, 4);
		my $asset = $model->{assets}{ $c->{asset_id} };

		return [ 'UF005' ] if !defined $amount || $amount <= 0 || $amount % $fund->{cash_unit};
		return [ 'UF007' ] if !$asset || $asset->{fund} != $fund->{id} || $asset->{never};
		return [ 'UF007', (time_refusal($fund, $c->{at})) ] if $asset->{from} > $c->{at};
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		return [ '', starts_anew_after($fund, $c->{at}) ? 'UF017' : () ];
	},
	accrue_fee => sub {
		my ($fund, $c) = @_;
		my $amount = FundModel::scaled($c->{amount}, 4);

		return [ 'UF005' ] if !defined $amount || $amount <= 0 || $amount % $fund->{cash_unit};
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		my $s = $model->state_at($fund, $c->{at});
		my @codes = need($amount, 'UF003', least($fund, $c->{at}, $fund->{spendable}, $s->{capital_cash} - $s->{liabilities}));
		return [ @codes ? @codes : '' ];
	},
	pay_fee => sub {
		my ($fund, $c) = @_;
		my $amount = FundModel::scaled($c->{amount}, 4);

		return [ 'UF005' ] if !defined $amount || $amount <= 0 || $amount % $fund->{cash_unit};
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		my $s = $model->state_at($fund, $c->{at});
		my @codes = need($amount, 'UF003', least_fee($fund, $c->{at}, $c->{kind}, $s->{fee}{ $c->{kind} } // 0));
		return [ @codes ? @codes : '' ];
	},
	set_price_limits => sub {
		my ($fund, $c) = @_;
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		return [ '' ];
	},
	update_mcp_asset_value => sub {
		my ($fund, $c) = @_;
		my $day = $day_number{ $c->{valuation_date} };
		my $end = day_end($fund->{zone}, $c->{valuation_date});

		return [ '22023', (time_refusal($fund, $c->{at})) ] if $end <= $fund->{created};
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		return [ 'UF020', ($c->{valuation_date} le ($fund->{closed_through} // '') ? 'UF011' : ()) ] if $end > $c->{at};
		return [ 'UF011' ] if $c->{valuation_date} le ($fund->{closed_through} // '');
		return [ '', $has_key{'fund_valued.struck'} ? () : '0A000' ] if strikes_after($fund, $c->{at});
		my ($state, @carried) = valuation($fund, $c->{at}, $day, $end);
		return [ '' ], $state, @carried;
	},
	declare_distribution => sub {
		my ($fund, $c) = @_;
		my $amount = FundModel::scaled($c->{amount}, 4);
		my $record = $c->{at};

		return [ 'UF005' ] if !defined $amount || $amount <= 0 || $amount % $fund->{cash_unit};
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		if ($c->{record_date} ne 'null')
		{
			my $end = day_end($fund->{zone}, $c->{record_date});
			return [ 'UF020' ] if $c->{record_date} gt $day_names[ day_of($fund->{zone}, $c->{at}) ];
			return [ '22023' ] if $end <= $fund->{created};
			$record = $end - 1 if $end <= $c->{at};
		}
		my @codes = strikes_after($fund, $c->{at}) ? ('0A000', '') : ();
		my $s = $model->state_at($fund, $c->{at});
		my $of_record = $model->state_at($fund, $record);
		return [ @codes, 'UF012' ] if $of_record->{total_supply} == 0;
		my $per_unit = FundModel::muldiv($amount, 10**6, $of_record->{total_supply});
		my $total = 0;
		foreach my $h (values %{ $of_record->{holding} })
		{
			my $cash = FundModel::muldiv($h->{units}, $per_unit, 10**6);
			$total += $cash - $cash % $fund->{cash_unit};
		}
		return [ @codes, 'UF012' ] if $total == 0;
		push @codes, need($amount, 'UF003', least($fund, $c->{at}, $fund->{spendable}, $s->{capital_cash} - $s->{liabilities}));
		my $nav = FundModel::nav($s) - $total;
		return [ @codes ? @codes : '' ], $s->{total_supply} == 0 ? undef : join '|', FundModel::decimal($per_unit, 4), FundModel::decimal($total, 4),
		  FundModel::decimal($nav <= 0 ? 0 : FundModel::muldiv($nav, 10**6, $s->{total_supply}), 4);
	},
	pay_distribution => sub {
		my ($fund, $c) = @_;
		my $distribution = $fund->{distributions}{ $c->{distribution_id} };

		return [ '22023', (time_refusal($fund, $c->{at})) ] if !$distribution || $distribution->{status} ne 'declared';
		return [ $_ ] foreach time_refusal($fund, $c->{at});
		return [ '22023' ] if $c->{at} < $distribution->{at} || paid_later($fund, $c->{at}, $c->{distribution_id});
		my @codes = need($distribution->{total}, 'UF003', least($fund, $c->{at}, $fund->{owed}, $model->state_at($fund, $c->{at})->{liabilities}));
		return [ @codes ? @codes : '' ];
	},
	close_period => sub {
		my ($fund, $c) = @_;
		my @time = time_refusal($fund, $c->{at});

		push @time, 'UF020' if day_end($fund->{zone}, $c->{through_date}) > $c->{at};
		push @time, '22023' if $c->{through_date} le ($fund->{closed_through} // '');
		return [ @time ? @time : day_end($fund->{zone}, $c->{through_date}) <= $fund->{created} ? ('', '22023') : '' ];
	},
	reopen_period => sub {
		my ($fund, $c) = @_;
		my @time = grep { $_ eq 'UF020' } time_refusal($fund, $c->{at});
		my $closed = $fund->{closed_through};

		push @time, '22023' if !defined $closed || ($c->{through_date} ne 'null' && $c->{through_date} ge $closed);
		return [ @time ? @time : $c->{at} < $fund->{closed_until} ? ('', 'UF011') : '' ];
	},
	publish_index => sub {
		my (undef, $c) = @_;
		my $level = FundModel::scaled($c->{level}, 4);

		return [ 'UF005' ] if $level <= 0;
		return [ 'UF020' ] if $c->{at} > real_now();
		my $market = { id => 0 };
		my $days = $model->{index} // {};
		my $is = $days->{ $c->{index_date} };
		my $before = max_text(grep { $_ lt $c->{index_date} } keys %$days);
		my $newest = !grep { $_ gt $c->{index_date} } keys %$days;
		my $falls = $newest && defined $before && $level * 100 <= $days->{$before} * 92;
		return [ '' ], (defined $is && $is == $level ? halted($market, $c->{at}) : $falls || halted($market, $c->{at})) ? 't' : 'f';
	},
	halt_trading => sub {
		my ($fund, $c) = @_;
		return [ 'UF020' ] if $c->{at} > real_now();
		return [ '', ($c->{at} < ($fund->{closed_until} // 0) ? 'UF011' : ()) ];
	},
	resume_trading => sub {
		my ($fund, $c) = @_;
		my @codes = $c->{at} < ($fund->{closed_until} // 0) ? 'UF011' : ();
		return [ 'UF020', '22023' ] if $c->{at} > real_now();
		return [ @codes, in_force($c->{fund_id} eq 'null' ? 0 : $fund->{id}, $c->{at}) ? '' : '22023' ];
	},
	reverse_event => sub {
		my ($fund, $c) = @_;
		my $event = $model->{by_id}{ $c->{reversed_event_id} };
		my @codes = time_refusal($fund, $c->{at});

		push @codes, '22023' if !$event || $event->{type} !~ /^(Investment|Mcp|Royalty|Fee|Distribution|ResidualSwept)/ || $c->{at} < $event->{at};
		push @codes, 'UF013' if $event && $event->{reversed};
		return [ @codes ] if @codes;
		my ($type, $p) = @$event{qw(type payload)};
		my $asset = $model->{assets}{ $p->{asset_id} // 0 };
		return [ 'UF014' ] if $type eq 'McpPurchased' && (defined $asset->{to} || grep { $_->{type} eq 'RoyaltyReceived' && $_->{payload}{asset_id} == $p->{asset_id} && !$_->{reversed} } @{ $fund->{timeline} });
		return [ 'UF014' ] if $type eq 'McpSold' && grep { $_ != $asset && $_->{key} eq $asset->{key} && !never_held($_) && (!defined $_->{to} || $_->{to} > $c->{at}) } values %{ $model->{assets} };
		return [ 'UF014' ] if $type eq 'DistributionDeclared' && ($fund->{distributions}{ $p->{distribution_id} }{status} ne 'declared' || paid_later($fund, $c->{at}, $p->{distribution_id}));
		my ($illegal, $short) = hypothetical($fund, { type => 'EventReversed', what => $event, payload => {}, at => $c->{at}, position => $model->{last} + 1 });
		return [ $illegal ? 'UF014' : $short || starts_anew_after($fund, $c->{at}) ? ('UF014', '') : '' ];
	},
	restate_nav => sub {
		my ($fund, $c) = @_;
		my @codes = time_refusal($fund, $c->{at});
		return [ @codes ? @codes : defined $fund->{closed_through} && $c->{from_date} le $fund->{closed_through} ? ('', 'UF011') : '' ];
	},
	append => sub {
		my ($fund, $c) = @_;
		return [ $c->{at} < ($fund->{closed_until} // 0) ? ('', 'UF011') : '' ];
	});

# Whether the purchase of a copyright was reversed at its own moment.
sub never_held
{
	my ($asset) = @_;
	return $asset->{never} && $asset->{to} == $asset->{from};
}

sub max_text
{
	return (sort @_)[-1];
}

sub in_force
{
	my ($of, $at) = @_;
	my $last = (grep { $_->{at} <= $at } sort { $a->{at} <=> $b->{at} || $a->{position} <=> $b->{position} } @{ $model->{halts}{$of} // [] })[-1];
	return $last && $last->{halted} && (!defined $last->{until} || $at < $last->{until});
}

# Whether a distribution is paid at the end of a moment, or of a later one.
sub paid_later
{
	my ($fund, $at, $id) = @_;
	my $paid = $model->state_at($fund, $at)->{paid}{$id} // 0;
	my (undef, $free) = least_sum($fund, $at, -$paid, sub { effect($_[0], { DistributionPaid => sub { $_[0]{distribution_id} == $id ? -1 : 0 } }) });

	return $free < 0;
}

# Whether the timeline with one more event would be illegal; and whether it
# would owe more than it has, or have a cost basis below nothing, at some moment.
sub hypothetical
{
	my ($fund, $event) = @_;
	my $i = FundModel::after($fund, $event->{at}, $event->{position});
	my $s = FundModel::empty();
	my ($illegal, $short) = (0, 0);
	my @timeline = @{ $fund->{timeline} };

	splice @timeline, $i, 0, $event;
	for my $k (0 .. $#timeline)
	{
		FundModel::apply($s, $timeline[$k]);
		next if $k < $i;
		$illegal ||= FundModel::illegal($s, $k == $#timeline, FundModel::ends_moment(\@timeline, $k));
		$short ||= $s->{capital_cash} < $s->{liabilities} || grep { $_->{cost_basis} < 0 || ($_->{units} == 0 && $_->{cost_basis} != 0) } values %{ $s->{holding} };
	}
	return ($illegal, $short);
}

# Whether units are issued after a moment in a fund that had none.
sub starts_anew_after
{
	my ($fund, $at) = @_;
	return first { $_->{at} > $at && $_->{type} eq 'InvestmentCreated' && $model->state_at($fund, $_->{at} - 1)->{total_supply} == 0 } @{ $fund->{timeline} };
}

# Whether a price is struck after a moment.
sub strikes_after
{
	my ($fund, $at) = @_;
	return first { $_->{at} > $at && ($_->{type} =~ /^(FundValued|DistributionDeclared)$/ || $_->{type} eq 'InvestmentCreated') } @{ $fund->{timeline} };
}

# A quote as the extension should find it: in 1/10,000, rounded half up.
sub quoted
{
	my ($fund, $key, $day) = @_;
	my $back = first { defined $quote{$key}{ $day - $_ } } 0 .. 30;
	return undef if !defined $back;
	my $price = $quote{$key}{ $day - $back };
	return FundModel::muldiv(2 * $price + $fund->{cash_unit}, 1, 2 * $fund->{cash_unit}) * $fund->{cash_unit};
}

# What a valuation should say of a day: figures as text; and those copyrights
# whose value is carried, for which it may be several.
sub valuation
{
	my ($fund, $at, $day, $end) = @_;
	my $s = $model->state_at($fund, $end - 1);
	my ($value, @carried) = 0;

	foreach my $asset (keys %{ $s->{held} })
	{
		my $quoted = quoted($fund, $model->{assets}{$asset}{key}, $day);
		defined $quoted ? ($value += $quoted) : push @carried, $asset;
	}
	return (undef, @carried) if @carried;
	my $nav = $s->{capital_cash} + $value - $s->{liabilities};
	my $price = $s->{total_supply} == 0 ? undef : $nav <= 0 ? 0 : FundModel::muldiv($nav, 10**6, $s->{total_supply});
	return join '|', map({ FundModel::decimal($_, 4) } $value, $s->{capital_cash}, $s->{liabilities}, $nav),
	  FundModel::decimal($s->{total_supply}, 6), defined $price ? FundModel::decimal($price, 4) : '-';
}

# --- commands at random

my $clock = $day_starts{'Asia/Seoul'}[40];	# moves on
my $span = $day_starts{'Asia/Seoul'}[ $day_number{'2023-11-30'} ] - $clock;

sub some_moment
{
	my ($fund) = @_;
	my $r = rand;
	my $at = $clock - int(rand HOUR);

	return $at if $r < 0.55;
	return real_now() + DAY + int(rand 1000 * DAY) if $r < 0.57;
	$at -= int(rand($r < 0.8 ? 5 * DAY : $r < 0.95 ? 60 * DAY : 1500 * DAY));
	$at = max($at, $fund->{created} + 1);
	# the start of a day, or the moment before it, or that of another event
	my $s = rand;
	$at = $day_starts{ $fund->{zone} }[ day_of($fund->{zone}, $at) ] - ($s < 0.1 ? 1 : 0) if $s < 0.2;
	$at = $fund->{timeline}[ rand @{ $fund->{timeline} } ]{at} if $s > 0.9;
	return max($at, $fund->{created} + 1);
}

# An amount at the fund's scale between nothing and somewhat more than a limit;
# sometimes just the limit, one more, or of too many decimals.
sub some_amount
{
	my ($limit, $unit, $scale, $share) = @_;
	my $r = rand;
	my $amount = $r < 0.06 ? $limit : $r < 0.1 ? $limit + $unit : $r < 0.12 ? $unit : int(rand($limit * $share));

	$amount -= $amount % $unit;
	$amount = $unit if $amount <= 0 && !chance(0.02);
	$amount += $unit / 10 if $unit > 1 && chance(0.01);
	$amount = -$amount if chance(0.003);
	return FundModel::decimal($amount, $scale);
}

sub some_asset
{
	my ($fund) = @_;
	my @own = grep { $model->{assets}{$_}{fund} == $fund->{id} } sort { $a <=> $b } keys %{ $model->{assets} };
	my @held = grep { !defined $model->{assets}{$_}{to} } @own;

	return chance(0.02) ? 999_999 : chance(0.04) ? pick(sort { $a <=> $b } keys %{ $model->{assets} }) // 1 : chance(0.8) ? pick(@held) // 1 : pick(@own) // 1;
}

# Events of a type whose reversal came into force later.
sub taken_back
{
	my ($type, @of) = @_;
	return grep { $_->{type} eq $type && $_->{reversed} && $_->{reversed}{at} > $_->{at} } map { @{ $_->{timeline} } } @of;
}

# From somewhat before such an event to somewhat after its reversal.
sub moment_around
{
	my ($event) = @_;
	return undef if !$event;
	my $length = $event->{reversed}{at} - $event->{at};
	return pick($event->{at}, $event->{reversed}{at} - 1, $event->{reversed}{at}, $event->{at} + int(rand(1.2 * $length) - $length / 10));
}

sub quote_all
{
	my ($fund, $day) = @_;
	my @sql;

	foreach my $asset (sort { $a <=> $b } keys %{ $fund->{now}{held} })
	{
		next if chance(0.1);
		my $key = $model->{assets}{$asset}{key};
		my $last = first { defined } map { $quote{$key}{ $day - $_ } } 0 .. 60;
		my $price = int(($last // $fund->{now}{held}{$asset}{cost}) * (0.96 + rand 0.085));
		$price = 0 if chance(0.002);
		$quote{$key}{$day} = $price;
		push @sql, sprintf 'fundes.record_mcp_price(%s, \'%s\', %s)', join(', ', map { "'$_'" } split / /, $key), $day_names[$day], FundModel::decimal($price, 4);
	}
	$db->rows('select ' . join ', ', @sql) if @sql;
	return;
}

my %make = (
	create_investment => sub {
		my ($fund, $s) = @_;
		my $price = $s->{total_supply} ? $s->{base_price} : $fund->{initial_price};
		return {
			investor_id => chance(0.01) ? 'nobody' : pick(@investors),
			investment_amount => chance(0.05) ? some_amount($price, $fund->{cash_unit}, 4, 1.2) : some_amount(5 * 10**9, $fund->{cash_unit}, 4, 1) };
	},
	withdraw_investment => sub {
		my ($fund, $s) = @_;
		my $investor = chance(0.01) ? 'nobody' : pick(@investors);
		my $units = ($s->{holding}{$investor} // {})->{units} // 0;
		return {
			investor_id => $investor,
			stock_quantity => some_amount($units, $fund->{unit_unit}, 6, pick(0.2, 1.1)) };
	},
	purchase_mcp => sub {
		my ($fund, $s) = @_;
		my %key;
		my $back = chance(0.2) ? pick(taken_back('McpPurchased', @funds)) : undef;
		@key{qw(copyright_code registration_number music_id)} = $back ? @{ $back->{payload} }{qw(copyright_code registration_number music_id)} : split / /, pick(@songs);
		return { %key, around => moment_around($back), price_cash => some_amount($s->{capital_cash} - $s->{liabilities}, $fund->{cash_unit}, 4, pick(0.3, 1.1)) };
	},
	sell_mcp => sub {
		my ($fund, $s) = @_;
		my $asset = some_asset($fund);
		my $value = ($s->{held}{$asset} // { value => 10**8 })->{value};
		return { asset_id => $asset, price_cash => chance(0.03) ? '0' : some_amount(int($value * (0.97 + rand 0.06)), $fund->{cash_unit}, 4, 1) };
	},
	record_royalty => sub {
		my ($fund) = @_;
		return { asset_id => some_asset($fund), amount => some_amount(10**7, $fund->{cash_unit}, 4, 1) };
	},
	accrue_fee => sub {
		my ($fund, $s) = @_;
		return { kind => pick(qw(management audit)), amount => chance(0.05) ? some_amount($s->{capital_cash} - $s->{liabilities}, $fund->{cash_unit}, 4, 1.1) : some_amount(10**7, $fund->{cash_unit}, 4, 0.5) };
	},
	pay_fee => sub {
		my ($fund, $s) = @_;
		my $kind = pick(qw(management audit));
		return { kind => $kind, amount => some_amount($s->{fee}{$kind} // 0, $fund->{cash_unit}, 4, 1.2) };
	},
	set_price_limits => sub {
		return { max_price_drift => pick('0.02', '0.1', '0.05', 'null'), max_price_age => pick('null', '7 days', '30 days', '30 days') };
	},
	update_mcp_asset_value => sub {
		my ($fund, $s, $at) = @_;
		my $day = day_of($fund->{zone}, $at) - (chance(0.9) ? 1 : int rand 5);
		$day = max(0, min($day, $#day_names - 2));
		quote_all($fund, $day) if chance(0.8);
		return { valuation_date => $day_names[$day] };
	},
	declare_distribution => sub {
		my ($fund, $s, $at) = @_;
		my $day = max(0, min(day_of($fund->{zone}, $at) - int(rand 6) + (chance(0.1) ? 2 : 0), $#day_names - 2));
		my $most = max($fund->{cash_unit}, int(($s->{capital_cash} - $s->{liabilities}) / 20));
		return { amount => some_amount($most, $fund->{cash_unit}, 4, 1), record_date => chance(0.5) ? 'null' : $day_names[$day] };
	},
	pay_distribution => sub {
		my ($fund) = @_;
		my @open = grep { $fund->{distributions}{$_}{status} eq 'declared' } sort keys %{ $fund->{distributions} // {} };
		my $back = chance(0.4) ? pick(taken_back('DistributionPaid', $fund)) : undef;
		return { distribution_id => $back->{payload}{distribution_id}, around => moment_around($back) } if $back;
		return { distribution_id => chance(0.9) ? pick(@open) // 1 : 1 + int rand 4 };
	},
	close_period => sub {
		my ($fund, undef, $at) = @_;
		return { through_date => $day_names[ max(0, min(day_of($fund->{zone}, $at) - 1 - int rand(60), $#day_names - 2)) ] };
	},
	reopen_period => sub {
		my ($fund, undef, $at) = @_;
		return { through_date => chance(0.5) ? 'null' : $day_names[ max(0, min(day_of($fund->{zone}, $at) - 1 - int rand(200), $#day_names - 2)) ] };
	},
	publish_index => sub {
		my ($fund, undef, $at) = @_;
		my $day = $day_names[ max(0, min(day_of('Asia/Seoul', $at), $#day_names - 4)) ];
		my $days = $model->{index} // {};
		my $before = max_text(grep { $_ lt $day } keys %$days);
		my $level = defined $before ? $days->{$before} : 2000000;
		my $r = rand;
		return { fund_id => undef, index_name => 'MCPI', index_date => $day,
			level => FundModel::decimal($r < 0.1 ? int($level * 92 / 100) : $r < 0.2 ? int($level * 92 / 100) + 1 : int($level * (0.9 + rand 0.25)), 4) };
	},
	halt_trading => sub {
		my ($fund) = @_;
		return { fund_id => chance(0.3) ? 'null' : $fund->{id} };
	},
	resume_trading => sub {
		my ($fund) = @_;
		my @halted = grep { my $last = ($model->{halts}{$_} // [])->[-1]; $last && $last->{halted} && !defined $last->{until} } 0, $fund->{id};
		return { fund_id => (@halted ? pick(@halted) : $fund->{id}) || 'null' };
	},
	reverse_event => sub {
		my ($fund) = @_;
		my @own = sort { $b->{position} <=> $a->{position} } @{ $fund->{timeline} };
		@own = (grep({ $_->{type} =~ /^(Distribution|McpPurchased)/ && !$_->{reversed} } @own), @own)[ 0 .. 5 ] if @own > 5 && chance(0.25);
		my $event = chance(0.02) ? undef : $own[ rand(chance(0.8) ? min(30, scalar @own) : @own) ];
		return { reversed_event_id => $event ? $event->{id} : '01890000-0000-7000-8000-000000000000', reason => 'mistake', not_before => $event && chance(0.8) ? $event->{at} : 0 };
	},
	restate_nav => sub {
		my ($fund, undef, $at) = @_;
		return { from_date => $day_names[ max(0, min(day_of($fund->{zone}, $at) - int(rand 200), $#day_names - 2)) ] };
	},
	append => sub {
		my ($fund, $s) = @_;
		my @held = grep { !$model->{assets}{$_}{never} } sort { $a <=> $b } keys %{ $s->{held} };
		my $amount = FundModel::decimal($fund->{cash_unit} * (1 + int rand 5000), 4);
		return { stream => "fund-$fund->{id}", type => 'RoyaltyReceived', payload => qq({"fund_id": $fund->{id}, "asset_id": $held[rand @held], "amount": $amount}) } if @held && chance(0.5);
		# units at the price in force
		my $units = $fund->{unit_unit} * (1 + int rand 5000);
		my $cash = FundModel::muldiv_up($units, $s->{base_price}, 10**6);
		$cash += -$cash % $fund->{cash_unit};
		return if $cash == 0 || $s->{total_supply} == 0;
		my $investor = pick(@investors);
		return { stream => "holding-$fund->{id}-$investor", type => 'InvestmentCreated', payload => sprintf
			  '{"fund_id": %s, "investor_id": "%s", "investment_amount": %s, "unit_price": %s, "units": %s, "cash_taken": %s, "refund_cash": 0}',
			$fund->{id}, $investor, FundModel::decimal($cash, 4), FundModel::decimal($s->{base_price}, 4), FundModel::decimal($units, 6), FundModel::decimal($cash, 4) };
	});
my %weight = (
	create_investment => 24, withdraw_investment => 14, purchase_mcp => 8, sell_mcp => 6, record_royalty => 8, accrue_fee => 5, pay_fee => 4,
	set_price_limits => 0.7, update_mcp_asset_value => 28,
	declare_distribution => 2, pay_distribution => 2, close_period => 0.4, reopen_period => 0.4, publish_index => 3, halt_trading => 0.3, resume_trading => 1.2,
	reverse_event => 6, append => 3, restate_nav => 0.7);

# Which column of the result is compared with what is expected.
my %result = (
	create_investment => q{concat_ws('|', trim_scale(units), trim_scale(unit_price), trim_scale(cash_taken), trim_scale(refund_cash))},
	withdraw_investment => q{concat_ws('|', trim_scale(withdrawn_amount), trim_scale(unit_price))},
	sell_mcp => q{trim_scale(sell_mcp)},
	publish_index => 'publish_index',
	restate_nav => q{concat_ws('|', valuation_date, status, stale_count, trim_scale(asset_value), trim_scale(capital_cash), trim_scale(liabilities), trim_scale(nav), trim_scale(total_supply), trim_scale(base_price))},
	update_mcp_asset_value => q{concat_ws('|', status, stale_count, trim_scale(asset_value), trim_scale(capital_cash), trim_scale(liabilities), trim_scale(nav), trim_scale(total_supply), trim_scale(base_price))});

sub statement
{
	my ($name, $fund, $c) = @_;
	my @args = exists $c->{fund_id} || $name =~ /^(publish_index|reverse_event|append)$/ ? () : "fund_id => $fund->{id}";

	foreach my $arg (sort grep { !/^(at|given|not_before|around)$/ && defined $c->{$_} } keys %$c)
	{
		push @args, "$arg => " . ($c->{$arg} eq 'null' ? 'null' : $c->{$arg} =~ /^-?[\d.]+$/ && $arg ne 'music_id' ? $c->{$arg} : "'$c->{$arg}'");
	}
	push @args, 'effective_at => ' . moment($c->{at}) if $c->{given};
	return 'select ' . ($result{$name} // 'true') . " from fundes.$name(" . join(', ', @args) . ')';
}

# --- what must hold

my (%count, %refused);

# The figures of all funds, and what must be so in any fund: units and values add
# up, debits are credits, and the NAV is both sums that it should be.
sub check_funds
{
	my ($what) = @_;
	my %is = map { (split /\|/, $_, 2) } $db->rows(
		'select fund_id, ' . FundModel::figures_query() . q{ || ' ' || trim_scale(unrealised_gain::numeric) || ' ' || trim_scale(nav::numeric)}
		  . q{ || ' ' || (select trim_scale(coalesce(sum(units), 0)) from fundes.investment_current_value i where i.fund_id = s.fund_id)}
		  . q{ || ' ' || (select trim_scale(coalesce(sum(value_cash), 0)) from fundes.mcp_holding m where m.fund_id = s.fund_id)}
		  . ($exists{trial_balance} ? q{ || ' ' || (select trim_scale(sum(debit) - sum(credit)) || ' ' || trim_scale(sum(balance)) from fundes.trial_balance t where t.fund_id = s.fund_id)} : q{ || ' 0 0'})
		  . q{ || ' ' || (nav = capital_cash + asset_value - liabilities)}
		  . q{ || ' ' || (nav = subscriptions - redemptions + realised_gain + unrealised_gain + royalty_income - fee_expense - distributed)}
		  . ' from fundes.fund_sheet s');
	my $wrong = 0;

	foreach my $fund (@funds)
	{
		my $s = $fund->{now};
		my $unrealised = 0;
		$unrealised += $_->{value} - $_->{cost} foreach values %{ $s->{held} };
		$wrong += differ($is{ $fund->{id} }, join(' ', FundModel::figures($s), FundModel::decimal($unrealised, 4), FundModel::decimal(FundModel::nav($s), 4),
				FundModel::decimal($s->{total_supply}, 6), FundModel::decimal($s->{asset_value}, 4), '0 0 true true'), "$what: fund $fund->{id}");
	}
	fault("$what: $_") foreach @{ $model->{faults} };
	$wrong += @{ $model->{faults} };
	$model->{faults} = [];
	return $wrong;
}

# The holdings and copyrights of some funds.
sub check_rows
{
	my ($what, @of) = @_;
	my $ids = join ', ', map { $_->{id} } @of;
	my %rows = map { (split /\|/, $_, 2) } $db->rows(
		q{select 'holding ' || fund_id || ' ' || investor_id, } . FundModel::holding_query() . " from fundes.investment_current_value where fund_id in ($ids)"
		  . q{ union all select 'copyright ' || asset_id, concat_ws(' ', fund_id, trim_scale(cost_cash::numeric), trim_scale(value_cash::numeric), trim_scale(royalty_income::numeric))}
		  . " from fundes.mcp_holding where fund_id in ($ids)");

	foreach my $fund (@of)
	{
		my $s = $fund->{now};
		foreach my $investor (sort keys %{ $s->{holding} })
		{
			differ(delete $rows{"holding $fund->{id} $investor"} // 'no row', FundModel::holding_figures($s->{holding}{$investor}), "$what: holding of $investor in fund $fund->{id}");
		}
		foreach my $asset (sort { $a <=> $b } keys %{ $s->{held} })
		{
			my $held = $s->{held}{$asset};
			differ(delete $rows{"copyright $asset"} // 'no row', join(' ', $fund->{id}, map { FundModel::decimal($held->{$_}, 4) } qw(cost value royalties)), "$what: copyright $asset");
		}
	}
	fault("$what: $_, which should not be") foreach sort keys %rows;
	return;
}

# The figures at a random moment, as known at another.
sub check_as_of
{
	my ($what) = @_;
	my $fund = pick(@funds);
	my $at = chance(0.5) ? $fund->{timeline}[ rand @{ $fund->{timeline} } ]{at} - (chance(0.3) ? 1 : 0) : $fund->{created} + int(rand($clock - $fund->{created}));
	my ($known_at, $known);
	if (chance(0.6))
	{
		my @positions = sort { $a <=> $b } keys %{ $model->{by_position} };
		$known_at = $model->{by_position}{ pick(@positions) }{recorded} - (chance(0.2) ? 1 : 0);
		$known = $model->known_position($known_at);
	}
	my $s = $model->state_at($fund, $at, $known);
	my $created = $at >= $fund->{created} && (!defined $known || $known >= $fund->{timeline}[0]{position});
	my $arguments = "$fund->{id}, " . moment($at) . (defined $known ? ', ' . moment($known_at) : '');
	$what .= ": fund $fund->{id} at $at" . (defined $known ? " known at $known_at" : '');
	return if !$created;

	differ($db->value('select ' . FundModel::figures_query() . " || ' ' || trim_scale(fundes.fund_nav($arguments)) || ' ' || trim_scale(fundes.compute_fund_value($arguments)) from fundes.fund_state_at($arguments)"),
		join(' ', FundModel::figures($s), FundModel::decimal(FundModel::nav($s), 4), FundModel::decimal($s->{accumulated_purchase_value} - $s->{accumulated_sold_value}, 4)), $what);
	my $investor = pick(@investors);
	my $h = FundModel::investor_in($s, $investor);
	my $value = FundModel::muldiv($h->{units}, $s->{base_price}, 10**6);
	$value -= $value % $fund->{cash_unit};
	differ($db->value('select ' . FundModel::holding_query() . q{ || ' ' || trim_scale(base_price) || ' ' || trim_scale(current_value)} . " from fundes.investment_value_at('$investor', $arguments)") // 'no row',
		join(' ', FundModel::holding_figures($h), FundModel::decimal($s->{base_price}, 4), FundModel::decimal($value, 4)), "$what: $investor");
	$count{'as-of'}++;
	return;
}

# --- the history

my @names = sort grep { $exists{$_} } keys %weight;
my $weights = 0;
$weights += $weight{$_} foreach @names;
my $mixed = 0;

sub some_name
{
	my $r = rand $weights;
	foreach my $name (@names)
	{
		return $name if ($r -= $weight{$name}) < 0;
	}
	return $names[0];
}

sub step
{
	my ($n) = @_;
	my $fund = pick(@funds);
	my $name = some_name();
	my $given = $n < $commands * 0.97 || chance(0.5);

	$clock += int(rand(2 * $span / $commands));
	my $at = $given ? some_moment($fund) : real_now();
	return if $name eq 'append' && $at > real_now();
	my $s = $model->state_at($fund, $at);
	my $c = $make{$name}->($fund, $s, $at) or return;
	$at = max($at, $c->{not_before}) if $given && $c->{not_before};
	$at = $c->{around} if $given && $c->{around};
	$c->{at} = $given ? $at : $name eq 'publish_index' ? $at : max($at, $fund->{timeline}[-1]{at});
	$c->{given} = $given;
	my ($codes, $want, @carried) = $expect{$name}->($fund, $c);
	my ($valued_day, $struck_at, $ex_at) = ($fund->{valued_day}, $fund->{struck_at} // 0, $fund->{ex_at} // 0);
	$db->rows("set timezone = '" . pick('Asia/Seoul', 'UTC', 'America/Havana', 'Pacific/Kiritimati') . "'") if chance(0.02);
	my $sql = statement($name, $fund, $c);
	my ($state, $message, @rows) = $db->try($sql);
	my $detail = $state eq '00000' || grep({ $_ eq $state } @$codes) ? '' : $db->detail($sql);
	my @events = catch_up();
	my $what = "command $n (" . ($sql =~ s|^select .*? from fundes\.||r) . ")";
	my $wrong = 0;

	$count{$name}++;
	if ($state ne '00000')
	{
		$refused{"$name $state"}++;
		fault("$what: refused with $state $message ($detail) instead of " . join(' or ', map { $_ eq '' ? 'accepted' : $_ } @$codes)), $wrong++ if !grep { $_ eq $state } @$codes;
		fault("$what: refused, but wrote " . join ', ', map { $_->{type} } @events), $wrong++ if @events;
	}
	elsif (!grep { $_ eq '' } @$codes)
	{
		fault("$what: accepted instead of " . join ' or ', @$codes);
		$wrong++;
	}
	elsif (defined $want)
	{
		my $have = $rows[0];
		if ($name eq 'update_mcp_asset_value')
		{
			my ($status, $stale, @figures) = split /\|/, $have;
			differ($stale, 0, "$what: stale");
			$want =~ s/-$/$figures[-1]/;
			differ(join('|', @figures), $want, $what) if $status ne 'unchanged';
			differ(scalar @events, $status eq 'unchanged' ? 0 : 1, "$what: events of a valuation $status");
			$count{"valuation $status"}++;
		}
		elsif ($name eq 'declare_distribution')
		{
			my $p = $events[0]{payload};
			differ(join('|', map { FundModel::decimal(FundModel::scaled($_, 4), 4) } @$p{qw(per_unit total base_price)}), $want, $what);
			my $sum = 0;
			$sum += FundModel::scaled($_, 4) foreach values %{ $p->{entitlements} };
			differ($sum, FundModel::scaled($p->{total}, 4), "$what: the sum of its entitlements");
		}
		else
		{
			differ($have, $want, $what);
		}
	}
	# restated days have the figures of what is known now
	foreach my $row ($name eq 'restate_nav' ? @rows : ())
	{
		my ($day, $status, $stale, @figures) = split /\|/, $row;
		my ($figures, @carried) = valuation($fund, $c->{at}, $day_number{$day}, day_end($fund->{zone}, $day));
		$count{"restated $status"}++;
		differ($stale, scalar @carried, "$what: stale on $day");
		differ(join('|', @figures), $figures =~ s/-$/$figures[-1]/r, "$what: $day") if defined $figures;
	}
	# also where a day came out the same: only an event can take its flag away
	differ(scalar(grep { $_->{type} eq 'FundValued' && !$_->{struck} } @events), scalar(@rows), "$what: events") if $name eq 'restate_nav';
	foreach my $event (grep { $_->{type} eq 'EventReversed' && defined $_->{payload}{base_price} } @events)
	{
		my $after = $model->state_at($fund, $event->{at});
		differ($event->{payload}{base_price} + 0, FundModel::decimal(FundModel::muldiv(max(0, FundModel::nav($after)), 10**6, $after->{total_supply}), 4) + 0, "$what: the price that it strikes");
	}
	foreach my $event (grep { $_->{type} eq 'FundValued' && defined $_->{payload}{struck} && !$fund->{unsure_of_strikes} } @events)
	{
		my $history = $event->{payload}{valuation_date} lt $valued_day || $event->{at} < $struck_at || $event->{day_end} < $ex_at || $name eq 'restate_nav';
		next if !$history && $event->{at} < ($fund->{perhaps_struck_at} // 0);
		differ($event->{payload}{struck}, $history ? 0 : 1, "$what: whether it strikes a price");
	}
	# a pay-in into an empty fund is about the price too
	$fund->{perhaps_struck_at} = max($fund->{perhaps_struck_at} // 0, map { $_->{at} } grep { $_->{type} eq 'InvestmentCreated' && $s->{total_supply} == 0 } @events);
	if ($name eq 'set_price_limits' && $state eq '00000')
	{
		$limits{ $fund->{id} } = {
			drift => $c->{max_price_drift} eq 'null' ? undef : $c->{max_price_drift},
			age => $c->{max_price_age} eq 'null' ? undef : ($c->{max_price_age} =~ /(\d+)/)[0] * DAY };
	}
	$wrong += check_funds($what);
	check_rows($what, $wrong || $n % 10 == 0 ? @funds : $fund);
	check_as_of($what) if $as_of && chance(0.3);
	differ(join("\n", $db->rows('select * from fundes.verify_projections()')), '', "$what: the projections differ from the log") if $n <= VERIFIED_EACH || $n % VERIFIED_LATER == 0;
	return;
}

my $started = time;
eval {
	step($_) foreach 1 .. $commands;
	check_rows('at the end', @funds);
	1;
} or push @faults, $@;
is(scalar @faults, 0, "a history of $commands commands");
is(join("\n", $db->rows('select * from fundes.verify_projections()')), '', 'the projections equal the log');
my $events = $db->value('select count(*) from fundes.event_log');
cmp_ok($events, '>', $commands * 0.4, "$events events");
foreach my $name (@names)
{
	my $no = 0;
	$no += $refused{$_} foreach grep { /^$name / } keys %refused;
	cmp_ok(($count{$name} // 0) - $no, '>', 0, "$name was accepted") if ($count{$name} // 0) > 20;
}
diag(sprintf '%d events, %.1f s', $events, time - $started);
diag(join ', ', map { "$_ $count{$_}" } sort keys %count);
diag('refused: ' . join ', ', map { "$_ $refused{$_}" } sort keys %refused);
is($db->close, 0, 'the session ends well');
$node->stop;
done_testing();
