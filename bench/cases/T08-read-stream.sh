# read_stream of 100 events in a log of 10^7
#
# (10^6 in the quick form.) Each stream has 100 events, which lie apart from
# each other in the log. The logs of the peers are loaded straight into their
# tables, with the rows that their functions write.
# shellcheck shell=bash disable=SC2034,SC2154

measure()
{
	local many=$((large / 100)) peer

	fresh fundes plain message_db emmett
	for peer in fundes plain message_db emmett; do
		has "$peer" || continue
		progress "$current loading $large events into $peer"
		query "${peer}_$database" -v count="$large" -v streams=$many -v payload="$payload" -o /dev/null -f "bench/load-$peer.sql"
	done
	race 'read 100 of a stream' \
		fundes "latency fundes_$database read-fundes -D streams=$many" \
		plain "latency plain_$database read-plain -D streams=$many" \
		message_db "latency message_db_$database read-message_db -D streams=$many" \
		emmett "latency emmett_$database read-emmett -D streams=$many"
	against "read_stream of 100 in $large" ms fundes plain '<= 1.2'
	against "read_stream of 100 in $large" ms fundes message_db '<= 1.0'
	against "read_stream of 100 in $large" ms fundes emmett '<= 1.0'
}
