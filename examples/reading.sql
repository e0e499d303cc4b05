-- Reading the log and subscribing: see doc/event-store.md. Two streams:
select version, position from fundes.append('order-1', 'OrderPlaced', '{"sum": 12}', expected_version => 0,
	metadata => '{"correlation_id": "request-81"}');
select version, position from fundes.append('order-2', 'OrderPlaced', '{"sum": 7}');
select version, position from fundes.append('invoice-1', 'InvoiceSent', '{"order": 1}',
	metadata => '{"correlation_id": "request-81"}');
-- The whole log, a page at a time: each call starts after the last position
-- of the one before.
select position, stream, type from fundes.read_all(0, 2);
select position, stream, type from fundes.read_all(2, 2);
select position, stream, type from fundes.read_all(categories => array['invoice']);
select position, stream, type from fundes.read_correlation('request-81');
-- What holds readers back: an append in progress, and nothing else.
begin;
select version, position from fundes.append('order-3', 'OrderPlaced', '{"sum": 1}');
select fundes.watermark();
select pid = pg_backend_pid() as me, from_position from fundes.appends_in_progress;
rollback;
select fundes.watermark();
-- A subscription keeps the position. Without an acknowledgement, the events
-- come again.
select fundes.create_subscription('mailer', types => array['OrderPlaced']);
select position, stream from fundes.poll('mailer', 1);
select position, stream from fundes.poll('mailer', 1);
-- Exactly once: the consumer's own writes and the acknowledgement are one
-- transaction.
create table mail (position bigint primary key, order_name text);
begin;
insert into mail select position, stream from fundes.poll('mailer') returning *;
select fundes.acknowledge('mailer', (select max(position) from mail));
commit;
select position, stream from fundes.poll('mailer', wait => '100 ms');
select name, partition, position, lag, claimed_by from fundes.subscription_status;
