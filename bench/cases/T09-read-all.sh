# read_all of 100 events at the tail, while 8 writers append
#
# Each store is read while 8 writers append to it. Then the writers alone and
# beside three followers, which look a hundred times a second for up to 100 events
# that they have not read; and the same with the plain table, which shows what the
# reading itself takes of the cores.
# shellcheck shell=bash disable=SC2034,SC2154

# while_writing PEER: milliseconds of a read beside the writers.
while_writing()
{
	bench "$1_$database" "append-$1" -c 8 -T $((seconds + 2)) >/dev/null &
	sleep 1
	latency "$1_$database" "tail-$1"
	wait
}

# followed PEER LOG: appends a second beside three followers of the table.
followed()
{
	local tail

	tail=$(query "$1_$database" -c "select max(position) from $2")
	bench "$1_$database" "follow-$1" -c 3 -T $((seconds + 1)) --rate=300 -D "position=$tail" >/dev/null &
	rate "$1_$database" "append-$1" 8
	wait $! || echo 'a follower failed'
}

measure()
{
	fresh fundes plain
	if [[ $(query "fundes_$database" -c "select to_regproc('fundes.read_all') is null") == t ]]; then
		skip 'read_all at the tail' 'this fundes has no read_all'
		return
	fi
	fill_streams fundes plain
	race 'read 100 at the tail' fundes 'while_writing fundes' plain 'while_writing plain'
	against 'read_all of 100 beside 8 writers' ms fundes plain '<= 1.3'
	race 'writers' followed 'followed fundes fundes.event' alone "rate fundes_$database append-fundes 8" \
		plain_followed 'followed plain event' plain_alone "rate plain_$database append-plain 8"
	against '8 writers beside 3 followers' events/s followed alone '>= 0.97' alone
	against '8 plain writers beside 3 readers' events/s plain_followed plain_alone '' alone
}
