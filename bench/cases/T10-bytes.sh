# WAL and index bytes of a single append
#
# WAL: pg_current_wal_insert_lsn before and after appends, a transaction each,
# with full_page_writes off, so that it is the records alone (T14 is about page
# images). Index bytes: what all indexes have grown by. Counts, not times: one
# run each.
#
# In a small log and, beside the plain table, in a large one, where each stream
# has index pages of its own. There as many events are appended as fill a page of
# each stream: pages of streams that grow alike are split at about the same time.
# shellcheck shell=bash disable=SC2034,SC2154

small_appends=40000
large_appends=$((300 * streams))

index_bytes()
{
	query "$1" -c "select sum(pg_relation_size(oid)) from pg_class where relkind = 'i' and relnamespace::regnamespace::text not in ('pg_catalog', 'pg_toast', 'information_schema')"
}

wal_position()
{
	query "$1" -c "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
}

# What one of so many appends takes: bytes of WAL and of indexes.
bytes_of_append()
{
	local db=$1 peer=$2 appends=$3 clients=$4 wal bytes

	query "$db" -c checkpoint
	bytes=$(index_bytes "$db")
	wal=$(wal_position "$db")
	bench "$db" "append-$peer" -c "$clients" -t $((appends / clients)) >/dev/null
	echo "$((($(wal_position "$db") - wal) / appends)) $((($(index_bytes "$db") - bytes) / appends))"
}

measure()
{
	local peer
	local -A small_wal=() small_index=() large_wal=() large_index=()

	query postgres -c 'alter system set full_page_writes = off' -c 'select pg_reload_conf()' >/dev/null
	fresh fundes plain message_db emmett
	fill_streams fundes plain message_db emmett
	for peer in fundes plain message_db emmett; do
		has "$peer" || continue
		read -r "small_wal[$peer]" "small_index[$peer]" < <(bytes_of_append "${peer}_$database" "$peer" $small_appends 1)
	done
	drop_databases
	query postgres -c 'alter system set synchronous_commit = off' -c 'select pg_reload_conf()' >/dev/null
	fresh fundes plain
	for peer in fundes plain; do
		query "${peer}_$database" -v count="$large" -v streams="$streams" -v payload="$payload" -o /dev/null -f "bench/load-$peer.sql"
		read -r "large_wal[$peer]" "large_index[$peer]" < <(bytes_of_append "${peer}_$database" "$peer" $large_appends 8)
	done
	query postgres -c 'alter system reset full_page_writes' -c 'alter system reset synchronous_commit' -c 'select pg_reload_conf()' >/dev/null

	for peer in plain message_db emmett; do
		has "$peer" || continue
		result 'WAL of an append' bytes "${small_wal[fundes]}" "$peer" "${small_wal[$peer]}" \
			"$([[ $peer != plain ]] || echo '<= 0.75')"
		result 'index of an append' bytes "${small_index[fundes]}" "$peer" "${small_index[$peer]}" \
			"$([[ $peer != plain ]] || echo '<= 0.45')"
	done
	result "WAL of an append, $large events" bytes "${large_wal[fundes]}" plain "${large_wal[plain]}" '<= 0.75'
	result "index of an append, $large events" bytes "${large_index[fundes]}" plain "${large_index[plain]}" '<= 0.45'
}
