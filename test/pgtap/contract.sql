-- The contract of each public function, view and type: names, arguments,
-- results, volatility, comments, and that PUBLIC has nothing.

begin;
\ir helper.inc
select no_plan();

select has_schema('fundes', 'schema fundes');
select has_extension('fundes', 'extension fundes');

-- Functions.
create temporary table contract (name text, arguments text, result text, volatility "char");
insert into contract values
('append',
 'stream text, type text, payload jsonb, expected_version bigint DEFAULT NULL::bigint, event_id uuid DEFAULT NULL::uuid, metadata jsonb DEFAULT NULL::jsonb, effective_at timestamp with time zone DEFAULT NULL::timestamp with time zone',
 'fundes.appended', 'v'),
('append_batch',
 'streams text[], types text[], payloads jsonb[], event_ids uuid[] DEFAULT NULL::uuid[], metadata jsonb[] DEFAULT NULL::jsonb[], effective_at timestamp with time zone[] DEFAULT NULL::timestamp with time zone[], expected_streams text[] DEFAULT NULL::text[], expected_versions bigint[] DEFAULT NULL::bigint[]',
 'SETOF fundes.appended', 'v'),
('define_event_type', 'type text, payload_type regtype DEFAULT NULL::regtype', 'void', 'v'),
('read_stream',
 'stream text, from_version bigint DEFAULT NULL::bigint, max_count integer DEFAULT 1000, backward boolean DEFAULT false',
 'SETOF fundes.event_log', 's'),
('stream_version', 'stream text', 'bigint', 's'),
('create_fund',
 'name text, initial_price numeric DEFAULT 1000, cash_scale integer DEFAULT 0, unit_scale integer DEFAULT 0, currency text DEFAULT ''KRW''::text, time_zone text DEFAULT ''Asia/Seoul''::text, ...',
 'bigint', 'v'),
('set_price_limits',
 'fund_id bigint, max_price_drift numeric, max_price_age interval, ...', 'uuid', 'v'),
('create_investor', 'id text, name text, password text DEFAULT NULL::text, ...', 'text', 'v'),
('authenticate_investor', 'id text, password text', 'boolean', 's'),
('create_investment', 'investor_id text, fund_id bigint, investment_amount numeric, ...', 'fundes.investment_receipt', 'v'),
('withdraw_investment', 'investor_id text, fund_id bigint, stock_quantity numeric, ...', 'fundes.withdrawal_receipt', 'v'),
('purchase_mcp',
 'fund_id bigint, copyright_code text, registration_number text, music_id text, price_cash numeric, estimated_value_cash numeric DEFAULT NULL::numeric, acquisition_date date DEFAULT NULL::date, ...',
 'bigint', 'v'),
('sell_mcp', 'fund_id bigint, asset_id bigint, price_cash numeric, ...', 'numeric', 'v'),
('record_royalty', 'fund_id bigint, asset_id bigint, amount numeric, period date DEFAULT NULL::date, ...', 'uuid', 'v'),
('accrue_fee', 'fund_id bigint, amount numeric, kind text DEFAULT ''management''::text, ...', 'uuid', 'v'),
('pay_fee', 'fund_id bigint, amount numeric, kind text DEFAULT ''management''::text, ...', 'uuid', 'v'),
('record_mcp_price',
 'copyright_code text, registration_number text, music_id text, price_date date, price numeric', 'void', 'v'),
('get_mcp_index',
 'copyright_code text, registration_number text, music_id text, as_of date DEFAULT CURRENT_DATE', 'numeric', 's'),
('update_mcp_asset_value',
 'fund_id bigint DEFAULT NULL::bigint, valuation_date date DEFAULT NULL::date, ...', 'SETOF fundes.fund_valuation', 'v'),
('schedule_revaluation', 'schedule text DEFAULT ''0 0 * * *''::text', 'bigint', 'v'),
('compute_fund_value', 'fund_id bigint', 'numeric', 's'),
('get_investment_details',
 'investor_id text, OUT investment_amount numeric, OUT current_value numeric, OUT currency text', 'SETOF record', 's'),
