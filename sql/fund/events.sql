-- The built-in event types. The attributes are the payload's keys; the ids
-- are those of enum FundEventType in src/fund/fold.h.

create type fundes.fund_created as (
	fund_id			fundes.required_id,
	name			fundes.required_text,
	initial_price	fundes.required_initial_price,
	cash_scale		fundes.required_cash_scale,
	unit_scale		fundes.required_unit_scale,
	currency		fundes.required_text,
	time_zone		fundes.required_text
);
create type fundes.price_limits_set as (
	fund_id			fundes.required_id,
	max_price_drift	numeric,
	max_price_age	interval
);
create type fundes.investor_created as (
	investor_id		fundes.required_key,
	name			fundes.required_text
);
create type fundes.investment_created as (
	investor_id			fundes.required_key,
	fund_id				fundes.required_id,
	investment_amount	fundes.required_cash,
	unit_price			fundes.required_price,
	units				fundes.required_units,
	cash_taken			fundes.required_cash,
	refund_cash			fundes.required_cash,
	struck				boolean
);
create type fundes.investment_withdrawn as (
	investor_id			fundes.required_key,
	fund_id				fundes.required_id,
	stock_quantity		fundes.required_units,
	unit_price			fundes.required_price,
	withdrawn_amount	fundes.required_cash,
	cost_relieved		fundes.required_cash,
	realised_gain		fundes.required_gain,
	relieved_later		fundes.cash,
	relieved_at			timestamptz
);
create type fundes.mcp_purchased as (
	fund_id					fundes.required_id,
	asset_id				fundes.required_id,
	copyright_code			fundes.required_key,
	registration_number		fundes.required_key,
	music_id				fundes.required_key,
	price_cash				fundes.required_cash,
	estimated_value_cash	fundes.cash,
	acquisition_date		fundes.required_date
);
create type fundes.mcp_sold as (
	fund_id			fundes.required_id,
	asset_id		fundes.required_id,
	price_cash		fundes.required_cash,
	carrying_value	fundes.required_cash,
	cost_cash		fundes.required_cash,
	realised_gain	fundes.required_gain,
	taken_back		fundes.optional_array
);
create type fundes.fund_valued as (
	fund_id			fundes.required_id,
	valuation_date	fundes.required_date,
	revision		fundes.required_count,
	values			fundes.required_object,
	sources			fundes.required_object,
	stale			fundes.required_array,
	asset_value		fundes.required_cash,
	capital_cash	fundes.required_cash,
	liabilities		fundes.required_cash,
	nav				fundes.required_gain,
	total_supply	fundes.required_units,
	base_price		fundes.required_price,
	as_of			timestamptz,
	struck			boolean,
	restated_from	date,
	days_left		integer
);
create type fundes.royalty_received as (
	fund_id		fundes.required_id,
	asset_id	fundes.required_id,
	amount		fundes.required_cash,
	period		date
);
create type fundes.fee_accrued as (
	fund_id		fundes.required_id,
	amount		fundes.required_cash,
	kind		fundes.required_key
);
create type fundes.fee_paid as (
	fund_id		fundes.required_id,
	amount		fundes.required_cash,
	kind		fundes.required_key
);
create type fundes.distribution_declared as (
	fund_id			fundes.required_id,
	distribution_id	fundes.required_id,
	record_date		fundes.required_date,
	amount			fundes.required_cash,
	per_unit		fundes.required_price,
	entitlements	fundes.required_object,
	total			fundes.required_cash,
	base_price		fundes.price
);
create type fundes.distribution_paid as (
	fund_id			fundes.required_id,
	distribution_id	fundes.required_id,
	total			fundes.required_cash
);
create type fundes.index_published as (
	index_name	fundes.required_key,
	index_date	fundes.required_date,
	level		fundes.required_level,
	halted		boolean
);
create type fundes.trading_halted as (
	fund_id		bigint,
	index_name	text,
	reason		text,
	index_level	fundes.price,
	change		numeric,
	until		timestamptz
);
create type fundes.trading_resumed as (
	fund_id		bigint,
	index_name	text,
	reason		text
);
create type fundes.event_reversed as (
	fund_id				fundes.required_id,
	reversed_event_id	fundes.required_uuid,
	reason				text,
	reversed_position	fundes.required_id,
	reversed_type		fundes.required_text,
	reversed			fundes.required_object,
	taken_back			fundes.optional_array,
	base_price			fundes.price,
	price_since			timestamptz
);
create type fundes.period_closed as (
	fund_id			fundes.required_id,
	through_date	fundes.required_date,
	reason			text,
	until			timestamptz
);
create type fundes.period_reopened as (
	fund_id			fundes.required_id,
	through_date	date,
	reason			text,
	until			timestamptz
);
create type fundes.residual_swept as (
	fund_id	fundes.required_id,
	amount	fundes.required_cash,
	"to"	fundes.required_text
);
create type fundes.fund_closed as (
	fund_id	fundes.required_id,
	amount	fundes.cash,
	"to"	text,
	reason	text
);

