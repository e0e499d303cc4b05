# Shell functions of bench/run and its cases.
#
# A case is a file of bench/cases/. Its first line says what it measures; its
# function measure() makes databases (fresh), runs what is compared in turns
# (race) and adds rows to the table (result).
#
# shellcheck shell=bash disable=SC2034,SC2154

rounds=7			# of each race: the median counts
seconds=3			# of each pgbench run
large=1000000		# events of a large log
medium=100000		# events of a middle-sized log, or of one that is folded
funds=1000
streams=1000
scale=quick

full()
{
	seconds=10
	large=10000000
	medium=1000000
	settings+=('shared_buffers = 8GB' 'maintenance_work_mem = 2GB')
	scale=full
}

# Of the server; lib.sh of scripts/ switches fsync off, which would be no
# measure. No checkpoint falls into a run; cases that are about checkpoints
# make them.
settings=('fsync = on' 'synchronous_commit = on' 'full_page_writes = on' 'jit = off'
	'shared_buffers = 2GB' 'max_wal_size = 16GB' 'checkpoint_timeout = 1h'
	'max_connections = 60' 'maintenance_work_mem = 256MB' 'autovacuum_naptime = 10s' "timezone = 'UTC'")

# The payload of all cases: an event McpPurchased of the source, 150 bytes of
# jsonb.
payload='{"fund_id": 42, "music_id": "S-000123456", "price_cash": 1250000, "copyright_code": "KOMCA-77", "registration_number": "R-0012345"}'

current=			# the case that runs
database=			# suffix of its databases
declare -A samples=()	# of the last race: what each printed, round by round
declare -A median=()	# of them
declare -A without=()	# peer: why it is not there

progress()
{
	printf '%s  %s\n' "$(date +%H:%M:%S)" "$*" >&2
}