('fund_pnl',
 'fund_id bigint, from_date date, to_date date, OUT opening_nav numeric, OUT subscriptions numeric, OUT redemptions numeric, OUT realised numeric, OUT unrealised numeric, OUT royalties numeric, OUT fees numeric, OUT total numeric, OUT distributed numeric, OUT closing_nav numeric',
 'SETOF record', 's'),
('investor_statement',
 'investor_id text, from_date date, to_date date, OUT fund_id bigint, OUT currency text, OUT effective_at timestamp with time zone, OUT entry text, OUT event_id uuid, OUT units numeric, OUT unit_price numeric, OUT paid_in numeric, OUT paid_out numeric, OUT holding_units numeric, OUT value numeric',
 'SETOF record', 's'),
('twr', 'fund_id bigint, from_date date, to_date date', 'numeric', 's'),
('xirr', 'investor_id text, fund_id bigint, as_of date', 'numeric', 's'),
('import_prices', 'rows jsonb, OUT lines integer, OUT recorded integer, OUT known integer, OUT never_held integer', 'record', 'v'),
('import_royalties',
 'rows jsonb, metadata jsonb DEFAULT NULL::jsonb, OUT lines integer, OUT recorded integer, OUT known integer', 'record', 'v'),
('import_index',
 'rows jsonb, metadata jsonb DEFAULT NULL::jsonb, OUT lines integer, OUT recorded integer, OUT known integer, OUT halted boolean', 'record', 'v'),
('rebuild_projections', '', 'bigint', 'v'),
('verify_projections', 'OUT projection text, OUT key jsonb, OUT stored jsonb, OUT folded jsonb', 'SETOF record', 'v');
-- what each command takes after its own parameters
update contract
   set arguments = replace(arguments, '...', 'effective_at timestamp with time zone DEFAULT NULL::timestamp with time zone, event_id uuid DEFAULT NULL::uuid, expected_version bigint DEFAULT NULL::bigint, metadata jsonb DEFAULT NULL::jsonb');

select is(
	(select string_agg(format('(%s) -> %s, %s', pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.provolatile), '; ')
	   from pg_proc p
	  where p.pronamespace = 'fundes'::regnamespace and p.proname = c.name
		and pg_get_function_arguments(p.oid) = c.arguments),
	format('(%s) -> %s, %s', c.arguments, c.result, c.volatility),
	c.name || ': arguments, result and volatility')
  from contract c;

create temporary view fundes_function as
select p.*
  from pg_proc p
 where p.pronamespace = 'fundes'::regnamespace;

select is_empty(
	$$select proname from fundes_function where coalesce(obj_description(oid, 'pg_proc'), '') = ''$$,
	'each function has a comment');
select is_empty(
	$$select name from contract c
	   where not exists (select from fundes_function p
						  where p.proname = c.name and obj_description(p.oid, 'pg_proc') ~ 'Example: ')
		 and name <> 'verify_projections'$$,
	'the comment of a public function has an example');
select is_empty(
	$$select proname from fundes_function where prosecdef
		and coalesce(array_to_string(proconfig, ' '), '') not like '%search_path=pg_catalog, pg_temp%'$$,
	'no SECURITY DEFINER without a pinned search_path');
select is_empty(
	$$select proname from fundes_function p join pg_language l on l.oid = p.prolang
	   where l.lanname in ('sql', 'plpgsql')
		 and coalesce(array_to_string(proconfig, ' '), '') not like '%search_path=pg_catalog, pg_temp%'$$,
	'SQL and PL/pgSQL functions have their search_path pinned');
select is_empty(
	$$select proname from fundes_function, aclexplode(coalesce(proacl, acldefault('f', proowner))) a
	   where a.grantee = 0$$,
	'PUBLIC may execute no function');
