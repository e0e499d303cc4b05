# A fold of fundes.event_log that shares no code with the extension: what the
# figures of a fund are, at any moment and with any knowledge, by the contract
# alone.
#
# All amounts are integers: cash and prices in 1/10,000, units in 1/1,000,000,
# moments in microseconds since 1970. An event is a hash: position, at
# (effective), recorded, stream, version, id, type, payload (numbers as strings).
# A fund's timeline is its events by (at, position); what an event does is
# worked out in that order.

package FundModel;

use strict;
use warnings FATAL => 'all';

use Time::Local qw(timegm);

use Carp;
use JSON::PP ();
use Math::BigInt;

use constant CASH => 4;
use constant UNITS => 6;
use constant PRICE => 4;
use constant EVERY => 32;	# events between two kept states

our @FIGURES = qw(capital_cash asset_value liabilities total_supply
  accumulated_purchase_value accumulated_sold_value subscriptions redemptions
  realised_gain royalty_income fee_expense distributed);
our @HOLDING = qw(units investment_amount cost_basis withdrawn_amount realised_gain distributions);

# A decimal number as an integer of 10^-$scale; undef where it does not fit.
sub scaled
{
	my ($text, $scale) = @_;
	my ($sign, $whole, $rest) = $text =~ /^(-?)(\d+)(?:\.(\d*?)0*)?$/ or croak "no number: $text";

	$rest //= '';
	return undef if length $rest > $scale;
	my $number = $whole . $rest . '0' x ($scale - length $rest);
	croak "too large for this model: $text" if length($number =~ s/^0+//r) > 17;
	return $sign ? -$number : 0 + $number;
}

# And back, without zeros at its end.
sub decimal
{
	my ($number, $scale) = @_;
	my ($sign, $digits) = $number < 0 ? ('-', -$number) : ('', $number);

	$digits = '0' x ($scale + 1 - length $digits) . $digits if length $digits <= $scale;
	my $text = $scale ? substr($digits, 0, -$scale) . '.' . substr($digits, -$scale) : $digits;
	$text =~ s/\.?0+$// if $scale;
	return $sign . $text;
}

# floor and ceil of $a * $b / $c, $c > 0
sub muldiv
{
	my ($a, $b, $c) = @_;

	if (abs($a) * abs($b) < 9e15)
	{
		my $product = $a * $b;
		return ($product - $product % $c) / $c;
	}
	my $quotient = Math::BigInt->new($a)->bmul($b);
	$quotient->bdiv($c);	# floor
	croak "too large for this model: $quotient" if length $quotient->bstr > 18;
	return 0 + $quotient->bstr;
}

sub muldiv_up
{
	return -muldiv(-$_[0], $_[1], $_[2]);
}

# The sign of $a * $b - $c * $d.
sub compare_products
{
	my ($a, $b, $c, $d) = @_;
	return Math::BigInt->new($a)->bmul($b)->bcmp(Math::BigInt->new($c)->bmul($d));
}

# A number of jsonb would become a float; so all become strings first.
my $json = JSON::PP->new;
sub decode
{
	my ($text) = @_;
	$text =~ s/("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)/defined $1 ? $1 : "\"$2\""/ge;
	return $json->decode($text);
}

# $day_end: a function (time_zone, day as YYYY-MM-DD) that returns the moment at
# which the day ends there.
sub new
{
	my ($class, $day_end) = @_;
	return bless { day_end => $day_end, folding => 1, funds => {}, investors => {}, by_position => {}, by_id => {}, assets => {}, last => 0, faults => [] }, $class;
}

# The query that gives the events after a position; its rows are for add().
sub events_query
{
	my ($after) = @_;
	return "select position, stream, version, event_id, type, (extract(epoch from effective_at) * 1000000)::bigint,"
	  . " (extract(epoch from recorded_at) * 1000000)::bigint, payload"
	  . " from fundes.event_log where position > $after and (stream like 'fund-%' or stream like 'holding-%'"
	  . " or stream like 'investor-%' or stream like 'index-%') order by position";
}

# Takes one row of events_query, columns parted by '|', and returns the event.
sub add
{
	my ($self, $row) = @_;
	my %event;

	@event{qw(position stream version id type at recorded payload)} = split /\|/, $row, 8;
	$event{payload} = decode($event{payload});
	$self->{last} = $event{position};
	$self->{by_position}{ $event{position} } = $self->{by_id}{ $event{id} } = \%event;
	my $p = $event{payload};
	if ($event{type} eq 'InvestorCreated')
	{
		$self->{investors}{ $p->{investor_id} } = $event{at};
		return \%event;
	}
	if ($event{type} eq 'FundCreated')
	{
		$self->{funds}{ $p->{fund_id} } = {
			id => $p->{fund_id}, zone => $p->{time_zone}, created => $event{at},
			cash_unit => 10**(CASH - $p->{cash_scale}), unit_unit => 10**(UNITS - $p->{unit_scale}),
			initial_price => scaled($p->{initial_price}, PRICE),
			valued_day => '', timeline => [], kept => [], spendable => [], owed => [] };
	}
	if ($event{type} eq 'McpPurchased')
	{
		$self->{assets}{ $p->{asset_id} } = { fund => $p->{fund_id}, key => "$p->{copyright_code} $p->{registration_number} $p->{music_id}", from => $event{at}, position => $event{position} };
	}
	elsif ($event{type} eq 'McpSold')
	{
		@{ $self->{assets}{ $p->{asset_id} } }{qw(to sold)} = ($event{at}, \%event);
	}
	elsif ($event{type} eq 'EventReversed')
	{
		my $reversed = $self->{by_id}{ $p->{reversed_event_id} } or croak "reversed event $p->{reversed_event_id} is unknown";
		$reversed->{reversed} = \%event;
		$event{what} = $reversed;
		if ($reversed->{type} eq 'McpPurchased')
		{
			$self->{assets}{ $reversed->{payload}{asset_id} }{to} = $event{at};
			$self->{assets}{ $reversed->{payload}{asset_id} }{never} = 1;
		}
		elsif ($reversed->{type} eq 'McpSold')
		{
			my $asset = $self->{assets}{ $reversed->{payload}{asset_id} };
			push @{ $asset->{gaps} }, [ $asset->{to}, $event{at} ];
			delete @$asset{qw(to sold)};
		}
	}
	$self->find_held_twice($self->{assets}{ (($event{what} // \%event)->{payload}{asset_id}) }{key}, $event{position})
	  if ($event{what} // \%event)->{type} =~ /^Mcp/;
	return \%event if !defined $p->{fund_id};

	my $fund = $self->{funds}{ $p->{fund_id} } or croak "fund $p->{fund_id} is unknown";
	if ($event{type} eq 'FundValued')
	{
		$event{day_end} = $self->{day_end}->($fund->{zone}, $p->{valuation_date});
		# an older day than the latest is history only
		$event{struck} = defined $p->{struck} ? ($p->{struck} ? 1 : 0) : ($p->{valuation_date} ge $fund->{valued_day});
		$fund->{valued_day} = $p->{valuation_date} if $event{struck};
	}
	my $i = insert($fund, \%event);
	# what is taken back at its own moment never was
	$i = after($fund, $event{at} - 1) if $event{what} && $event{what}{at} == $event{at};
	# a part of the cost goes, or comes back, at a moment of its own
	my ($what, $sign) = $event{type} eq 'EventReversed' ? ($event{what}, -1) : (\%event, 1);
	if (defined $what->{payload}{relieved_later})
	{
		my $at = micros($what->{payload}{relieved_at});
		insert($fund, { type => 'CostRelieved', position => $event{position}, sign => $sign, payload => $what->{payload},
				at => $at > $event{at} ? $at : $event{at} });
	}
	$self->refold($fund, $i) if $self->{folding};
	return \%event;
}

# When a copyright was held: [from, to], without the times between a sale and
# its reversal; to is undef where it is held.
sub times_held
{
	my ($asset) = @_;
	my $from = $asset->{from};
	my @times;

	foreach my $gap (@{ $asset->{gaps} // [] })
	{
		push @times, [ $from, $gap->[0] ];
		$from = $gap->[1];
	}
	return grep { !defined $_->[1] || $_->[0] < $_->[1] } @times, [ $from, $asset->{to} ];
}

# Faults where a copyright is held by two at some moment.
sub find_held_twice
{
	my ($self, $key, $position) = @_;
	my @times = sort { $a->[0] <=> $b->[0] } map { times_held($_) } grep { $_->{key} eq $key } values %{ $self->{assets} };

	foreach my $i (1 .. $#times)
	{
		my $until = $times[ $i - 1 ][1];
		push @{ $self->{faults} }, "at position $position: $key is held twice from $times[$i][0] on" if !defined $until || $until > $times[$i][0];
	}
	return;
}

sub insert
{
	my ($fund, $event) = @_;
	my $i = after($fund, $event->{at}, $event->{position});
	splice @{ $fund->{timeline} }, $i, 0, $event;
	return $i;
}

# Microseconds since 1970 of a moment in a payload, which is in UTC.
sub micros
{
	my ($text) = @_;
	my ($y, $m, $d, $hh, $mm, $ss, $fraction) = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(?:\.(\d+))?(?:Z|\+00(?::00)?)$/
	  or croak "$text is no moment in UTC";
	return timegm($ss, $mm, $hh, $d, $m - 1, $y) * 1_000_000 + substr(($fraction // '') . '000000', 0, 6);
}

# Takes many rows at once; what is illegal is looked for once they are all there.
sub add_all
{
	my ($self, @rows) = @_;

	{
		local $self->{folding} = 0;
		$self->add($_) foreach @rows;
	}
	$self->refold($_, 0) foreach values %{ $self->{funds} };
	return;
}

# How many events of the timeline are not after (at, position).
sub after
{
	my ($fund, $at, $position) = @_;
	my $timeline = $fund->{timeline};
	my ($low, $high) = (0, scalar @$timeline);

	while ($low < $high)
	{
		my $mid = ($low + $high) >> 1;
		my $event = $timeline->[$mid];
		if ($event->{at} > $at || ($event->{at} == $at && defined $position && $event->{position} > $position))
		{
			$high = $mid;
		}
		else
		{
			$low = $mid + 1;
		}
	}
	return $low;
}

sub empty
{
	my %state = map { $_ => 0 } @FIGURES;
	return { %state, base_price => 0, price_end => undef, first_purchase => undef, restruck => 0, holding => {}, held => {}, sold => {}, fee => {}, entitlements => {}, declared => {}, paid => {}, status => 'open' };
}

sub copy
{
	my ($state) = @_;
	my %copy = %$state;

	$copy{$_} = { %{ $state->{$_} } } foreach qw(fee entitlements declared paid);
	foreach my $of (qw(holding held sold))
	{
		$copy{$of} = { map { $_ => { %{ $state->{$of}{$_} } } } keys %{ $state->{$of} } };
	}
	return \%copy;
}

# The states from the i-th event on, and whether they are legal.
sub refold
{
	my ($self, $fund, $i) = @_;
	my $timeline = $fund->{timeline};
	my $block = int($i / EVERY);
	my $state;

	$#{ $fund->{kept} } = $block if $#{ $fund->{kept} } > $block;
	$fund->{kept}[0] //= empty();
	$block = $#{ $fund->{kept} } if $block > $#{ $fund->{kept} };
	$state = copy($fund->{kept}[$block]);
	for my $k ($block * EVERY .. $#$timeline)
	{
		$fund->{kept}[ $k / EVERY ] = copy($state) if $k % EVERY == 0 && $k > $block * EVERY;
		apply($state, $timeline->[$k]);
		$fund->{spendable}[$k] = $state->{capital_cash} - $state->{liabilities};
		$fund->{owed}[$k] = $state->{liabilities};
		next if $k < $i;
		push @{ $self->{faults} }, map { "fund $fund->{id} at position $timeline->[$k]{position} ($timeline->[$k]{type}) of the timeline: $_" } illegal($state, $k == $#$timeline, ends_moment($timeline, $k));
	}
	$fund->{now} = $state;
	return;
}

# Whether the next event of a timeline is of a later moment.
sub ends_moment
{
	my ($timeline, $k) = @_;
	return $k == $#$timeline || $timeline->[ $k + 1 ]{at} > $timeline->[$k]{at};
}

# What no state may be; with $end, what no moment may end with.
sub illegal
{
	my ($s, $now, $end) = @_;
	my @faults = map { "$_ is $s->{$_}" } grep { $s->{$_} < 0 } qw(capital_cash asset_value liabilities total_supply);
	my $units = 0;
	my $value = 0;
	my $unrealised = 0;

	foreach my $investor (keys %{ $s->{holding} })
	{
		my $h = $s->{holding}{$investor};
		$units += $h->{units};
		push @faults, map { "$_ of $investor is $h->{$_}" } grep { $h->{$_} < 0 } qw(units cost_basis investment_amount withdrawn_amount distributions);
		push @faults, "$investor has a cost basis of $h->{cost_basis} without units" if $now && $h->{units} == 0 && $h->{cost_basis} != 0;
	}
	foreach my $held (values %{ $s->{held} })
	{
		$value += $held->{value};
		$unrealised += $held->{value} - $held->{cost};
	}
	push @faults, "the holdings have $units units of $s->{total_supply}" if $units != $s->{total_supply};
	push @faults, "the copyrights are worth $value, asset_value is $s->{asset_value}" if $value != $s->{asset_value};
	my $nav = $s->{subscriptions} - $s->{redemptions} + $s->{realised_gain} + $unrealised + $s->{royalty_income} - $s->{fee_expense} - $s->{distributed};
	push @faults, 'nav is ' . nav($s) . ", not $nav" if nav($s) != $nav;
	push @faults, map { "distribution $_ is declared $s->{declared}{$_} times, paid $s->{paid}{$_} times" }
	  grep { $end && ($s->{paid}{$_} < 0 || $s->{paid}{$_} > $s->{declared}{$_} || $s->{declared}{$_} > 1) } keys %{ $s->{declared} };
	push @faults, map { "fee $_ is $s->{fee}{$_}" } grep { $s->{fee}{$_} < 0 } keys %{ $s->{fee} };
	return @faults;
}

sub nav
{
	my ($s) = @_;
	return $s->{capital_cash} + $s->{asset_value} - $s->{liabilities};
}

# The state at a moment, as far as it is known: with $known, only events up to
# that position.
sub state_at
{
	my ($self, $fund, $at, $known) = @_;
	my $timeline = $fund->{timeline};
	my $n = after($fund, $at);
	my $state;

	if (!defined $known)
	{
		my $block = int($n / EVERY);
		$block = $#{ $fund->{kept} } if $block > $#{ $fund->{kept} };
		$state = copy($fund->{kept}[$block] // empty());
		apply($state, $timeline->[$_]) foreach $block * EVERY .. $n - 1;
		return $state;
	}
	$state = empty();
	foreach my $event (@$timeline[ 0 .. $n - 1 ])
	{
		apply($state, $event) if $event->{position} <= $known;
	}
	return $state;
}

# The last position known at a moment: that before the first one that was
# recorded later.
sub known_position
{
	my ($self, $moment) = @_;
	my $last = 0;

	foreach my $position (sort { $a <=> $b } keys %{ $self->{by_position} })
	{
		last if $self->{by_position}{$position}{recorded} > $moment;
		$last = $position;
	}
	return $last;
}

sub investor_in
{
	my ($s, $investor) = @_;
	return $s->{holding}{$investor} //= { map { $_ => 0 } @HOLDING };
}

# $direction: 1 to apply an event, -1 to take it back
my %apply = (
	FundCreated => sub {
		my ($s, $p) = @_;
		$s->{base_price} = scaled($p->{initial_price}, PRICE);
	},
	InvestmentCreated => sub {
		my ($s, $p, $sign) = @_;
		my ($units, $cash) = (scaled($p->{units}, UNITS), scaled($p->{cash_taken}, CASH));
		my $h = investor_in($s, $p->{investor_id});

		if ($sign > 0 && $s->{total_supply} == 0 && nav($s) == 0)
		{
			$s->{base_price} = scaled($p->{unit_price}, PRICE);
			$s->{restruck} = 1 if defined $s->{price_end} || defined $s->{first_purchase};
			$s->{price_end} = undef;
		}
		$s->{$_} += $sign * $cash foreach qw(capital_cash subscriptions);
		$s->{total_supply} += $sign * $units;
		$h->{units} += $sign * $units;
		$h->{$_} += $sign * $cash foreach qw(cost_basis investment_amount);
	},
	InvestmentWithdrawn => sub {
		my ($s, $p, $sign) = @_;
		my ($units, $cash) = (scaled($p->{stock_quantity}, UNITS), scaled($p->{withdrawn_amount}, CASH));
		my $h = investor_in($s, $p->{investor_id});

		$s->{capital_cash} -= $sign * $cash;
		$s->{redemptions} += $sign * $cash;
		$s->{total_supply} -= $sign * $units;
		$h->{units} -= $sign * $units;
		my $later = scaled($p->{relieved_later} // 0, CASH);
		$h->{cost_basis} -= $sign * (scaled($p->{cost_relieved}, CASH) - $later);
		$h->{withdrawn_amount} += $sign * $cash;
		$h->{realised_gain} += $sign * (scaled($p->{realised_gain}, CASH) + $later);
	},
	CostRelieved => sub {
		my ($s, $p, $sign, $event) = @_;
		my $h = investor_in($s, $p->{investor_id});

		$h->{$_} -= $event->{sign} * scaled($p->{relieved_later}, CASH) foreach qw(cost_basis realised_gain);
	},
	McpPurchased => sub {
		my ($s, $p, $sign, $event) = @_;
		my $cash = scaled($p->{price_cash}, CASH);

		$s->{first_purchase} = $event->{at} if $sign > 0 && !defined $s->{first_purchase} && !($event->{reversed} && $event->{reversed}{at} == $event->{at});
		$s->{capital_cash} -= $sign * $cash;
		$s->{accumulated_purchase_value} += $sign * $cash;
		if ($sign > 0)
		{
			$s->{held}{ $p->{asset_id} } = { value => $cash, cost => $cash, royalties => 0 };
			$s->{asset_value} += $cash;
		}
		else
		{
			my $held = delete $s->{held}{ $p->{asset_id} } or return;
			$s->{asset_value} -= $held->{value};
		}
	},
	McpSold => sub {
		my ($s, $p, $sign) = @_;
		my $cash = scaled($p->{price_cash}, CASH);
		my ($from, $to) = $sign > 0 ? qw(held sold) : qw(sold held);
		my $held = delete $s->{$from}{ $p->{asset_id} };

		$s->{capital_cash} += $sign * $cash;
		$s->{accumulated_sold_value} += $sign * $cash;
		$s->{realised_gain} += $sign * scaled($p->{realised_gain}, CASH);
		return if !$held;
		$s->{$to}{ $p->{asset_id} } = $held;
		$s->{asset_value} -= $sign * $held->{value};
	},
	FundValued => sub {
		my ($s, $p, $sign, $event) = @_;

		return if !$event->{struck};
		$s->{price_end} = $event->{day_end};
		$s->{restruck} = 0;
		$s->{base_price} = scaled($p->{base_price}, PRICE);
		foreach my $asset (keys %{ $p->{values} })
		{
			my $value = scaled($p->{values}{$asset}, CASH);
			my $held = $s->{held}{$asset};
			# what was sold may come back, as if it had not been
			$s->{sold}{$asset}{value} = $value if $s->{sold}{$asset};
			next if !$held;
			$s->{asset_value} += $value - $held->{value};
			$held->{value} = $value;
		}
	},
	RoyaltyReceived => sub {
		my ($s, $p, $sign) = @_;
		my $cash = scaled($p->{amount}, CASH);
		my $mcp = $s->{held}{ $p->{asset_id} } // $s->{sold}{ $p->{asset_id} };

		$s->{$_} += $sign * $cash foreach qw(capital_cash royalty_income);
		$mcp->{royalties} += $sign * $cash if $mcp;
	},
	FeeAccrued => sub {
		my ($s, $p, $sign) = @_;
		my $cash = scaled($p->{amount}, CASH);

		$s->{$_} += $sign * $cash foreach qw(liabilities fee_expense);
		$s->{fee}{ $p->{kind} } += $sign * $cash;
	},
	FeePaid => sub {
		my ($s, $p, $sign) = @_;
		my $cash = scaled($p->{amount}, CASH);

		$s->{$_} -= $sign * $cash foreach qw(liabilities capital_cash);
		$s->{fee}{ $p->{kind} } -= $sign * $cash;
	},
	DistributionDeclared => sub {
		my ($s, $p, $sign) = @_;
		my $cash = scaled($p->{total}, CASH);

		$s->{$_} += $sign * $cash foreach qw(liabilities distributed);
		$s->{entitlements}{ $p->{distribution_id} } = $p->{entitlements};
		$s->{declared}{ $p->{distribution_id} } += $sign;
		$s->{paid}{ $p->{distribution_id} } += 0;
		$s->{base_price} = scaled($p->{base_price}, PRICE) if $sign > 0;
	},
	DistributionPaid => sub {
		my ($s, $p, $sign) = @_;
		my $cash = scaled($p->{total}, CASH);
		my $of = $s->{entitlements}{ $p->{distribution_id} };

		$s->{paid}{ $p->{distribution_id} } += $sign;
		$s->{$_} -= $sign * $cash foreach qw(liabilities capital_cash);
		investor_in($s, $_)->{distributions} += $sign * scaled($of->{$_}, CASH) foreach keys %$of;
	},
	ResidualSwept => sub {
		my ($s, $p, $sign) = @_;
		my $cash = scaled($p->{amount}, CASH);

		$s->{capital_cash} -= $sign * $cash;
		$s->{distributed} += $sign * $cash;
	},
	FundClosed => sub { $_[0]->{status} = 'closed' },
	(map { $_ => sub { } } qw(PriceLimitsSet PeriodClosed PeriodReopened TradingHalted TradingResumed IndexPublished)));

sub apply
{
	my ($s, $event) = @_;

	if ($event->{type} eq 'EventReversed')
	{
		my $what = $event->{what};
		$apply{ $what->{type} }->($s, $what->{payload}, -1);
		# a price without a distribution that is not
		$s->{base_price} = scaled($event->{payload}{base_price}, PRICE) if defined $event->{payload}{base_price};
		return;
	}
	my $do = $apply{ $event->{type} } or croak "type $event->{type} is unknown";
	$do->($s, $event->{payload}, 1, $event);
	return;
}

# The figures of a state as text, as the database has them.
sub figures
{
	my ($s) = @_;
	return join ' ', map { "$_=" . decimal($s->{$_}, $_ eq 'total_supply' ? UNITS : CASH) } @FIGURES, 'base_price';
}

# The same of a row of the database: fund_sheet and fund_state_at.
sub figures_query
{
	return join ' || \' \' || ', map { "'$_=' || trim_scale($_\::numeric)" } @FIGURES, 'base_price';
}

sub holding_figures
{
	my ($h) = @_;
	return join ' ', map { "$_=" . decimal($h->{$_}, $_ eq 'units' ? UNITS : CASH) } @HOLDING;
}

sub holding_query
{
	return join ' || \' \' || ', map { "'$_=' || trim_scale($_\::numeric)" } @HOLDING;
}

1;
