# fund_nav at a random past moment, ten years of a fund with 10^4 and 10^7 events
#
# (The quick form has 10^4 and 10^6.) There is a valuation a day. Of two of the
# funds one event of fifty came a hundred days late. "known" asks for what was
# known at a random moment of the loading, too. Beside it compute_fund_value now.
# What the questions read is in shared_buffers: the disk is not what is compared.
# shellcheck shell=bash disable=SC2034,SC2154

measure()
{
	local f first last
	local -a sizes=(10000 "$large")

	fresh fundes
	query "fundes_$database" -o /dev/null -c "select fundes.create_investor('seed', 'Seed')"
	for f in 1 2 3 4; do
		query "fundes_$database" -o /dev/null -v f=$f -v count="${sizes[($f - 1) % 2]}" \
			-v late_one_in=$((f > 2 ? 50 : 0)) -f bench/load-history.sql
	done
	query "fundes_$database" -c 'vacuum analyze' -c checkpoint -c 'create extension pg_prewarm'
	query "fundes_$database" -o /dev/null -c "select pg_prewarm(oid, 'buffer') from pg_class where relnamespace = 'fundes'::regnamespace and relkind in ('r', 'i') and relname !~ '^event'"
	read -r first last < <(query "fundes_$database" -F ' ' -c "select extract(epoch from min(recorded_at)), extract(epoch from max(recorded_at)) from fundes.fund_entry where fund_id = 2")
	race 'a past moment' \
		now "latency fundes_$database value-fundes -D f=2" \
		small "latency fundes_$database nav-at -D f=1" \
		large "latency fundes_$database nav-at -D f=2" \
		known "latency fundes_$database nav-known -D f=2 -D first=$first -D last=$last" \
		small_late "latency fundes_$database nav-at -D f=3" \
		large_late "latency fundes_$database nav-at -D f=4"
	against "fund_nav then, ${sizes[1]} events" ms large now '<= 5' 'compute_fund_value now'
	against "fund_nav then, ${sizes[1]} events" ms large small '<= 1.5' 'at 10000 events'
	against "fund_nav then, as known then" ms known now '<= 5' 'compute_fund_value now'
	against "the same, 2 % late" ms large_late now '<= 5' 'compute_fund_value now'
	against "the same, 2 % late" ms large_late small_late '' 'at 10000 events, 2 % late'
}
