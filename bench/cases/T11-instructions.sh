# instructions of an append in logs of 10^4 and 10^7 events, and of other calls
#
# (10^6 in the quick form; and the powers of ten between.) Counted by callgrind in
# a backend that pgbench drives with prepared statements, as T01, T04, T05 and T06
# are: the difference of a session with twice the calls and one with the calls.
# The backend goes round 100 streams; "not seen" is in a session that meets 1,000.
# Needs valgrind. Where PROFILES names a folder, the profiles are left there: look
# at them with callgrind_annotate --inclusive=yes.
# shellcheck shell=bash disable=SC2034,SC2154

calls=300
counting=		# process of the counting server

# All backends of this server are counted, each in a file of its own.
start_counting()
{
	local i

	as_server "$bindir/pg_ctl" -D "$workspace/data" -m fast -w stop >/dev/null
	as_server valgrind --tool=callgrind --trace-children=yes \
		--callgrind-out-file="$workspace/callgrind.%p" "$bindir/postgres" -D "$workspace/data" \
		-c autovacuum=off -c log_disconnections=on -c log_line_prefix='%p %a ' \
		>"$workspace/callgrind.log" 2>&1 &
	counting=$!
	for ((i = 0; i < 120; i++)); do
		! client pg_isready -q || return 0
		sleep 1
	done
	echo 'the server does not start in callgrind' >&2
	return 1
}

# A file is complete when its process has ended.
stop_counting()
{
	as_server "$bindir/pg_ctl" -D "$workspace/data" -m fast -w -t 120 stop >/dev/null
	wait "$counting"
	as_server "$bindir/pg_ctl" -D "$workspace/data" -l "$workspace/server.log" -w start >/dev/null
}

# count NAME DATABASE SCRIPT [PGBENCH-ARGUMENT...]
count()
{
	local name=$1 db=$2 script=$3 times

	shift 3
	for times in 1 2; do
		bench "dbname=$db application_name=$name.$times" "$script" -c 1 -t $((times * calls)) "$@" >/dev/null
	done
}

# Of one call of what was counted under a name.
instructions()
{
	local times pid total previous=0

	for times in 1 2; do
		pid=$(sed -n "s/^\([0-9]*\) $1\.$times LOG:  disconnection.*/\1/p" "$workspace/callgrind.log" | tail -n 1)
		total=$(sed -n 's/^summary: *//p' "$workspace/callgrind.$pid")
		[[ -z ${PROFILES:-} ]] || cp "$workspace/callgrind.$pid" "$PROFILES/$1.$times"
		if ((times == 2)); then
			echo $(((total - previous) / calls))
		fi
		previous=$total
	done
}

# The fund that all have paid into is left without the versions of its row that this
# has made: a call that walks past them would count for many.
set_up_databases()
{
	local size

	fresh fundes plain
	fill_streams plain
	for ((size = 10000; size <= large; size *= 10)); do
		client createdb -T fundes "log${size}_$database"
		load_log fundes "log${size}_$database" "$size" "$streams"
	done
	query "fundes_$database" -v funds="$funds" -f bench/funds.sql -f bench/investors.sql
	query "fundes_$database" -o /dev/null -c "select count(fundes.create_investment('i' || n, 1, 5000)) from generate_series(1, 10000) n" -c 'vacuum analyze'
	client createdb -T "fundes_$database" "plpgsql_$database"
	query "plpgsql_$database" -f bench/plpgsql.sql
	client createdb -T plain "trigger_$database"
	query "trigger_$database" -v funds="$funds" -f bench/plain-trigger.sql
}

measure()
{
	local size small

	if ! command -v valgrind >/dev/null; then
		skip 'instructions of an append' 'valgrind is not installed'
		return
	fi
	[[ -z ${PROFILES:-} ]] || mkdir -p "$PROFILES"
	set_up_databases
	start_counting
	for ((size = 10000; size <= large; size *= 10)); do
		count "append-$size" "log${size}_$database" append-fundes -D streams=100
	done
	count first "log${large}_$database" append-fundes
	count plain "plain_$database" append-plain
	count fund-event "fundes_$database" fund-event-fundes
	count trigger "trigger_$database" fund-event-plain
	count pay-in "fundes_$database" pay-in-fundes
	count purchase "fundes_$database" purchase-fundes
	count plpgsql "plpgsql_$database" purchase-plpgsql
	stop_counting

	small=$(instructions append-10000)
	for ((size = 100000; size < large; size *= 10)); do
		result "append at $size" instructions "$(instructions append-$size)" 'at 10000' "$small"
	done
	result "append at $large" instructions "$(instructions "append-$large")" 'at 10000' "$small" '<= 1.15'
	result 'append at 10000' instructions "$small" plain "$(instructions plain)"
	result "append at $large, streams not seen" instructions "$(instructions first)" 'at 10000, seen' "$small"
	result 'fund event by append' instructions "$(instructions fund-event)" 'plain with trigger' "$(instructions trigger)"
	result 'create_investment' instructions "$(instructions pay-in)" 'plain with trigger' "$(instructions trigger)"
	result 'purchase_mcp' instructions "$(instructions purchase)" plpgsql "$(instructions plpgsql)"
}
