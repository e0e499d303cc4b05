# WAL and index bytes of a single append
#
# WAL: pg_current_wal_insert_lsn before and after appends, a transaction each,
# after a checkpoint, in a log of 10^5 events: with full_page_writes on, as the
# server is by default, then off, so that it is the records alone. (T14 is about
# what page images come to as the log grows.) Index bytes: what all indexes have
# grown by. Counts, not times: one run each.
#
# Beside the plain table also in a large log, where each stream has index pages of
# its own. There as many events are appended as fill a page of each stream: pages
# of streams that grow alike are split at about the same time.
# shellcheck shell=bash disable=SC2034,SC2154

small_appends=50000
large_appends=$((300 * streams))

index_bytes()
{
	query "$1" -c "select sum(pg_relation_size(oid)) from pg_class where relkind = 'i' and relnamespace::regnamespace::text not in ('pg_catalog', 'pg_toast', 'information_schema')"
}

# What one of so many appends takes: bytes of WAL and of indexes.
bytes_of_append()
{
	local db=$1 peer=$2 appends=$3 wal bytes

	bytes=$(index_bytes "$db")
	wal=$(wal_of_append "$db" "$peer" "$appends")
	echo "$wal $((($(index_bytes "$db") - bytes) / appends))"
}

measure()
{
	local peer
	local -A wal=() records=() large_records=() index=() large_index=()

	fresh fundes plain message_db emmett
	for peer in fundes plain message_db emmett; do
		has "$peer" || continue
		load_log "$peer" "${peer}_$database" 100000 "$streams"
		read -r "wal[$peer]" "index[$peer]" < <(bytes_of_append "${peer}_$database" "$peer" $small_appends)
	done
	alter_server 'set full_page_writes = off'
	for peer in fundes plain message_db emmett; do
		has "$peer" || continue
		read -r "records[$peer]" _ < <(bytes_of_append "${peer}_$database" "$peer" $small_appends)
	done
	drop_databases
	alter_server 'set synchronous_commit = off'
	fresh fundes plain
	for peer in fundes plain; do
		load_log "$peer" "${peer}_$database" "$large" "$streams"
		read -r "large_records[$peer]" "large_index[$peer]" < <(bytes_of_append "${peer}_$database" "$peer" $large_appends)
	done

	for peer in plain message_db emmett; do
		has "$peer" || continue
		result 'WAL of an append' bytes "${wal[fundes]}" "$peer" "${wal[$peer]}" \
			"$([[ $peer != plain ]] || echo '<= 0.75')"
		result 'its records alone' bytes "${records[fundes]}" "$peer" "${records[$peer]}" \
			"$([[ $peer != plain ]] || echo '<= 0.75')"
		result 'index of an append' bytes "${index[fundes]}" "$peer" "${index[$peer]}" \
			"$([[ $peer != plain ]] || echo '<= 0.45')"
	done
	result "records of an append, $large events" bytes "${large_records[fundes]}" plain "${large_records[plain]}" '<= 0.75'
	result "index of an append, $large events" bytes "${large_index[fundes]}" plain "${large_index[plain]}" '<= 0.45'
}
