-- CSV files. Whoever reads the file (scripts/import with the server's COPY, a
-- driver with its own reader) gives it as an array of arrays of texts, the
-- header first. A file is loaded whole or not at all, and loading it again
-- writes nothing. The functions act as the owner: all that they are given is
-- text, and they call nothing of the caller's.

-- The lines of a file with their fields by name. Blanks around a field are
-- taken off, empty fields are left out, and so are lines without a field.
create function fundes.csv_lines(rows jsonb, required text[], optional text[])
	returns table (line integer, field jsonb)
	language plpgsql stable
	set search_path = pg_catalog, pg_temp
as $$
declare
	blanks text := E' \t\r';
	header text[];
	faults text;
	bad record;
begin
	if rows is null then
		raise exception using errcode = '22004', message = 'rows must not be null',
			detail = 'The value of rows is null.', hint = 'Give the file as an array of arrays of texts, the header first.';
	end if;
	if jsonb_typeof(rows) <> 'array' or jsonb_typeof(rows -> 0) is distinct from 'array' then
		raise exception using errcode = '22023', message = 'the file has no header',
			detail = format('The columns are: %s.', array_to_string(required || optional, ', ')),
			hint = 'The first line names the columns, in any order.';
	end if;
	if getdatabaseencoding() = 'UTF8' then	-- others may have neither
		blanks := blanks || chr(x'A0'::integer) || chr(x'FEFF'::integer);
	end if;
	header := array(select coalesce(replace(lower(btrim(name, blanks)), ' ', '_'), '')
					  from jsonb_array_elements_text(rows -> 0) with ordinality h(name, n) order by n);

	select concat_ws('; ',
			'unknown: ' || string_agg(case when name = '' then format('(column %s has no name)', n) else name end, ', ' order by n)
				filter (where name <> all (required || optional)),
			'twice: ' || string_agg(distinct name, ', ')
				filter (where name = any (required || optional) and name = any (header[:n - 1])),
			(select 'missing: ' || string_agg(r, ', ') from unnest(required) r where r <> all (header)))
	  into faults
	  from unnest(header) with ordinality h(name, n);
	if faults <> '' then
		raise exception using errcode = '22023', message = 'line 1: wrong columns: ' || faults,
			detail = format('Needed are %s%s.', array_to_string(required, ', '),
							case when optional <> '{}' then '; known as well ' || array_to_string(optional, ', ') else '' end),
			hint = 'The first line names the columns, in any order, separated like the fields.';
	end if;

	select r.n, r.fields,
		   (select header[i] from jsonb_array_elements_text(r.fields) with ordinality f(value, i)
			 where value ~ '[\n\r]' limit 1) as broken
	  into bad
	  from jsonb_array_elements(rows) with ordinality r(fields, n)
	 where jsonb_typeof(r.fields) <> 'array'
		or jsonb_array_length(r.fields) <> cardinality(header)
		or r.fields::text ~ '\\[nr]' and exists (select from jsonb_array_elements_text(r.fields) value
												  where btrim(value, blanks) ~ '[\n\r]')
	 order by r.n
	 limit 1;
	if found then
		raise exception using errcode = '22023',
			message = format('line %s: ', bad.n) || case
				when jsonb_typeof(bad.fields) <> 'array' then 'not an array'
				when jsonb_array_length(bad.fields) <> cardinality(header)
				then format('%s fields, but %s columns', jsonb_array_length(bad.fields), cardinality(header))
				else format('%s has a line break', bad.broken) end,
			detail = format('The line is %s.', left(bad.fields::text, 200)),
			hint = 'A quotation mark that is not closed, or a comma that should have been quoted?';
	end if;

	return query
		select r.n::integer, f.object
		  from jsonb_array_elements(rows) with ordinality r(fields, n),
			   lateral (select jsonb_object_agg(header[i], btrim(value, blanks)) filter (where btrim(value, blanks) <> '') as object
						  from jsonb_array_elements_text(r.fields) with ordinality v(value, i)) f
		 where r.n > 1 and f.object is not null;
end
$$;
comment on function fundes.csv_lines(jsonb, text[], text[]) is
'The lines of a CSV file with their fields by name (internal)';

