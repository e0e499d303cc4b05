# The memory of a backend stays as it is over many appends, fund events and
# commands among them, whatever it remembers; and appends go the way that the
# setting says.
#
# FUNDES_APPENDS is how many appends are made, 60,000 unless it is set. A million
# takes some minutes.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $appends = $ENV{FUNDES_APPENDS} || 60_000;
my $node = PostgreSQL::Test::Cluster->new('memory');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nsynchronous_commit = off\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', <<'SQL');
create extension fundes;
select fundes.append_batch(array(select 's-' || n from generate_series(1, 15000) n),
	array_fill('X'::text, array[15000]), array_fill('{"n": 1}'::jsonb, array[15000]));
select fundes.create_investor('i' || n, 'Investor') from generate_series(1, 100) n;
select fundes.create_fund('Fund ' || n, effective_at => now() - interval '10 days') from generate_series(1, 20) n;
select fundes.create_investment('i1', n, 1000000000000, effective_at => now() - interval '9 days') from generate_series(1, 20) n;

-- a transaction each, over more streams than a backend remembers, some of them
-- new, some of them taken back
create sequence asset;
create procedure appends(n bigint) language plpgsql as $$
begin
	for i in 1 .. n loop
		perform fundes.append('s-' || i % 15000 * 7919 % 15000, 'X', '{"n": 1}');
		if i % 50 = 0 then
			begin
				perform fundes.append('t-' || i, 'X', '{"n": 1}', event_id => gen_random_uuid());
				perform from fundes.read_stream('t-' || i);
				if i % 25000 = 0 then
					raise exception using errcode = 'P0999';
				end if;
			exception when sqlstate 'P0999' then null;
			end;
		end if;
		if i % 10 = 0 then
			perform from fundes.create_investment('i' || 1 + i / 10 % 100, 1 + i / 10 % 20, 5000);
			perform fundes.append('fund-' || 1 + i / 10 % 20, 'McpPurchased', jsonb_build_object('fund_id', 1 + i / 10 % 20,
				'asset_id', nextval('asset'), 'copyright_code', 'K' || currval('asset'), 'registration_number', 'R', 'music_id', 'S',
				'price_cash', 1000, 'estimated_value_cash', null, 'acquisition_date', '2026-01-31'));
			perform fundes.record_royalty(1 + i / 10 % 20, currval('asset'), 10);
		end if;
		if i % 10000 = 0 then
			perform from fundes.update_mcp_asset_value(1 + i / 10000 % 20, effective_at => clock_timestamp());
			perform fundes.fund_nav(1, now() - interval '1 hour');
		end if;
		if i % 500 = 0 then
			perform from fundes.append_batch(array['s-1', 's-2', 't-' || i], array['X', 'X', 'X'],
				array['{}', '{}', '{}']::jsonb[]);
			perform from fundes.read_all((select last_value - 100 from fundes.event_position), 50);
		end if;
		if i % 999 = 0 then
			perform fundes.define_event_type('X', null);
		end if;
		commit;
	end loop;
end
$$;
create function memory() returns bigint language sql as $$
	select sum(total_bytes)::bigint from pg_backend_memory_contexts
$$;
SQL

my ($first, $then) = (20_000, $appends - 20_000);
my @memory = split /\n/, $node->safe_psql('postgres', <<"SQL");
call appends($first);
select memory();
call appends($then);
select memory();
select pg_size_pretty(sum(total_bytes)) from pg_backend_memory_contexts where name like 'fundes%';
SQL
note "after $first appends $memory[0] bytes, after $appends $memory[1], fundes' own $memory[2]";
cmp_ok($memory[1] - $memory[0], '<', 2 * 1024 * 1024, 'memory is flat over many appends');
is($node->safe_psql('postgres', q{select count(*) from (select stream_id, version, row_number() over (partition by stream_id order by version) n from fundes.event) e where version <> n}),
	0, 'and the streams have no holes');
is($node->safe_psql('postgres', 'select count(*) from fundes.verify_projections()'), 0, 'nor do the projections');

# The statements that a backend keeps are among its memory contexts.
my $inserts = q{select count(*) from pg_backend_memory_contexts where ident like 'insert into fundes.event (%'};
my $append = q{select fundes.append('s-1', 'X', '{}')};
$node->append_conf('postgresql.conf', 'fundes.direct_insert = on');
$node->reload;
like($node->safe_psql('postgres', "$append; $inserts"), qr/^0$/m, 'an append runs no statement');
like($node->safe_psql('postgres', "set fundes.direct_insert = off; $append; $inserts"), qr/^[1-9]$/m,
	'but does where it is told to');
like($node->safe_psql('postgres', "select fundes.create_fund('x'); $inserts"), qr/^0$/m, 'nor does a command');
like($node->safe_psql('postgres', "begin; $append; $append; rollback; $append; $inserts"), qr/^0$/m, 'nor one after another');

$node->stop;
done_testing();
