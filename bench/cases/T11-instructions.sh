# instructions of an append in logs of 10^4 and 10^7 events
#
# (10^6 in the quick form; and the powers of ten between.) Counted by callgrind in a server of one process
# (postgres --single): the difference of a run with twice the calls and a run
# with the calls. The backend goes round 100 streams; "first" is an append to a
# stream that it has not seen. Also a plain INSERT, a fund event and a purchase,
# each of a stream or fund that the backend has not seen. Needs
# valgrind. Where PROFILES names a folder, the profiles are left there: look at
# them with callgrind_annotate --inclusive=yes.
# shellcheck shell=bash disable=SC2034,SC2154

calls=300

# statements WHAT N FIRST: the calls, a line each, as postgres --single reads them.
statements()
{
	case $1 in
		append | first) echo "prepare a (text, bigint) as select * from fundes.append('s' || \$1 || '-1', 'CopyrightBought', '$payload')" ;;
		plain) echo "prepare a (text, bigint) as insert into event (stream, version, type, payload) values ('s' || \$1 || '-1', \$2, 'CopyrightBought', '$payload')" ;;
		fund) echo "prepare a (text, bigint) as select * from fundes.append('fund-' || \$1, 'McpPurchased', ('{\"fund_id\": ' || \$1 || ', \"asset_id\": ' || \$2 || ', \"copyright_code\": \"K' || \$2 || '\", \"registration_number\": \"R-0012345\", \"music_id\": \"S-000123456\", \"price_cash\": 1000, \"estimated_value_cash\": null, \"acquisition_date\": \"2026-01-31\"}')::jsonb)" ;;
		purchase) echo "prepare a (text, bigint) as select fundes.purchase_mcp(\$1::bigint, 'P' || \$2, 'R-0012345', 'S-000123456', 1000)" ;;
	esac
	awk -v n="$2" -v first="$3" -v streams="$([[ $1 == append ]] && echo 100 || echo "$streams")" 'BEGIN {
		for (i = 0; i < n; i++) printf "execute a (%c%d%c, %d)\n", 39, 1 + (i * 7919) % streams, 39, first + i
	}'
}

# instructions DATABASE WHAT: of one call.
instructions()
{
	local db=$1 what=$2 times total previous=0 profile

	profile=$workspace/callgrind.$db.$what
	for times in 1 2; do
		statements "$what" $((times * calls)) $((times * 100000000)) >"$workspace/single.sql"
		as_server valgrind --tool=callgrind --callgrind-out-file="$profile" \
			"$bindir/postgres" --single -D "$workspace/data" "$db" \
			<"$workspace/single.sql" >"$workspace/single.log" 2>&1
		if grep -m 1 ERROR "$workspace/single.log" >&2; then
			return 1
		fi
		total=$(sed -n 's/^summary: *//p' "$profile")
		if ((times == 2)); then
			echo $(((total - previous) / calls))
		fi
		previous=$total
	done
	[[ -z ${PROFILES:-} ]] || cp "$profile" "$PROFILES/"
}

measure()
{
	local size small first plain fund purchase
	local -A appended=()

	if ! command -v valgrind >/dev/null; then
		skip 'instructions of an append' 'valgrind is not installed'
		return
	fi
	fresh fundes plain
	fill_streams plain
	for ((size = 10000; size <= large; size *= 10)); do
		client createdb -T fundes "log${size}_$database"
		query "log${size}_$database" -v count="$size" -v streams="$streams" -v payload="$payload" -o /dev/null -f bench/load-fundes.sql
	done
	query "fundes_$database" -v funds="$streams" -f bench/funds.sql
	as_server "$bindir/pg_ctl" -D "$workspace/data" -m fast -w stop >/dev/null
	for ((size = 10000; size <= large; size *= 10)); do
		appended[$size]=$(instructions "log${size}_$database" append)
	done
	first=$(instructions "log${large}_$database" first)
	plain=$(instructions "plain_$database" plain)
	fund=$(instructions "fundes_$database" fund)
	purchase=$(instructions "fundes_$database" purchase)
	as_server "$bindir/pg_ctl" -D "$workspace/data" -l "$workspace/server.log" -w start >/dev/null
	small=${appended[10000]}
	for ((size = 100000; size < large; size *= 10)); do
		result "append at $size" instructions "${appended[$size]}" 'at 10000' "$small"
	done
	result "append at $large" instructions "${appended[$large]}" 'at 10000' "$small" '<= 1.15'
	result 'append at 10000' instructions "$small" plain "$plain"
	result "append at $large, stream not seen" instructions "$first" 'at 10000, seen' "$small"
	result 'fund event by append' instructions "$fund" plain "$plain"
	result 'purchase_mcp' instructions "$purchase" plain "$plain"
}