-- A field, checked to be a text, number, id, date, month (a date, or without
-- its day) or moment (a date, with or without a time and an offset).
create function fundes.csv_field(line integer, field jsonb, name text, kind text, required boolean default true)
	returns text
	language plpgsql immutable
	set search_path = pg_catalog, pg_temp
as $$
declare
	value text := field ->> name;
	fault text;
	advice text;
	part text[];
begin
	if value is null and not required then
		return null;
	end if;
	if value is null then
		fault := 'is missing';
		advice := 'Fill it in, or take the line out.';
	elsif kind = 'number' and value !~ '^[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$' then
		fault := 'is not a number';
		advice := 'Write 1234.56: a point before the decimals, no separators of thousands, no currency.';
	elsif kind = 'id' and value !~ '^[0-9]{1,18}$' then
		fault := 'is not an id';
		advice := 'Write digits only.';
	elsif kind in ('date', 'month', 'moment') then
		part := regexp_match(value, case kind
			when 'date' then '^(\d{4})-(\d\d)-(\d\d)$'
			when 'month' then '^(\d{4})-(\d\d)(?:-(\d\d))?$'
			else '^(\d{4})-(\d\d)-(\d\d)(?:[ T]([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?: ?(?:Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?))?)?$' end);
		if part is null or part[1] = '0000' or part[2]::integer not between 1 and 12
			or coalesce(part[3], '01')::integer not between 1 and
			   extract(day from make_date(part[1]::integer, part[2]::integer, 1) + interval '1 month - 1 day') then
			fault := 'is not a ' || kind;
			advice := case kind when 'date' then 'Write 2023-06-30.'
								when 'month' then 'Write 2023-06 or 2023-06-30.'
								else 'Write 2023-06-30, 2023-06-30 12:00 or 2023-06-30 12:00:00+09.' end;
		elsif kind = 'month' and part[3] is null then
			return value || '-01';
		end if;
	end if;
	if fault is not null then
		raise exception using errcode = '22023', message = format('line %s: %s %s', line, name, fault),
			detail = format('The value is %s.', coalesce('"' || left(value, 100) || '"', 'empty')), hint = advice;
	end if;
	return value;
end
$$;
comment on function fundes.csv_field(integer, jsonb, text, text, boolean) is
'A field of a line of a CSV file, checked (internal)';

create function fundes.import_prices(
	rows jsonb, out lines integer, out recorded integer, out known integer, out never_held integer)
	returns record
	language plpgsql
	security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	numbers integer[];
	codes text[];
	registrations text[];
	songs text[];
	days date[];
	prices numeric[];
	twice record;
	at_line integer;
	state text;
	fault text;
	explanation text;
	advice text;
begin
	select array_agg(l.line order by l.line),
		   array_agg(fundes.csv_field(l.line, l.field, 'copyright_code', 'text') order by l.line),
		   array_agg(fundes.csv_field(l.line, l.field, 'registration_number', 'text') order by l.line),
		   array_agg(fundes.csv_field(l.line, l.field, 'music_id', 'text') order by l.line),
		   array_agg(fundes.csv_field(l.line, l.field, 'price_date', 'date')::date order by l.line),
		   array_agg(fundes.csv_field(l.line, l.field, 'price', 'number')::numeric order by l.line)
	  into numbers, codes, registrations, songs, days, prices
	  from fundes.csv_lines(rows, array['copyright_code', 'registration_number', 'music_id', 'price_date', 'price'], '{}') l;
	lines := coalesce(cardinality(numbers), 0);

	select n, first, price, other into twice
	  from (select n, price,
				   first_value(n) over w as first,
				   first_value(price) over w as other
			  from unnest(numbers, codes, registrations, songs, days, prices) u(n, code, registration, song, day, price)
			window w as (partition by code, registration, song, day order by n)) u
	 where price <> other
	 order by n
	 limit 1;
	if found then
		raise exception using errcode = '22023',
			message = format('line %s: another price than in line %s for the same copyright and day', twice.n, twice.first),
			detail = format('The prices are %s and %s.', twice.price, twice.other),
			hint = 'Take out the line that is wrong.';
	end if;

	select count(distinct (code, registration, song, day)) into recorded
	  from unnest(codes, registrations, songs, days, prices) u(code, registration, song, day, price)
	 where not exists (select from fundes.mcp_price p
						where p.copyright_code = code and p.registration_number = registration
						  and p.music_id = song and p.price_date = day and p.price = u.price);
	known := lines - recorded;
	select count(*) into never_held
	  from unnest(codes, registrations, songs) u(code, registration, song)
	 where not exists (select from fundes.mcp m
						where m.copyright_code = code and m.registration_number = registration and m.music_id = song
						  and m.sold_at is null and not m.reversed)
	   and not exists (select from fundes.mcp m
						where m.copyright_code = code and m.registration_number = registration and m.music_id = song
						  and m.sold_at is not null);
	begin
		for i in 1 .. lines loop
			at_line := numbers[i];
			perform fundes.record_mcp_price(codes[i], registrations[i], songs[i], days[i], prices[i]);
		end loop;
	exception when others then
		get stacked diagnostics state = returned_sqlstate, fault = message_text,
			explanation = pg_exception_detail, advice = pg_exception_hint;
		raise exception using errcode = state, message = format('line %s: %s', at_line, fault),
			detail = explanation, hint = advice;
	end;
