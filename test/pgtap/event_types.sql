-- define_event_type: what a payload must have, and UF023 where it has not.

begin;
\ir helper.inc
select no_plan();

create domain public.quantity as integer not null check (value > 0);
create type public.colour as enum ('red', 'blue');
create type public.order_placed as (
	quantity	public.quantity,
	sum			numeric,
	name		text,
	paid		boolean,
	day			date,
	id			uuid,
	colour		public.colour,
	lines		jsonb,
	tags		text[]
);
select fundes.define_event_type('OrderPlaced', 'public.order_placed');

select pg_temp.accepts(format('select fundes.append(''order-1'', ''OrderPlaced'', %L)', payload), 'fits: ' || rule)
  from (values
	('{"quantity": 3, "sum": 1.50, "name": "x", "paid": true, "day": "2023-06-01", "id": "30000000-0000-4000-8000-000000000001", "colour": "red", "lines": {"a": [1]}, "tags": ["a", "b"]}', 'all keys'),
	('{"quantity": 3}', 'what is nullable may be absent'),
	('{"quantity": 3, "sum": null, "name": null, "day": null}', 'or null')) v(payload, rule);

-- refused with UF023, and the key is named
create function pg_temp.misfits(payload text, key text, rule text) returns setof text
language plpgsql as $$
declare
	command text := format('select fundes.append(''order-1'', ''OrderPlaced'', %L)', payload);
	r pg_temp.refusal := pg_temp.attempt(command);
begin
	return next pg_temp.refuses(command, 'UF023', rule);
	return next ok(concat_ws(' ', r.message, r.detail) ~ ('\m' || key || '\M'),
				   format('and %s is named: %s / %s', key, r.message, r.detail));
end
$$;
select pg_temp.misfits(payload, key, rule)
  from (values
	('{"sum": 1}', 'quantity', 'a key that must be there is absent'),
	('{"quantity": null}', 'quantity', 'a key that must be there is null'),
	('{"quantity": 0}', 'quantity', 'a domain''s check'),
	('{"quantity": 1, "sume": 1}', 'sume', 'an unknown key'),
	('{"quantity": "3"}', 'quantity', 'a string for an integer'),
	('{"quantity": 1.5}', 'quantity', 'a fraction for an integer'),
	('{"quantity": 99999999999}', 'quantity', 'too large for an integer'),
	('{"quantity": 1, "sum": "1.5"}', 'sum', 'a string for a numeric'),
	('{"quantity": 1, "sum": true}', 'sum', 'a boolean for a numeric'),
	('{"quantity": 1, "name": 5}', 'name', 'a number for a text'),
	('{"quantity": 1, "name": {}}', 'name', 'an object for a text'),
	('{"quantity": 1, "paid": "true"}', 'paid', 'a string for a boolean'),
	('{"quantity": 1, "day": 20230601}', 'day', 'a number for a date'),
	('{"quantity": 1, "day": "2023-02-30"}', 'day', 'a day that is none'),
	('{"quantity": 1, "id": "x"}', 'id', 'a string that is no uuid'),
	('{"quantity": 1, "colour": "green"}', 'colour', 'a label that the enum has not'),
	('{"quantity": 1, "colour": 1}', 'colour', 'a number for an enum'),
	('{"quantity": 1, "tags": "a"}', 'tags', 'a string for an array'),
	('{"sum": "x", "day": 1}', 'quantity', 'the first miss in the order of the attributes is named'),
	('{"quantity": 1, "day": 1, "sum": "x"}', 'sum', 'whatever the order of the keys')) v(payload, key, rule);

select pg_temp.refuses(
	$$select * from fundes.append_batch(array['order-1','order-1'], array['OrderPlaced','OrderPlaced'], array['{"quantity": 1}','{}']::jsonb[])$$,
	'UF023', 'a batch is all or nothing');

-- A definition holds for later events.
select fundes.append('order-2', 'OrderSent', '{"anything": 1}');
create type public.order_sent as (carrier text);
select fundes.define_event_type('OrderSent', 'public.order_sent');
select pg_temp.refuses($$select fundes.append('order-2', 'OrderSent', '{"anything": 1}')$$, 'UF023', 'a new definition holds for later events');
select pg_temp.accepts($$select fundes.append('order-2', 'OrderSent', '{"carrier": "x"}')$$, 'which must fit it');
select is(fundes.stream_version('order-2'), 2::bigint, 'and leaves the earlier as they are');
select fundes.define_event_type('OrderSent', null);
select pg_temp.accepts($$select fundes.append('order-2', 'OrderSent', '{"anything": 1}')$$, 'NULL allows any object again');

select pg_temp.refuses($$select fundes.define_event_type(null, 'public.order_sent')$$, '22004', 'type is null');
select pg_temp.refuses($$select fundes.define_event_type('', 'public.order_sent')$$, '22023', 'type is empty');
select pg_temp.refuses($$select fundes.define_event_type(repeat('x', 256), 'public.order_sent')$$, '22001', 'type is too long');
select pg_temp.refuses($$select fundes.define_event_type('McpPurchased', 'public.order_sent')$$, '22023', 'a built-in type');
select pg_temp.refuses($$select fundes.define_event_type('McpPurchased', null)$$, '22023', 'a built-in type, set free');
select pg_temp.refuses($$select fundes.define_event_type('OrderSent', 'integer')$$, '42809', 'not a composite type');

-- The built-in types are defined this way.
select fundes.create_fund('Ballads', effective_at => '2023-06-01 09:00');
select pg_temp.refuses(format('select fundes.append(''fund-1'', ''FeeAccrued'', %L)', payload), 'UF023', 'built-in: ' || rule)
  from (values ('{"fund_id": 1, "amount": 1}', 'a key is absent'), ('{"fund_id": 1, "amount": "1", "kind": "x"}', 'a string for a number'),
			   ('{"fund_id": 1, "amount": -1, "kind": "x"}', 'a negative amount'), ('{"fund_id": 1, "amount": 1, "kind": "x", "y": 1}', 'an unknown key'),
			   ('{"fund_id": 1, "amount": 0.00001, "kind": "x"}', 'too many decimals'),
			   ('{"fund_id": 1, "amount": 1000000000000000000000, "kind": "x"}', 'too large an amount')) v(payload, rule);

select * from finish();
rollback;
