# append, all to one stream, 16 clients
#
# One stream of fundes, one category of message-db (it locks categories).
# shellcheck shell=bash disable=SC2034,SC2154

measure()
{
	fresh fundes message_db
	race '16 clients' \
		fundes "rate fundes_$database append-fundes 16 -D streams=1" \
		message_db "rate message_db_$database append-message_db 16 -D streams=1"
	against 'append to one stream, 16 clients' events/s fundes message_db '>= 1.5'
}
