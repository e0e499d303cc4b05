# purchase_mcp, 1,000 funds, 8 clients
#
# The peer is a PL/pgSQL function with the same checks, lock and writes on
# tables of the same shape.
# shellcheck shell=bash disable=SC2034,SC2154

measure()
{
	fresh fundes
	query "fundes_$database" -v funds="$funds" -f bench/funds.sql
	client createdb -T "fundes_$database" "plpgsql_$database"
	query "plpgsql_$database" -f bench/plpgsql.sql
	race '8 clients' \
		fundes "rate fundes_$database purchase-fundes 8" \
		plpgsql "rate plpgsql_$database purchase-plpgsql 8"
	against 'purchase_mcp, 8 clients' calls/s fundes plpgsql '>= 1.5'
}
