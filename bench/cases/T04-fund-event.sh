# a fund event with its projection, 1,000 funds, 8 clients
#
# fundes keeps all figures of the fund, the copyright's row and an entry for
# as-of questions; the peer is the plain table with a PL/pgSQL trigger that
# adds to one column. Beside it one whose trigger writes the rows that fundes
# writes. All get the same McpPurchased.
# shellcheck shell=bash disable=SC2034,SC2154

measure()
{
	fresh fundes plain
	client createdb -T plain "figures_$database"
	query "fundes_$database" -v funds="$funds" -f bench/funds.sql
	query "plain_$database" -v funds="$funds" -f bench/plain-trigger.sql
	query "figures_$database" -v funds="$funds" -f bench/plain-figures.sql
	race '8 clients' \
		fundes "rate fundes_$database fund-event-fundes 8" \
		plain "rate plain_$database fund-event-plain 8" \
		figures "rate figures_$database fund-event-plain 8"
	against 'fund event, 8 clients' events/s fundes plain '>= 1.0' 'plain with trigger'
	against 'fund event, 8 clients' events/s fundes figures '' 'trigger for the same rows'
}