comment on type fundes.fund_created is 'Payload of FundCreated, in stream fund-<fund_id>';
comment on type fundes.price_limits_set is 'Payload of PriceLimitsSet, in stream fund-<fund_id>; null switches a limit off';
comment on type fundes.investor_created is 'Payload of InvestorCreated, in stream investor-<investor_id>';
comment on type fundes.investment_created is 'Payload of InvestmentCreated, in stream holding-<fund_id>-<investor_id>. struck: whether there were no units then, so that it strikes the price anew; null: whether there are none when it is recorded';
comment on type fundes.investment_withdrawn is 'Payload of InvestmentWithdrawn, in stream holding-<fund_id>-<investor_id>. relieved_later: the part of cost_relieved that goes at relieved_at, a later moment; of a withdrawal in the past that takes the last units left now';
comment on type fundes.mcp_purchased is 'Payload of McpPurchased, in stream fund-<fund_id>';
comment on type fundes.mcp_sold is 'Payload of McpSold, in stream fund-<fund_id>';
comment on type fundes.fund_valued is 'Payload of FundValued, in stream fund-<fund_id>; figures are those of the end of valuation_date, as_of. Where struck is false it is history only; null: where a later price is struck. restated_from and days_left are of restate_nav: its from_date, and how many days it restated after this one';
comment on type fundes.royalty_received is 'Payload of RoyaltyReceived, in stream fund-<fund_id>';
comment on type fundes.fee_accrued is 'Payload of FeeAccrued, in stream fund-<fund_id>';
comment on type fundes.fee_paid is 'Payload of FeePaid, in stream fund-<fund_id>';
comment on type fundes.distribution_declared is 'Payload of DistributionDeclared, in stream fund-<fund_id>; entitlements are cash by investor_id, base_price is the ex price';
comment on type fundes.distribution_paid is 'Payload of DistributionPaid, in stream fund-<fund_id>';
comment on type fundes.index_published is 'Payload of IndexPublished, in stream index-<index_name>; halted: whether dealing in all funds was halted then';
comment on type fundes.trading_halted is 'Payload of TradingHalted, in stream fund-<fund_id>, or of all funds index-<index_name>; change is a fraction, until null: until resumed';
comment on type fundes.trading_resumed is 'Payload of TradingResumed, in stream fund-<fund_id>, or of all funds index-<index_name>';
comment on type fundes.event_reversed is 'Payload of EventReversed, in stream fund-<fund_id>; reversed is the payload of the reversed event, base_price the price that the reversal of a distribution strikes, price_since what the price ages from once a first purchase never was';
comment on type fundes.period_closed is 'Payload of PeriodClosed, in stream fund-<fund_id>; until is the moment at which through_date ended';
comment on type fundes.period_reopened is 'Payload of PeriodReopened, in stream fund-<fund_id>; the fund is closed through through_date from then on, null: all is open';
comment on type fundes.residual_swept is 'Payload of ResidualSwept, in stream fund-<fund_id>; to says who got it';
comment on type fundes.fund_closed is 'Payload of FundClosed, in stream fund-<fund_id>; amount is 0';

insert into fundes.event_type (type_id, name, payload_type) values
	(1,  'FundCreated',			'fundes.fund_created'),
	(2,  'PriceLimitsSet',		'fundes.price_limits_set'),
	(3,  'InvestorCreated',		'fundes.investor_created'),
	(4,  'InvestmentCreated',	'fundes.investment_created'),
	(5,  'InvestmentWithdrawn',	'fundes.investment_withdrawn'),
	(6,  'McpPurchased',		'fundes.mcp_purchased'),
	(7,  'McpSold',				'fundes.mcp_sold'),
	(8,  'FundValued',			'fundes.fund_valued'),
	(9,  'RoyaltyReceived',		'fundes.royalty_received'),
	(10, 'FeeAccrued',			'fundes.fee_accrued'),
	(11, 'FeePaid',				'fundes.fee_paid'),
	(12, 'DistributionDeclared', 'fundes.distribution_declared'),
	(13, 'DistributionPaid',	'fundes.distribution_paid'),
	(14, 'IndexPublished',		'fundes.index_published'),
	(15, 'TradingHalted',		'fundes.trading_halted'),
	(16, 'TradingResumed',		'fundes.trading_resumed'),
	(17, 'EventReversed',		'fundes.event_reversed'),
	(18, 'PeriodClosed',		'fundes.period_closed'),
	(19, 'PeriodReopened',		'fundes.period_reopened'),
	(20, 'ResidualSwept',		'fundes.residual_swept'),
	(21, 'FundClosed',			'fundes.fund_closed');
