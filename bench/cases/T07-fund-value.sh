# compute_fund_value at 10^3, 10^5 and 10^7 events of the fund
#
# (The quick form has 10^3, 10^4 and 10^5.) The peer sums the events of the
# fund in the plain table, which its index on stream finds. A call takes a
# hundredth of a millisecond and the ratio wanted is near 1: many short rounds.
# shellcheck shell=bash disable=SC2034,SC2154

measure()
{
	local middle_size=10000 f size rounds seconds

	[[ $scale == quick ]] || middle_size=100000
	local -a sizes=(1000 "$middle_size" "$medium")
	[[ $scale == quick ]] || sizes[2]=$large

	fresh fundes plain
	query "fundes_$database" -v funds=3 -f bench/funds.sql
	for f in 1 2 3; do
		size=${sizes[$f - 1]}
		query "fundes_$database" -v first_fund=$f -v last_fund=$f -v count="$size" \
			-v first_asset=$((f * 100000000)) -f bench/load-purchases.sql -o /dev/null
	done
	query "fundes_$database" -c 'vacuum analyze'
	query "fundes_$database" -c "copy (select stream, version, type, payload from fundes.event_log where type = 'McpPurchased' order by position) to '$workspace/bench/purchases'"
	query "plain_$database" -c "copy event (stream, version, type, payload) from '$workspace/bench/purchases'" -c 'vacuum analyze'
	rm "$workspace/bench/purchases"
	rounds=15 seconds=1
	race 'value' \
		small "latency fundes_$database value-fundes -D f=1" \
		middle "latency fundes_$database value-fundes -D f=2" \
		large "latency fundes_$database value-fundes -D f=3" \
		sum "latency plain_$database value-plain -D f=3"
	against "compute_fund_value at ${sizes[1]}" ms middle small '<= 1.1' "at 1000"
	against "compute_fund_value at ${sizes[2]}" ms large small '<= 1.1' "at 1000"
	if [[ $scale == quick ]]; then
		against "compute_fund_value at ${sizes[2]}" ms large sum '' 'SUM over jsonb'
	else
		against "compute_fund_value at ${sizes[2]}" ms large sum '<= 0.0001' 'SUM over jsonb'
	fi
}
