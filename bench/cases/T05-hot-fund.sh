# one hot fund, 16 clients: pay-ins of different investors; batches of 20
#
# The peer inserts into the plain table whose trigger updates one row: its row
# lock spans the flush of the commit. "untouched" is the plain table without
# the trigger: the ceiling.
# shellcheck shell=bash disable=SC2034,SC2154

twenty_times()
{
	rate "$@" | awk '{ print 20 * $1 }'
}

measure()
{
	fresh fundes plain
	client createdb -T plain "untouched_$database"
	query "fundes_$database" -v funds=1 -f bench/funds.sql -f bench/investors.sql
	query "plain_$database" -v funds=1 -f bench/plain-trigger.sql
	race '16 clients' \
		payin "rate fundes_$database pay-in-fundes 16" \
		plain "rate plain_$database fund-event-plain 16 -D funds=1" \
		untouched "rate untouched_$database fund-event-plain 16 -D funds=1" \
		batch "twenty_times fundes_$database fund-batch-fundes 16"
	against 'create_investment, one fund' events/s payin plain '>= 3' 'plain with trigger'
	against 'append_batch of 20, one fund' events/s batch plain '>= 10' 'plain with trigger'
	against 'create_investment, one fund' events/s payin untouched '' 'no projection'
}