select is_empty(
	$$select relname, a.privilege_type
		from pg_class, aclexplode(coalesce(relacl, acldefault(case relkind when 'S' then 's'::"char" else 'r' end, relowner))) a
	   where relnamespace = 'fundes'::regnamespace and relkind in ('r', 'v', 'm', 'S', 'p') and a.grantee = 0$$,
	'PUBLIC has no right on a table, view or sequence');
select is_empty(
	$$select a.privilege_type from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a
	   where nspname = 'fundes' and a.grantee = 0$$,
	'PUBLIC has no right on the schema');
select is_empty(
	$$select c.relname
		from pg_class c
	   where relnamespace = 'fundes'::regnamespace and relkind in ('r', 'v', 'S')
		 and not exists (select from pg_depend d
						  where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_extension'::regclass
							and d.deptype = 'e')
		 and not exists (select from pg_depend d		-- a sequence of an identity column
						  where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'i')$$,
	'everything in the schema is a member of the extension');

-- Views.
select has_view('fundes', name::name, name || ' is a view')
  from unnest(array['event_log', 'fund_sheet', 'investment_current_value', 'investment_details',
					'mcp_holding', 'nav_history', 'investor_portfolio', 'fund_flow', 'cash_ledger', 'unit_register',
					'trial_balance', 'daily_control', 'nav_error', 'stale_price', 'audit_trail']) name;

create function pg_temp.base_type(type oid) returns text
language sql as $$
	select case when t.typtype = 'd' then pg_temp.base_type(t.typbasetype) else format_type(t.oid, null) end
	  from pg_type t where t.oid = type
$$;
create function pg_temp.columns_are(view_name text, wanted text[]) returns text
language sql as $$
	select is(
		(select array_agg(w order by n) from unnest(wanted) with ordinality u(w, n)
		  where not exists (
				select from pg_attribute a
				 where a.attrelid = ('fundes.' || view_name)::regclass and a.attnum > 0
				   and a.attname || ' ' || pg_temp.base_type(a.atttypid) = w)),
		null::text[], view_name || ' has its columns and their types')
$$;

select pg_temp.columns_are('event_log', array[
	'position bigint', 'stream text', 'version bigint', 'event_id uuid', 'type text', 'payload jsonb',
	'metadata jsonb', 'effective_at timestamp with time zone', 'recorded_at timestamp with time zone']);
select pg_temp.columns_are('fund_sheet', array[
	'fund_id bigint', 'name text', 'status text', 'capital_cash numeric', 'asset_value numeric', 'liabilities numeric',
	'nav numeric', 'total_supply numeric', 'base_price numeric', 'nav_per_unit numeric', 'price_drift numeric',
	'total_assets numeric', 'accumulated_purchase_value numeric', 'accumulated_sold_value numeric',
	'realised_gain numeric', 'unrealised_gain numeric', 'royalty_income numeric', 'fee_expense numeric',
	'distributed numeric', 'subscriptions numeric', 'redemptions numeric', 'last_valuation_date date']);
select pg_temp.columns_are('investment_current_value', array[
	'investor_id text', 'fund_id bigint', 'currency text', 'units numeric', 'investment_amount numeric', 'cost_basis numeric',
	'base_price numeric', 'current_value numeric', 'unrealised_gain numeric', 'realised_gain numeric', 'value_at_cost numeric']);
select pg_temp.columns_are('investment_details', array[
	'investor_id text', 'investment_amount numeric', 'current_value numeric', 'currency text']);
select pg_temp.columns_are('mcp_holding', array[
	'asset_id bigint', 'fund_id bigint', 'copyright_code text', 'registration_number text', 'music_id text',
	'acquisition_date date', 'cost_cash numeric', 'value_cash numeric', 'unrealised_gain numeric',
	'royalty_income numeric', 'last_price_date date', 'is_stale boolean', 'price_age integer', 'yield numeric']);
