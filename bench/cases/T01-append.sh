# append, one event a transaction, 1,000 streams, 1, 8 and 16 clients
#
# All stores get the same payload as text, for a stream taken at random. Plain
# is given its version by the client. For message-db each stream is a category
# of its own, or its lock would let one writer in at a time. For Emmett the
# streams exist before: two that create one stream at the same time would fail;
# an append that loses a race against another one to the same stream writes
# nothing there and is counted all the same.
# shellcheck shell=bash disable=SC2034,SC2154

measure()
{
	local clients best
	local -A of_plain=([1]='>= 0.95' [8]='>= 1.0' [16]='>= 1.0')
	local -A of_peers=([1]='>= 1.25' [8]='>= 1.5' [16]='>= 1.7')

	fresh fundes plain message_db emmett
	fill_streams fundes plain message_db emmett
	for clients in 1 8 16; do
		race "$clients clients" \
			fundes "rate fundes_$database append-fundes $clients" \
			plain "rate plain_$database append-plain $clients" \
			message_db "rate message_db_$database append-message_db $clients" \
			emmett "rate emmett_$database append-emmett $clients"
		best=$(fastest message_db emmett)
		against "append, $clients clients" events/s fundes plain "${of_plain[$clients]}"
		against "append, $clients clients" events/s fundes "$best" "${of_peers[$clients]}"
	done
}
