-- Batches :first .. :last of 1,000 events each, as the text that a driver
-- sends for array parameters. kind: one (each batch to a stream of its own),
-- many (each event to one of 1,000 streams), fund (purchases of 1,000 funds).
create table if not exists batch (
	n int primary key, streams text, types text, payloads text, versions text, ids text);
alter table batch alter streams set storage external, alter types set storage external,
	alter payloads set storage external, alter versions set storage external, alter ids set storage external;
insert into batch
select n, array_agg(stream)::text, array_agg(type)::text,
	   array_agg(payload)::text, array_agg(version)::text, array_agg(id)::text
  from (select n,
			   case :'kind' when 'one' then 's' || 1 + n % 1000 || '-1'
							when 'many' then 's' || 1 + (n * 7919 + i * 611953) % 1000 || '-1'
							else 'fund-' || 1 + i % 1000 end as stream,
			   case :'kind' when 'fund' then 'McpPurchased' else 'CopyrightBought' end as type,
			   case :'kind' when 'fund' then
					format('{"fund_id": %s, "asset_id": %s, "copyright_code": "K%2$s", "registration_number": "R-0012345", "music_id": "S-000123456", "price_cash": 1000, "estimated_value_cash": null, "acquisition_date": "2026-01-31"}',
						   1 + i % 1000, n * 1000 + i)
					else :'payload' end as payload,
			   n * 1000::bigint + i as version,
			   gen_random_uuid() as id
		  from generate_series(:first, :last) n, generate_series(0, 999) i) e
 group by n;
