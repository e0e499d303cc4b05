# update_mcp_asset_value: 1,000 funds of 100 copyrights
#
# (100 funds in the quick form.) Each round is a night: quotes for a day, and the
# job at the midnight that ends it. Beside it one UPDATE … FROM that sets the same
# values in a table of the copyrights' shape.
# shellcheck shell=bash disable=SC2034,SC2154

first_day="current_date - 15"

# night PEER: which one it is, from 0, of each peer.
night()
{
	local file=$workspace/nights.$1 n

	n=$(($(cat "$file" 2>/dev/null || echo 0)))
	echo $((n + 1)) >"$file"
	echo "$n"
}

# quotes DATABASE NIGHT
quotes()
{
	query "$1" -c "insert into fundes.mcp_price
			select copyright_code, registration_number, music_id, $first_day + $2, 1001 + $2, now()
			  from fundes.mcp
			on conflict (copyright_code, registration_number, music_id, price_date)
			do update set price = excluded.price" -c 'vacuum analyze' -c 'checkpoint'
}

by_fundes()
{
	local n

	n=$(night fundes)
	quotes "fundes_$database" "$n"
	duration "fundes_$database" "select * from fundes.update_mcp_asset_value(null, $first_day + $n,
		effective_at => ($first_day + $n + 1)::timestamp at time zone 'Asia/Seoul');"
}

by_update()
{
	local n

	n=$(night update)
	quotes "fundes_$database" "$n"
	duration "fundes_$database" "update peer.mcp m set value_cash = p.price, last_price_date = p.price_date, is_stale = false
		from fundes.mcp_price p
		where p.copyright_code = m.copyright_code and p.registration_number = m.registration_number
		  and p.music_id = m.music_id and p.price_date = $first_day + $n and m.sold_at is null;"
}

measure()
{
	local some=100

	[[ $scale == quick ]] || some=$funds
	fresh fundes
	query "fundes_$database" -v funds="$some" -f bench/funds.sql
	query "fundes_$database" -v first_fund=1 -v last_fund="$some" -v count=$((100 * some)) \
		-v first_asset=1 -o /dev/null -f bench/load-purchases.sql
	query "fundes_$database" -c 'create schema peer' \
		-c 'create table peer.mcp (like fundes.mcp including all) with (fillfactor = 45)' \
		-c 'insert into peer.mcp select * from fundes.mcp' -c 'vacuum analyze'
	race "$some funds" fundes by_fundes update by_update
	against "update_mcp_asset_value, $some funds" ms fundes update '<= 3' 'UPDATE … FROM'
}
