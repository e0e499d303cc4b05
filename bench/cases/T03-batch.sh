# append_batch, 1,000 events a call, 1 client
#
# All get the same text: append_batch, INSERT … SELECT unnest and Emmett as the
# text of array parameters, which lies ready in a table; COPY as files of 1,000
# lines, read by the server. A call is a transaction. Emmett appends to one
# stream a call, so it is beside batches of one stream each. Beside the batch of
# fund events also stands COPY of all rows that its fold writes, into tables with
# the same indexes. What prepares the text is not timed.
# shellcheck shell=bash disable=SC2034,SC2154

calls=20

# batches DATABASE KIND HOW: events a second.
batches()
{
	local db=$1 kind=$2 how=$3 first last n
	local -a statements=()

	first=$(($(next_run) * calls))
	last=$((first + calls - 1))
	query "$db" -v first=$first -v last=$last -v kind="$kind" -v payload="$payload" -f bench/batches.sql
	for ((n = first; n <= last; n++)); do
		"statement_$how"
	done
	query "$db" -c 'vacuum batch' -c 'checkpoint'
	duration "$db" "${statements[@]}" | awk -v n=$((calls * 1000)) '{ printf "%.0f\n", 1000 * n / $1 }'
}

statement_fundes()
{
	statements+=("select count(*) from batch b, fundes.append_batch(b.streams::text[], b.types::text[], b.payloads::jsonb[]) where n = $n;")
}

statement_unnest()
{
	statements+=("insert into event (stream, version, type, payload) select e.* from batch b, unnest(b.streams::text[], b.versions::bigint[], b.types::text[], b.payloads::jsonb[]) e where n = $n;")
}

statement_emmett()
{
	statements+=("select a.* from batch b, emt_append_to_stream(b.ids::text[], b.payloads::jsonb[], array_fill('{}'::jsonb, array[1000]), array_fill('1'::text, array[1000]), b.types::text[], array_fill('E'::text, array[1000]), (b.streams::text[])[1], 'unknown', null, 'emt:default') a where n = $n;")
}

statement_copy()
{
	local file="$workspace/bench/batch.$n"

	query "$db" -c "copy (select e.* from batch b, unnest(b.streams::text[], b.versions::bigint[], b.types::text[], b.payloads::text[]) e where n = $n) to '$file'"
	statements+=("copy event (stream, version, type, payload) from '$file';")
}

# The rows that a fold of the batch writes, by COPY, and one UPDATE of the funds.
statement_rows()
{
	local file="$workspace/bench/rows.$n"
	local events="select p, (p->>'fund_id')::bigint as fund_id, (p->>'asset_id')::bigint as asset_id, (p->>'price_cash')::numeric as price from batch b, unnest(b.payloads::jsonb[]) p where n = $n"

	statement_copy
	query "$db" -c "copy (select asset_id, fund_id, p->>'copyright_code', p->>'registration_number', p->>'music_id', p->>'acquisition_date', price, price, asset_id from ($events) e) to '$file.mcp'" \
		-c "copy (select fund_id, asset_id, -price, price, price from ($events) e) to '$file.entry'"
	statements[-1]="begin; ${statements[-1]}
		copy mcp (asset_id, fund_id, copyright_code, registration_number, music_id, acquisition_date, cost_cash, value_cash, last_position) from '$file.mcp';
		copy fund_entry (fund_id, last_position, capital_cash, asset_value, accumulated_purchase_value) from '$file.entry';
		update fund f set capital_cash = capital_cash - e.price, asset_value = asset_value + e.price, accumulated_purchase_value = accumulated_purchase_value + e.price, last_position = e.last_position, entries = entries + e.count
			from (select fund_id, sum(cost_cash) as price, max(last_position) as last_position, count(*) from mcp where asset_id between $n * 1000 and $n * 1000 + 999 group by fund_id) e
			where f.fund_id = e.fund_id; commit;"
}

measure()
{
	fresh fundes plain emmett
	client createdb -T plain "copy_$database"
	fill_streams fundes plain emmett
	race 'one stream a call' \
		fundes "batches fundes_$database one fundes" \
		copy "batches copy_$database one copy" \
		emmett "batches emmett_$database one emmett"
	against 'append_batch, one stream a call' events/s fundes copy '>= 1.0'
	against 'append_batch, one stream a call' events/s fundes emmett '>= 1.3'
	race '1,000 streams' \
		fundes "batches fundes_$database many fundes" \
		copy "batches copy_$database many copy" \
		unnest "batches plain_$database many unnest"
	against 'append_batch, 1,000 streams' events/s fundes copy '>= 1.0'
	against 'append_batch, 1,000 streams' events/s fundes unnest
	query "fundes_$database" -v funds=1000 -f bench/funds.sql
	client createdb -T plain "rows_$database"
	query "rows_$database" -v funds=1000 -f bench/plain-figures.sql -c 'alter table event disable trigger project'
	race 'fund events' \
		fundes "batches fundes_$database fund fundes" \
		copy "batches copy_$database fund copy" \
		rows "batches rows_$database fund rows"
	against 'append_batch, fund events folded' events/s fundes copy '>= 0.7'
	against 'append_batch, fund events folded' events/s fundes rows '' 'copy of the same rows'
}