case_of()
{
	local name=${1##*/}

	echo "${name%%-*}"
}

# -- databases ---------------------------------------------------------------

# psql on a database, stopping at the first error; prints bare values.
query()
{
	local db=$1

	shift
	client psql --no-psqlrc -qAtX --set=ON_ERROR_STOP=1 --dbname="$db" "$@"
}

# Each peer is set up once, in a database that those of the cases are copied from.
set_up_peers()
{
	progress 'setting up fundes and its peers'
	as_server mkdir "$workspace/bench"
	cp "$root"/bench/sql/* "$workspace/bench/"
	chmod -R a+rX "$workspace/bench"

	client createdb fundes
	query fundes -c 'create extension fundes'
	client createdb plain
	query plain -f bench/plain.sql
	if fetch_packages; then
		set_up message_db
		set_up emmett
	fi
}

set_up()
{
	local log=$workspace/$1.log

	if ! "set_up_$1" >"$log" 2>&1; then
		without[$1]="set-up failed: $(tail -n 1 "$log")"
		progress "without $1: ${without[$1]}"
	fi
}

# The packages are of others: they go into the workspace and with it.
fetch_packages()
{
	local log=$workspace/npm.log reason=

	mkdir "$workspace/npm"
	if ! command -v npm >/dev/null; then
		reason='npm is not installed'
	elif ! npm install --prefix "$workspace/npm" --no-audit --no-fund --no-save --loglevel=error \
		@eventide/message-db@1 @event-driven-io/emmett@0.42 \
		@event-driven-io/emmett-postgresql@0.42 pg@8 >"$log" 2>&1; then
		reason="npm install failed: $(sed -n '/./{p;q}' "$log")"
	fi
	if [[ -n $reason ]]; then
		without[message_db]=$reason
		without[emmett]=$reason
		progress "without message-db and Emmett: $reason"
		return 1
	fi
	cp "$root/bench/emmett.mjs" "$workspace/npm/"
	((EUID != 0)) || chown -R postgres: "$workspace/npm"
}

set_up_message_db()
{
	as_server env PGHOST="$workspace" PGUSER=postgres PATH="$bindir:$PATH" DATABASE_NAME=message_db \
		bash "$workspace/npm/node_modules/@eventide/message-db/database/install.sh"
}

set_up_emmett()
{
	client createdb emmett
	as_server node "$workspace/npm/emmett.mjs" "postgresql://postgres@localhost/emmett?host=$workspace"
}

has()
{
	[[ -z ${without[$1]:-} ]]
}

version_of()
{
	sed -n 's/^ *"version": *"\(.*\)".*/\1/p' "$workspace/npm/node_modules/$1/package.json"
}

# fresh PEER...: a copy of each peer's database for this case, named PEER_CASE.
fresh()
{
	local peer

	for peer in "$@"; do
		has "$peer" || continue
		client createdb -T "$peer" "${peer}_$database"
		[[ $peer != message_db ]] ||
			query postgres -c "alter database message_db_$database set search_path = message_store, public"
	done
}

drop_databases()
{
	local db

	while IFS= read -r db; do
		client dropdb --force "$db"
	done < <(query postgres -c "select datname from pg_database where datname like '%\_$database'")
}

# load_log PEER DATABASE COUNT STREAMS: so many events, dealt out to the streams.
load_log()
{
	query "$2" -v count="$3" -v streams="$4" -v payload="$payload" -o /dev/null -f "bench/load-$1.sql"
}

# For the rest of a case, as by ALTER SYSTEM.
alter_server()
{
	query postgres -c "alter system $1" -c 'select pg_reload_conf()' >/dev/null
}

# Ten events of each stream, so that no run meets a new one.
fill_streams()
{
	local peer

	for peer in "$@"; do
		! has "$peer" || query "${peer}_$database" -v streams="$streams" -v payload="$payload" \
			-f "bench/fill-$peer.sql"
	done
}

# -- measuring ---------------------------------------------------------------

# rate DATABASE SCRIPT CLIENTS [PGBENCH-ARGUMENT...]: transactions a second.
#
# Scripts are those of bench/sql/. The variable v of a script counts from a
# number that no other run uses.
rate()
{
	local db=$1 script=$2 clients=$3

	shift 3
	bench "$db" "$script" -c "$clients" -T "$seconds" "$@" | sed -n 's/^tps = \([0-9.]*\) .*/\1/p'
}

bench()
{
	local db=$1 script=$2

	shift 2
	client pgbench -n -M prepared -j 2 -f "bench/$script.sql" -D "payload=$payload" \
		-D "streams=$streams" -D "funds=$funds" -D "v=$(next_run)000000" "$@" "$db" 2>>"$workspace/pgbench.log"
}

# A number for each run, also for those of subshells at the same time.
next_run()
{
	local n

	(
		flock 9
		n=$(($(cat "$workspace/runs" 2>/dev/null || echo 0) + 1))
		echo "$n" >"$workspace/runs"
		echo "$n"
	) 9>"$workspace/runs.lock"
}

# wal_of_append DATABASE PEER APPENDS: bytes, over so many appends after a checkpoint.
wal_of_append()
{
	local db=$1 peer=$2 appends=$3 clients=8 before

	query "$db" -c checkpoint
	before=$(query "$db" -c 'select pg_current_wal_insert_lsn()')
	bench "$db" "append-$peer" -c "$clients" -t $((appends / clients)) >/dev/null
	query "$db" -c "select ((pg_current_wal_insert_lsn() - '$before') / $appends)::bigint"
}

# Milliseconds of a transaction with one client.
latency()
{
	rate "$1" "$2" 1 "${@:3}" | awk '{ printf "%.4f\n", 1000 / $1 }'
}

# Milliseconds that SQL statements take, each value printed by them ignored.
duration()
{
	local db=$1

	shift
	{
		echo 'select clock_timestamp() as began \gset'
		printf '%s\n' '\o /dev/null' "$@" '\o'
		# shellcheck disable=SC2016
		echo "select extract(epoch from clock_timestamp() - :'began') * 1000;"
	} | query "$db"
}

# race LABEL NAME COMMAND [NAME COMMAND]...: runs the commands in turns, as
# many rounds as are set, and notes the median of what each prints. A command
# is a line of shell; a NAME that is a missing peer is left out. Each second
# round goes backwards, so that none always comes after the same other.
race()
{
	local label=$1 round i name text=
	local -a names=()
	local -A command=()

	shift
	samples=()
	median=()
	while (($# > 0)); do
		if has "$1"; then
			names+=("$1")
			command[$1]=$2
		fi
		shift 2
	done
	for ((round = 0; round < rounds; round++)); do
		for ((i = 0; i < ${#names[@]}; i++)); do
			name=${names[round % 2 ? -1 - i : i]}
			samples[$name]+="$(eval "${command[$name]}") "
		done
	done
	for name in "${names[@]}"; do
		median[$name]=$(quantile 0.5 <<<"${samples[$name]}")
		text+=" $name ${median[$name]} ($(quantile 0 <<<"${samples[$name]}") .. $(quantile 1 <<<"${samples[$name]}"))"
		echo "$current $label: $name ${samples[$name]}" >>"$workspace/samples"
	done
	progress "$current $label:$text"
}

# Of the numbers that it reads, the one below which there is a part of the others.
quantile()
{
	tr -s ' ' '\n' | grep . | sort -g | awk -v part="$1" '{ v[NR] = $1 } END { print v[1 + int(part * (NR - 1) + 0.5)] }'
}

# What one reached in each round of the last race, by what another one did.
ratios()
{
	paste <(tr -s ' ' '\n' <<<"${samples[$1]}") <(tr -s ' ' '\n' <<<"${samples[$2]}") |
		awk '$2 > 0 { printf "%.6f ", $1 / $2 }'
}

# -- results -----------------------------------------------------------------

# result WHAT UNIT FUNDES PEER VALUE [TARGET [RATIO FROM TO]]: a row of the
# table: what fundes reached, what the peer reached, their ratio, and the ratio
# that is wanted (">= 1.5", "<= 1.2").
result()
{
	awk -v c="$current" -v what="$1" -v unit="$2" -v ours="$3" -v peer="$4" -v theirs="$5" \
		-v target="${6:-}" -v ratio="${7:-}" -v from="${8:-}" -v to="${9:-}" 'BEGIN {
		if (ratio == "")
			ratio = theirs > 0 ? ours / theirs : 0
		split(target, t, " ")
		verdict = target == "" ? "" : \
			(t[1] == ">=" ? ratio >= t[2] : ratio <= t[2]) ? "met" : "NOT MET"
		printf "%s|%s|%s|%s|%s|%s|%s|%s|%s\n", c, what, unit, show(ours), \
			peer " " show(theirs), show(ratio), from == "" ? "" : show(from) " .. " show(to), target, verdict
	}
	function show(x) {
		return x >= 1000 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.3g", x)
	}' | tee -a "$workspace/rows" | sed 's/|/  /g; s/^/          /' >&2
}

# against WHAT UNIT NAME PEER [TARGET [LABEL]]: a row about two of the last race:
# the median of their ratios in each round, which knows nothing of how the
# machine's speed changes between rounds, and where the middle half of them is.
# Skipped where the peer is not there.
against()
{
	local what=$1 unit=$2 name=$3 peer=$4 target=${5:-} label=${6:-$4} all

	if ! has "$peer"; then
		skip "$what, beside $label" "${without[$peer]}"
		return
	fi
	all=$(ratios "$name" "$peer")
	result "$what" "$unit" "${median[$name]}" "$label" "${median[$peer]}" "$target" \
		"$(quantile 0.5 <<<"$all")" "$(quantile 0.25 <<<"$all")" "$(quantile 0.75 <<<"$all")"
}

# The larger of the medians of some peers, by name.
fastest()
{
	local peer best=

	for peer in "$@"; do
		has "$peer" || continue
		if [[ -z $best ]] || awk "BEGIN { exit !(${median[$peer]} > ${median[$best]}) }"; then
			best=$peer
		fi
	done
	echo "${best:-$1}"
}

skip()
{
	printf '%s|%s|||||||skipped: %s\n' "$current" "$1" "$2" | tee -a "$workspace/rows" >&2
}

# A failure of one case leaves the others alone. In a subshell of its own, or
# its errors would be ignored.
run_case()
{
	local status=0

	current=$(case_of "$1")
	database=${current,,}
	progress "$current  $(sed -n '1s/^# //p' "$1")"
	set +e
	(
		set -e
		# shellcheck disable=SC1090
		source "$1"
		measure
	)
	status=$?
	set -e
	((status < 128)) || exit "$status"
	if ((status != 0)); then
		skip 'the case' "it failed, see above"
		[[ ! -e $workspace/pgbench.log ]] || tail -n 3 "$workspace/pgbench.log" >&2
	fi
	drop_databases
	alter_server 'reset all'
}

report()
{
	local file
	file=$root/bench/results/$(date +%Y-%m-%d-%H%M%S).txt

	mkdir -p "${file%/*}"
	{
		echo "fundes $(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown), $(date -u +'%F %H:%M') UTC, bench/run, $scale"
		"$bindir/postgres" --version
		has message_db && echo "message-db $(version_of @eventide/message-db)"
		has emmett && echo "Emmett $(version_of @event-driven-io/emmett-postgresql)"
		echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
		echo "$rounds rounds, pgbench runs of $seconds s; ${settings[*]}"
		echo
		{
			echo 'case|what|unit|fundes|peer|ratio|middle half|target|met?'
			echo '---|---|---|---|---|---|---|---|---'
			cat "$workspace/rows"
		} | column -t -s '|' -o ' | ' | sed 's/^/| /; s/$/ |/'
		if [[ -e $workspace/samples ]]; then
			printf '\nsamples\n'
			cat "$workspace/samples"
		fi
	} >"$file"
	echo
	sed '/^samples$/,$d' "$file"
	echo "written to ${file#"$root"/}"
}
