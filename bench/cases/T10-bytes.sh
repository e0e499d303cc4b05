# WAL and index bytes of a single append
#
# WAL: pg_current_wal_insert_lsn before and after appends of one client, a
# transaction each, with full_page_writes off, so that it is the records alone
# (T14 is about page images). Index bytes: what all indexes have grown by.
# Counts, not times: one run each.
# shellcheck shell=bash disable=SC2034,SC2154

appends=20000

index_bytes()
{
	query "$1" -c "select sum(pg_relation_size(oid)) from pg_class where relkind = 'i' and relnamespace::regnamespace::text not in ('pg_catalog', 'pg_toast', 'information_schema')"
}

wal_position()
{
	query "$1" -c "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
}

measure()
{
	local peer db wal bytes
	local -A wal_of=() index_of=()

	fresh fundes plain message_db emmett
	fill_streams fundes plain message_db emmett
	query postgres -c 'alter system set full_page_writes = off' -c 'select pg_reload_conf()' >/dev/null
	for peer in fundes plain message_db emmett; do
		has "$peer" || continue
		db=${peer}_$database
		query "$db" -c checkpoint
		bytes=$(index_bytes "$db")
		wal=$(wal_position "$db")
		bench "$db" "append-$peer" -c 1 -t $appends >/dev/null
		wal_of[$peer]=$((($(wal_position "$db") - wal) / appends))
		bench "$db" "append-$peer" -c 1 -t $appends >/dev/null
		index_of[$peer]=$((($(index_bytes "$db") - bytes) / appends / 2))
	done
	query postgres -c 'alter system reset full_page_writes' -c 'select pg_reload_conf()' >/dev/null
	for peer in plain message_db emmett; do
		has "$peer" || continue
		result 'WAL of an append' bytes "${wal_of[fundes]}" "$peer" "${wal_of[$peer]}" \
			"$([[ $peer != plain ]] || echo '<= 0.75')"
		result 'index of an append' bytes "${index_of[fundes]}" "$peer" "${index_of[$peer]}" \
			"$([[ $peer != plain ]] || echo '<= 0.45')"
	done
}