end
$$;
comment on function fundes.import_prices(jsonb) is
$$Records the quotes of a CSV file, given as an array of arrays of texts with the header first: copyright_code, registration_number, music_id, price_date, price, in any order. All or nothing; the same file again changes nothing, another price for a day replaces it.
Returns the lines read, the quotes that were new or changed, those that were known, and how many are of copyrights that no fund holds or held: typing errors, or not bought yet.
Errors: 22023 and those of record_mcp_price, the message begins with the line.
Example: select * from fundes.import_prices('[["copyright_code","registration_number","music_id","price_date","price"], ["M1","R1","S1","2023-06-01","630000"]]');$$;

create function fundes.import_royalties(
	rows jsonb, metadata jsonb default null, out lines integer, out recorded integer, out known integer)
	returns record
	language plpgsql
	security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	royalty record;
	differs text;
	at_line integer;
	state text;
	fault text;
	explanation text;
	advice text;
begin
	lines := 0;
	recorded := 0;
	known := 0;
	-- one load at a time, so that what is not known now is recorded here
	perform from fundes.event_type where name = 'RoyaltyReceived' for no key update;
	begin
		for royalty in
			with field as materialized (
				select l.line,
					   fundes.csv_field(l.line, l.field, 'fund_id', 'id')::bigint as fund_id,
					   fundes.csv_field(l.line, l.field, 'asset_id', 'id', not l.field ? 'copyright_code')::bigint as asset_id,
					   fundes.csv_field(l.line, l.field, 'copyright_code', 'text', not l.field ? 'asset_id') as code,
					   fundes.csv_field(l.line, l.field, 'registration_number', 'text', l.field ? 'copyright_code') as registration,
					   fundes.csv_field(l.line, l.field, 'music_id', 'text', l.field ? 'copyright_code') as song,
					   fundes.csv_field(l.line, l.field, 'amount', 'number')::numeric as amount,
					   fundes.csv_field(l.line, l.field, 'period', 'month', false)::date as period,
					   fundes.csv_field(l.line, l.field, 'effective_at', 'moment', false) as moment,
					   fundes.csv_field(l.line, l.field, 'reference', 'text', false) as reference
				  from fundes.csv_lines(rows, array['fund_id', 'amount'],
										array['asset_id', 'copyright_code', 'registration_number', 'music_id',
											  'period', 'effective_at', 'reference']) l),
			timed as (
				select f.*,
					   case when moment ~ ':.*(Z|[+-][0-9:]+)$' then moment::timestamptz
							when moment ~ ':' then moment::timestamp at time zone coalesce(time_zone, 'UTC')
							else (moment::timestamp + interval '1 second') at time zone coalesce(time_zone, 'UTC') end as effective_at
				  from field f
				  left join fundes.fund using (fund_id)),
			-- by what the file says, never by what there is when it is loaded
			identified as (
				select t.*,
					   first_value(line) over (partition by fund_id, reference order by line) as first_line,
					   encode(substr(sha256(convert_to(case when reference is null
						then jsonb_build_array('royalty', fund_id, asset_id, code, registration, song, period, trim_scale(amount),
											   extract(epoch from effective_at),
											   row_number() over (partition by reference is null, fund_id, asset_id, code, registration, song,
																			   period, amount, effective_at order by line))
						else jsonb_build_array('royalty', fund_id, reference) end::text, 'UTF8')), 1, 16), 'hex')::uuid as id
				  from timed t)
			select i.*,
				   e.payload as recorded,
				   e.effective_at as recorded_at,
				   held.asset_id as held_id
			  from identified i
			  left join fundes.event e on e.event_id = i.id
			  left join lateral (
				select m.asset_id
				  from (select * from fundes.mcp where sold_at is null and not reversed
						union all								-- each has an index
						select * from fundes.mcp where sold_at is not null and held_until is not null and not reversed) m
				 where e.event_id is null and i.code is not null
				   and m.fund_id = i.fund_id
				   and m.copyright_code = i.code and m.registration_number = i.registration and m.music_id = i.song
				   and (i.asset_id is null or m.asset_id = i.asset_id)
				 order by m.purchased_at <= coalesce(i.effective_at, now()) desc, m.purchased_at desc
				 limit 1) held on true
			 order by i.fund_id, i.effective_at nulls last, i.line		-- locks of funds go up
		loop
			at_line := royalty.line;
			lines := lines + 1;
			if royalty.reference is not null and royalty.first_line <> royalty.line then
				raise exception using errcode = '22023',
					message = format('the same reference as in line %s', royalty.first_line),
					detail = format('The reference is "%s".', royalty.reference),
					hint = 'Within a fund each royalty has a reference of its own.';
			end if;
			if royalty.recorded is not null then
				select concat_ws(', ',
						case when (royalty.recorded ->> 'amount')::numeric <> royalty.amount
							 then format('amount %s, not %s', royalty.recorded ->> 'amount', royalty.amount) end,
						case when (royalty.recorded ->> 'asset_id')::bigint <> royalty.asset_id
							 then format('asset %s, not %s', royalty.recorded ->> 'asset_id', royalty.asset_id) end,
						case when (m.copyright_code, m.registration_number, m.music_id) <> (royalty.code, royalty.registration, royalty.song)
							 then format('copyright (%s, %s, %s), not (%s, %s, %s)', m.copyright_code, m.registration_number, m.music_id,
										 royalty.code, royalty.registration, royalty.song) end,
						case when (royalty.recorded ->> 'period')::date is distinct from royalty.period
							 then format('period %s, not %s', coalesce(royalty.recorded ->> 'period', 'empty'), coalesce(royalty.period::text, 'empty')) end,
						case when royalty.recorded_at <> royalty.effective_at
							 then format('effective_at %s, not %s', royalty.recorded_at, royalty.effective_at) end)
				  into differs
				  from fundes.mcp m
				 where m.asset_id = (royalty.recorded ->> 'asset_id')::bigint;
				if differs <> '' then
					raise exception using errcode = 'UF008',
						message = format('reference "%s" is recorded with other content', royalty.reference),
						detail = format('Recorded is %s.', differs),
						hint = 'Leave the line as it was, or reverse what is recorded and give the right one another reference.';
				end if;
				known := known + 1;
				continue;
			end if;
			if royalty.code is not null and royalty.held_id is null then
				raise exception using errcode = 'UF007', message = 'MCP not held',
					detail = format('Fund %s never held (%s, %s, %s)%s.', royalty.fund_id, royalty.code, royalty.registration,
									royalty.song, coalesce(' as asset ' || royalty.asset_id, '')),
					hint = 'View fundes.mcp_holding lists what each fund holds.';
			end if;
			perform fundes.record_royalty(royalty.fund_id, coalesce(royalty.held_id, royalty.asset_id), royalty.amount, royalty.period,
				effective_at => royalty.effective_at, event_id => royalty.id,
				metadata => coalesce(metadata, '{}') || jsonb_strip_nulls(
					jsonb_build_object('line', royalty.line, 'reference', royalty.reference)));
			recorded := recorded + 1;
		end loop;
	exception when others then
		if at_line is null then
			raise;				-- it names its line itself
		end if;
		get stacked diagnostics state = returned_sqlstate, fault = message_text,
			explanation = pg_exception_detail, advice = pg_exception_hint;
		raise exception using errcode = state, message = format('line %s: %s', at_line, fault),
			detail = explanation, hint = advice;
	end;
