# WAL of an append after a checkpoint, in logs of 10^5 and 10^7 events
#
# (10^6 in the quick form.) Ids made by fundes; full_page_writes on. A
# checkpoint, then 50,000 appends: the images of the pages that they touch first
# are counted in. The plain table has an index over random ids. Once more
# with wal_compression, which makes the images smaller. Counts, not times: one
# run each.
# shellcheck shell=bash disable=SC2034,SC2154

appends=50000
writers=8

wal_of_appends()
{
	local db=$1 script=$2 before

	query "$db" -c checkpoint
	before=$(query "$db" -c "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
	bench "$db" "$script" -c $writers -t $((appends / writers)) >/dev/null
	query "$db" -c "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn - $before)::bigint / $appends"
}

# Both logs of both peers, with the server's wal_compression off, as it is by
# default, or on.
count_all()
{
	local compression=$1 peer

	query postgres -c "alter system set wal_compression = $compression" -c 'select pg_reload_conf()' >/dev/null
	for peer in fundes plain; do
		wal[$peer]=$(wal_of_appends "${peer}_$database" "append-$peer")
		wal[large_$peer]=$(wal_of_appends "large_${peer}_$database" "append-$peer")
	done
}

measure()
{
	local peer
	local -A wal=()

	for peer in fundes plain; do
		fresh "$peer"
		client createdb -T "$peer" "large_${peer}_$database"
		query "${peer}_$database" -v count=100000 -v streams="$streams" -v payload="$payload" -o /dev/null -f "bench/load-$peer.sql"
		query "large_${peer}_$database" -v count="$large" -v streams="$streams" -v payload="$payload" -o /dev/null -f "bench/load-$peer.sql"
	done
	count_all off
	result "WAL after a checkpoint, $large events" bytes "${wal[large_fundes]}" 'at 100000' "${wal[fundes]}" '<= 1.1'
	result "WAL after a checkpoint, $large events" bytes "${wal[large_fundes]}" plain "${wal[large_plain]}"
	result 'WAL after a checkpoint, 100000 events' bytes "${wal[fundes]}" plain "${wal[plain]}"
	count_all on
	result "with wal_compression, $large events" bytes "${wal[large_fundes]}" 'at 100000' "${wal[fundes]}"
	result "with wal_compression, $large events" bytes "${wal[large_fundes]}" plain "${wal[large_plain]}"
	query postgres -c 'alter system reset wal_compression' -c 'select pg_reload_conf()' >/dev/null
}
