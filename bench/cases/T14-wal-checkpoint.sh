# WAL of an append after a checkpoint, in logs of 10^5 and 10^7 events
#
# (10^6 in the quick form.) Ids made by fundes; full_page_writes on. A
# checkpoint, then 50,000 appends: the images of the pages that they touch first
# are counted in. The plain table has an index over random ids. Once more
# with wal_compression, which makes the images smaller. Counts, not times: one
# run each.
# shellcheck shell=bash disable=SC2034,SC2154

appends=50000

# Both logs of both peers, with the server's wal_compression off, as it is by
# default, or on.
count_all()
{
	local compression=$1 peer

	alter_server "set wal_compression = $compression"
	for peer in fundes plain; do
		wal[$peer]=$(wal_of_append "${peer}_$database" "$peer" $appends)
		wal[large_$peer]=$(wal_of_append "large_${peer}_$database" "$peer" $appends)
	done
}

measure()
{
	local peer
	local -A wal=()

	for peer in fundes plain; do
		fresh "$peer"
		client createdb -T "$peer" "large_${peer}_$database"
		load_log "$peer" "${peer}_$database" 100000 "$streams"
		load_log "$peer" "large_${peer}_$database" "$large" "$streams"
	done
	count_all off
	result "WAL after a checkpoint, $large events" bytes "${wal[large_fundes]}" 'at 100000' "${wal[fundes]}" '<= 1.1'
	result "WAL after a checkpoint, $large events" bytes "${wal[large_fundes]}" plain "${wal[large_plain]}"
	result 'WAL after a checkpoint, 100000 events' bytes "${wal[fundes]}" plain "${wal[plain]}"
	count_all on
	result "with wal_compression, $large events" bytes "${wal[large_fundes]}" 'at 100000' "${wal[fundes]}"
	result "with wal_compression, $large events" bytes "${wal[large_fundes]}" plain "${wal[large_plain]}"
}