end
$$;
comment on function fundes.import_royalties(jsonb, jsonb) is
$$Records the royalties of a CSV file, given as an array of arrays of texts with the header first: fund_id, amount, and asset_id or copyright_code, registration_number, music_id; as well period (2023-05 or a date), effective_at, reference. effective_at without an offset is in the fund's zone, a date alone is its first second, empty is now().
All or nothing. A royalty is known again by its fund and reference, or else by fund, asset_id and name of the copyright, period, amount and effective_at, each as the file has it, and how many such stand before it in the file: then nothing is written, whatever the fund holds by then. metadata goes into each event, with the line.
Errors: 22023 and those of record_royalty, the message begins with the line.
Example: select * from fundes.import_royalties('[["fund_id","asset_id","period","amount","effective_at"], ["1","1","2023-05","12345","2023-06-10"]]');$$;

create function fundes.import_index(
	rows jsonb, metadata jsonb default null,
	out lines integer, out recorded integer, out known integer, out halted boolean)
	returns record
	language plpgsql
	security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	level record;
	was_known boolean;
	halts boolean;
	at_line integer;
	state text;
	fault text;
	explanation text;
	advice text;
begin
	lines := 0;
	recorded := 0;
	known := 0;
	halted := false;
	begin
		for level in
			select n.*,
				   first_value(n.line) over w as first_line,
				   first_value(n.level) over w as first_level,
				   n.index_date = max(n.index_date) over (partition by n.index_name) as is_newest
			  from (select l.line,
						   fundes.csv_field(l.line, l.field, 'index_name', 'text') as index_name,
						   fundes.csv_field(l.line, l.field, 'index_date', 'date')::date as index_date,
						   fundes.csv_field(l.line, l.field, 'level', 'number')::numeric as level
					  from fundes.csv_lines(rows, array['index_name', 'index_date', 'level'], '{}') l) n
			window w as (partition by n.index_name, n.index_date order by n.line)
			 order by n.index_name, n.index_date, n.line
		loop
			at_line := level.line;
			lines := lines + 1;
			was_known := exists (select from fundes.market_index m
							  where m.index_name = level.index_name and m.index_date = level.index_date
								and m.level = level.level);
			if level.level <> level.first_level then
				raise exception using errcode = '22023',
					message = format('another level than in line %s for the same index and day', level.first_line),
					detail = format('The levels are %s and %s.', level.level, level.first_level),
					hint = 'Take out the line that is wrong.';
			end if;
			-- what fell on an earlier day halts nothing now: that day ended, where
			-- days end first, before the newest can have begun anywhere
			halts := fundes.publish_index(level.index_name, level.index_date, level.level,
				effective_at => case when not level.is_newest
									 then (level.index_date + 1)::timestamp at time zone interval '14 hours' end,
				metadata => coalesce(metadata, '{}') || jsonb_build_object('line', level.line));
			halted := halted or (level.is_newest and halts);
			known := known + was_known::integer;
			recorded := recorded + (not was_known)::integer;
		end loop;
	exception when others then
		if at_line is null then
			raise;				-- it names its line itself
		end if;
		get stacked diagnostics state = returned_sqlstate, fault = message_text,
			explanation = pg_exception_detail, advice = pg_exception_hint;
		raise exception using errcode = state, message = format('line %s: %s', at_line, fault),
			detail = explanation, hint = advice;
	end;
end
$$;
comment on function fundes.import_index(jsonb, jsonb) is
$$Publishes the index levels of a CSV file, given as an array of arrays of texts with the header first: index_name, index_date, level, in any order. All or nothing; a level that is known is not published again. metadata goes into each event, with the line.
The last day of the file is published as of now and may halt dealing (halted); the days before it as of their end where days end first, 14 hours ahead of Greenwich.
Errors: 22023 and those of publish_index, the message begins with the line.
Example: select * from fundes.import_index('[["index_name","index_date","level"], ["mcpi","2023-06-01","184.01"]]');$$;