select pg_temp.columns_are('nav_history', array[
	'fund_id bigint', 'valuation_date date', 'revision integer', 'is_current boolean', 'nav numeric', 'capital_cash numeric',
	'asset_value numeric', 'liabilities numeric', 'total_supply numeric', 'base_price numeric', 'change numeric']);
select pg_temp.columns_are('investor_portfolio', array[
	'investor_id text', 'fund_id bigint', 'fund_name text', 'currency text', 'units numeric', 'share numeric', 'base_price numeric', 'current_value numeric', 'investment_amount numeric', 'cost_basis numeric', 'unrealised_gain numeric', 'realised_gain numeric', 'withdrawn_amount numeric', 'distributions numeric', 'total_gain numeric', 'total_return numeric']);
select pg_temp.columns_are('fund_flow', array[
	'fund_id bigint', 'currency text', 'day date', 'subscriptions numeric', 'sales numeric', 'royalties numeric', 'redemptions numeric', 'purchases numeric', 'fees_paid numeric', 'distributions_paid numeric', 'residue_swept numeric', 'net numeric', 'closing_cash numeric']);
select pg_temp.columns_are('cash_ledger', array[
	'fund_id bigint', 'currency text', 'effective_at timestamp with time zone', 'day date', 'position bigint', 'event_id uuid', 'type text', 'is_reversal boolean', 'investor_id text', 'asset_id bigint', 'detail text', 'cash_in numeric', 'cash_out numeric', 'balance numeric']);
select pg_temp.columns_are('unit_register', array[
	'fund_id bigint', 'investor_id text', 'effective_at timestamp with time zone', 'day date', 'position bigint', 'event_id uuid', 'type text', 'is_reversal boolean', 'units numeric', 'unit_price numeric', 'cash numeric', 'holding_units numeric', 'fund_units numeric']);
select pg_temp.columns_are('trial_balance', array[
	'fund_id bigint', 'currency text', 'number integer', 'account text', 'class text', 'debit numeric', 'credit numeric', 'balance numeric']);
select pg_temp.columns_are('daily_control', array[
	'fund_id bigint', 'name text', 'findings text[]', 'last_valuation_date date', 'stale_prices bigint', 'price_drift numeric', 'price_age interval', 'halted_until timestamp with time zone', 'restatements bigint', 'unpaid_distributions bigint']);
select pg_temp.columns_are('nav_error', array[
	'fund_id bigint', 'currency text', 'valuation_date date', 'struck_by text', 'struck_at timestamp with time zone', 'struck_revision integer', 'struck_price numeric', 'current_revision integer', 'restated_price numeric', 'difference numeric', 'basis_points numeric', 'event_id uuid', 'effective_at timestamp with time zone', 'investor_id text', 'type text', 'units numeric', 'cash numeric', 'restated_cash numeric', 'off numeric']);
select pg_temp.columns_are('stale_price', array[
	'fund_id bigint', 'asset_id bigint', 'copyright_code text', 'registration_number text', 'music_id text', 'cost_cash numeric', 'value_cash numeric', 'stale_since date', 'valued_with date', 'last_quote_date date', 'last_quote numeric']);
select pg_temp.columns_are('audit_trail', array[
	'fund_id bigint', 'position bigint', 'event_id uuid', 'recorded_at timestamp with time zone', 'effective_at timestamp with time zone', 'is_back_dated boolean', 'actor text', 'type text', 'what text', 'reason text', 'reverses uuid', 'reversed_by uuid', 'metadata jsonb']);
select is(
	(select array_agg(attname::text order by attnum) from pg_attribute
	  where attrelid = 'fundes.event_log'::regclass and attnum > 0),
	array['position', 'stream', 'version', 'event_id', 'type', 'payload', 'metadata', 'effective_at', 'recorded_at'],
	'event_log has its columns in the order of the contract');

select is_empty(
	$$select relname from pg_class
	   where relnamespace = 'fundes'::regnamespace and relkind in ('v', 'r', 'S')
		 and coalesce(obj_description(oid, 'pg_class'), '') = ''
		 and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'i')$$,
	'each view, table and sequence has a comment');
