-- Prints doc/reference.md from the comments in the catalog:
--   psql -XAtq -f doc/reference.sql > doc/reference.md
-- in a database that has the extension. test/t/docs.pl compares the two.

load 'fundes';
select E'# Reference\n\nMade from the comments in the database by `doc/reference.sql`. Errors are explained in [errors.md](errors.md).\n\n## Functions';

select format(E'\n### %s\n\n```sql\nfundes.%s(%s)\n  returns %s\n```\n\n%s',
			  proname, proname,
			  pg_get_function_arguments(oid),
			  pg_get_function_result(oid),
			  replace(replace(obj_description(oid, 'pg_proc'), E'\n', E'  \n'), '<', '\<'))
  from pg_proc
 where pronamespace = 'fundes'::regnamespace
   and prorettype <> 'trigger'::regtype
   and obj_description(oid, 'pg_proc') !~ '[(]internal'
 order by proname collate "C", pronargs;

select E'\n## Views';

select format(E'\n### %s\n\n%s%s\n\n| column | type | meaning |\n|---|---|---|\n%s',
			  c.relname, replace(obj_description(c.oid, 'pg_class'), E'\n', E'  \n'),
			  case when obj_description(c.oid, 'pg_class') like '%;' then '' else '.' end,
			  (select string_agg(format('| %s | %s | %s |', a.attname,
										format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null),
										col_description(c.oid, a.attnum)),
								 E'\n' order by a.attnum)
				 from pg_attribute a join pg_type t on t.oid = a.atttypid
				where a.attrelid = c.oid and a.attnum > 0))
  from pg_class c
 where c.relnamespace = 'fundes'::regnamespace and c.relkind = 'v'
   and obj_description(c.oid, 'pg_class') !~ '[(]internal'
 order by c.relname collate "C";

select E'\n## Types that functions return';

select format(E'\n### %s\n\n%s.\n\n| attribute | type |\n|---|---|\n%s',
			  t.typname, obj_description(t.oid, 'pg_type'),
			  (select string_agg(format('| %s | %s |', a.attname,
										format_type(coalesce(nullif(b.typbasetype, 0), b.oid), null)),
								 E'\n' order by a.attnum)
				 from pg_attribute a join pg_type b on b.oid = a.atttypid
				where a.attrelid = t.typrelid and a.attnum > 0))
  from pg_type t
 where t.typnamespace = 'fundes'::regnamespace and t.typtype = 'c'
   and exists (select from pg_proc p where p.prorettype = t.oid and p.pronamespace = t.typnamespace)
   and exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c')
 order by t.typname collate "C";

select E'\n## Events\n\nThe payload of each built-in event type.';

select format(E'\n### %s\n\n%s.\n\n| key | type | may be null |\n|---|---|---|\n%s',
			  e.name, replace(obj_description(e.payload_type, 'pg_type'), '<', '\<'),
			  (select string_agg(format('| %s | %s | %s |', a.attname,
										replace(format_type(a.atttypid, a.atttypmod), 'fundes.', ''),
										case when t.typnotnull then '' else 'yes' end),
								 E'\n' order by a.attnum)
				 from pg_type c join pg_attribute a on a.attrelid = c.typrelid
				 join pg_type t on t.oid = a.atttypid
				where c.oid = e.payload_type and a.attnum > 0))
  from fundes.event_type e
 where e.type_id < 1000
 order by e.type_id;

select E'\n## Settings\n\nWhat a session sets is its own; other sessions and the nightly job of pg_cron do not see it. For all of a database, from the next session on:\n\n```sql\nalter database music set fundes.max_quote_age = \'10 days\';\n```\n\nAnybody may set those of `user`. Those of `superuser` are set by superusers and by who was granted SET on them.\n\n| name | default | set by | meaning |\n|---|---|---|---|';
select format('| %s | %s | %s | %s |', name, concat_ws(' ', boot_val, unit), context, concat_ws(' ', short_desc, extra_desc))
  from pg_settings where name like 'fundes.%' order by name collate "C";
