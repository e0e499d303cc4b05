# One psql that stays connected: each statement's rows and SQLSTATE.

package Session;

use strict;
use warnings FATAL => 'all';

use IO::Handle;
use IPC::Open3;

my $count = 0;

sub new
{
	my ($class, $node, $dbname) = @_;
	my $self = bless { errors => $node->basedir . "/session-$$-" . ++$count }, $class;

	open my $errors, '>', $self->{errors} or die "$self->{errors}: $!";
	$self->{pid} = open3($self->{in}, $self->{out}, '>&' . fileno $errors, 'psql', '-XAtq', '-d', $node->connstr($dbname // 'postgres'));
	$self->{in}->autoflush;
	return $self;
}

# (SQLSTATE, message, rows) of one statement
sub try
{
	my ($self, $sql) = @_;
	my @rows;
	my $failed;

	local $SIG{PIPE} = 'IGNORE';
	print { $self->{in} } "$sql\n;\n\\echo :SQLSTATE :LAST_ERROR_MESSAGE\n\\echo end of answer\n";
	while (defined(my $line = readline $self->{out}))
	{
		chomp $line;
		if ($line eq 'end of answer')
		{
			my ($state, $message) = split / /, pop @rows, 2;
			return ($state, $message, @rows);
		}
		push @rows, $line;
	}
	return ('gone', '');
}

# What a statement that is refused says besides.
sub detail
{
	my ($self, $sql) = @_;
	my ($state) = $self->try($sql =~ s/^select /do \$do\$ declare d text; begin perform /r . q{;
		exception when others then get stacked diagnostics d = pg_exception_detail; perform set_config('session.detail', d, false); end $do$});
	return ($self->try("select current_setting('session.detail', true)"))[2];
}

# The rows of a statement that must not fail.
sub rows
{
	my ($self, $sql) = @_;
	my ($state, $message, @rows) = $self->try($sql);

	die "$state $message: $sql" if $state ne '00000';
	return @rows;
}

sub value
{
	my ($self, $sql) = @_;
	return ($self->rows($sql))[0];
}

sub close
{
	my ($self) = @_;

	close $self->{in};
	waitpid $self->{pid}, 0;
	return $? >> 8;
}

1;
