# read_stream of 100 events in a log of 10^7
#
# (10^6 in the quick form.) Each stream has 100 events, which lie apart from
# each other in the log. The logs of the peers are loaded straight into their
# tables, with the rows that their functions write. What a store reads is brought
# into shared_buffers before its turn: the disk is not what is compared, nor which
# of the logs was loaded last. Emmett's own query has neither of the two moments
# of an event: beside it also read_stream without them.
# shellcheck shell=bash disable=SC2034,SC2154

# warm_read PEER [SCRIPT]
warm_read()
{
	query "$1_$database" -o /dev/null -c "select pg_prewarm(oid) from pg_class
		where relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
		  and (relkind = 'r' or relkind = 'i' and pg_get_indexdef(oid) ~ '[(]stream')"
	latency "$1_$database" "${2:-read-$1}" -D streams="$many"
}

measure()
{
	local many=$((large / 100)) peer

	fresh fundes plain message_db emmett
	for peer in fundes plain message_db emmett; do
		has "$peer" || continue
		progress "$current loading $large events into $peer"
		load_log "$peer" "${peer}_$database" "$large" "$many"
		query "${peer}_$database" -c 'create extension pg_prewarm'
	done
	race 'read 100 of a stream' \
		fundes 'warm_read fundes' few 'warm_read fundes read-few' plain 'warm_read plain' \
		message_db 'warm_read message_db' emmett 'warm_read emmett'
	against "read_stream of 100 in $large" ms fundes plain '<= 1.2'
	against "read_stream of 100 in $large" ms fundes message_db '<= 1.0'
	against "read_stream of 100 in $large" ms fundes emmett '<= 1.0'
	against "the columns that Emmett gives" ms few emmett '<= 1.0'
}
