# rebuild_projections of 10^6 fund events
#
# (10^5 in the quick form.) Beside it the source's SUM over jsonb, over the same
# log, for all funds at once. Either goes on several cores; beside them each on
# one. And a rebuild with the memory that the server gives by default.
# shellcheck shell=bash disable=SC2034,SC2154

rebuild='select fundes.rebuild_projections();'
sum="select payload->>'fund_id', sum((payload->>'price_cash')::numeric) from fundes.event where type_id in (6, 7) group by 1;"

measure()
{
	fresh fundes
	query "fundes_$database" -v funds="$funds" -f bench/funds.sql
	query "fundes_$database" -v first_fund=1 -v last_fund="$funds" -v count="$medium" \
		-v first_asset=1 -o /dev/null -f bench/load-purchases.sql
	query "fundes_$database" -c 'vacuum analyze'
	race "$medium events" \
		rebuild "duration fundes_$database '$rebuild'" \
		sum "duration fundes_$database \"$sum\"" \
		alone "duration fundes_$database 'set max_parallel_maintenance_workers = 0;' '$rebuild'" \
		one_core "duration fundes_$database 'set max_parallel_workers_per_gather = 0;' \"$sum\"" \
		small "duration fundes_$database \"set maintenance_work_mem = '64MB';\" '$rebuild'"
	against "rebuild_projections, $medium events" ms rebuild sum '<= 2' 'SUM over jsonb'
	against 'the same on one core' ms alone one_core '' 'SUM on one core'
	against 'the same on one core' ms alone sum '' 'SUM over jsonb'
	against 'the same, maintenance_work_mem = 64MB' ms small sum '<= 2' 'SUM over jsonb'
}