select is_empty(
	$$select c.relname, a.attname
		from pg_class c join pg_attribute a on a.attrelid = c.oid
	   where c.relnamespace = 'fundes'::regnamespace and c.relkind = 'v' and a.attnum > 0
		 and obj_description(c.oid, 'pg_class') !~ '[(]internal'
		 and coalesce(col_description(c.oid, a.attnum), '') = ''$$,
	'each column of a view that clients read has a comment');

-- Types.
select is(
	(select array_agg(attname || ' ' || pg_temp.base_type(atttypid) order by attnum) from pg_attribute
	  where attrelid = 'fundes.appended'::regclass and attnum > 0),
	array['event_id uuid', 'stream text', 'version bigint', 'position bigint', 'replayed boolean'], 'type appended');
select is(
	(select array_agg(attname || ' ' || pg_temp.base_type(atttypid) order by attnum) from pg_attribute
	  where attrelid = 'fundes.investment_receipt'::regclass and attnum > 0),
	array['units numeric', 'unit_price numeric', 'cash_taken numeric', 'refund_cash numeric', 'event_id uuid'],
	'what create_investment returns');
select is(
	(select array_agg(attname || ' ' || pg_temp.base_type(atttypid) order by attnum) from pg_attribute
	  where attrelid = 'fundes.withdrawal_receipt'::regclass and attnum > 0),
	array['withdrawn_amount numeric', 'unit_price numeric', 'realised_gain numeric', 'event_id uuid'],
	'what withdraw_investment returns');
select is(
	(select array_agg(attname || ' ' || pg_temp.base_type(atttypid) order by attnum) from pg_attribute
	  where attrelid = 'fundes.fund_valuation'::regclass and attnum > 0),
	array['fund_id bigint', 'valuation_date date', 'asset_value numeric', 'capital_cash numeric', 'liabilities numeric',
		  'nav numeric', 'total_supply numeric', 'base_price numeric', 'stale_count integer', 'status text'],
	'what update_mcp_asset_value returns');
select is_empty(
	$$select typname from pg_type t
	   where typnamespace = 'fundes'::regnamespace
		 and (typtype = 'd' or typtype = 'c' and (select relkind from pg_class c where c.oid = typrelid) = 'c')
		 and coalesce(obj_description(oid, 'pg_type'), '') = ''$$,
	'each domain and type has a comment');

-- Domains of money.
select domain_type_is('fundes', d::name, 'pg_catalog', 'numeric', format('%s is a numeric', d))
  from unnest(array['cash', 'units', 'price']) d;
select throws_ok(format('select %L::fundes.%I', v, d), '23514', null, format('%s refuses %s', d, v))
  from unnest(array['cash', 'units', 'price']) d, unnest(array['NaN', 'Infinity', '-Infinity']) v;
select lives_ok(format('select %L::fundes.%I', v, d), format('%s holds %s', d, v))
  from (values ('cash', '99999999999999999999.9999'), ('cash', '-99999999999999999999.9999'),
			   ('units', '999999999999999999.999999'), ('price', '9999999999999999.9999'), ('price', '0'),
			   ('cash', '10.00000')) x(d, v);
select throws_ok(format('select %L::fundes.%I', v, d), '23514', null, format('%s refuses %s', d, v))
  from (values ('cash', '100000000000000000000'), ('cash', '0.00001'), ('units', '1000000000000000000'),
			   ('units', '0.0000001'), ('price', '10000000000000000'), ('price', '0.00001'), ('price', '-0.0001')) x(d, v);
select is_empty(
	$$select c.relname, a.attname
		from pg_class c join pg_attribute a on a.attrelid = c.oid
	   where c.relnamespace = 'fundes'::regnamespace and a.attnum > 0
		 and a.atttypid in ('float4'::regtype, 'float8'::regtype, 'money'::regtype)$$,
	'there is no float anywhere');

select * from finish();
rollback;
