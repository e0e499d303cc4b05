-- Money, units and prices: exact, bounded, never rounded on the way in.

create domain fundes.cash as numeric
	check (value between -99999999999999999999.9999 and 99999999999999999999.9999 and trunc(value, 4) = value);
comment on domain fundes.cash is 'Money: 20 digits before the point, 4 after; no NaN, no infinity';

create domain fundes.units as numeric
	check (value between -999999999999999999.999999 and 999999999999999999.999999 and trunc(value, 6) = value);
comment on domain fundes.units is 'Units of a fund: 18 digits before the point, 6 after; no NaN, no infinity';

create domain fundes.price as numeric
	check (value between 0 and 9999999999999999.9999 and trunc(value, 4) = value);
comment on domain fundes.price is 'A price, not negative: 16 digits before the point, 4 after; no NaN, no infinity';

-- What the payload of an event must have.
-- up to 2^53 - 1: every reader of JSON has such numbers exactly
create domain fundes.required_id as bigint not null check (value between 1 and 9007199254740991);
comment on domain fundes.required_id is 'An id in a payload';
create domain fundes.required_uuid as uuid not null;
comment on domain fundes.required_uuid is 'The id of an event in a payload';
create domain fundes.required_count as integer not null check (value >= 0);
comment on domain fundes.required_count is 'A count in a payload';
create domain fundes.required_cash_scale as integer not null check (value between 0 and 4);
comment on domain fundes.required_cash_scale is 'Decimals of a fund''s money';
create domain fundes.required_unit_scale as integer not null check (value between 0 and 6);
comment on domain fundes.required_unit_scale is 'Decimals of a fund''s units';
create domain fundes.required_text as text not null check (value <> '');
comment on domain fundes.required_text is 'A text in a payload';
create domain fundes.required_key as text not null check (octet_length(value) between 1 and 200);
comment on domain fundes.required_key is 'A text in a payload that is part of a key: 1 to 200 bytes';
create domain fundes.required_date as date not null check (isfinite(value));
comment on domain fundes.required_date is 'A date in a payload';
create domain fundes.required_cash as fundes.cash not null check (value >= 0);
comment on domain fundes.required_cash is 'An amount in a payload, not negative';
create domain fundes.required_gain as fundes.cash not null;
comment on domain fundes.required_gain is 'A gain in a payload, negative where it is a loss';
create domain fundes.required_units as fundes.units not null check (value >= 0);
comment on domain fundes.required_units is 'A number of units in a payload, not negative';
create domain fundes.required_price as fundes.price not null;
comment on domain fundes.required_price is 'A price in a payload';
create domain fundes.required_initial_price as fundes.price not null check (value > 0);
comment on domain fundes.required_initial_price is 'The price at which a fund starts';
create domain fundes.required_level as fundes.price not null check (value > 0);
comment on domain fundes.required_level is 'A level of an index';
create domain fundes.required_object as jsonb not null check (jsonb_typeof(value) = 'object');
comment on domain fundes.required_object is 'An object in a payload, by asset or investor id';
create domain fundes.required_array as jsonb not null check (jsonb_typeof(value) = 'array');
comment on domain fundes.required_array is 'An array in a payload';
create domain fundes.optional_array as jsonb check (jsonb_typeof(value) = 'array');
comment on domain fundes.optional_array is 'An array that may be left out of a payload';
