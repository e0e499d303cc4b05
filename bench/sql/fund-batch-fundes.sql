\set v :v + 1
\set n :v * 100 + :client_id
select count(*) from fundes.append_batch(array_fill('fund-1'::text, array[20]), array_fill('McpPurchased'::text, array[20]), array(select ('{"fund_id": 1, "asset_id": ' || n || ', "copyright_code": "K' || n || '", "registration_number": "R-0012345", "music_id": "S-000123456", "price_cash": 1000, "estimated_value_cash": null, "acquisition_date": "2026-01-31"}')::jsonb from (select :n::bigint * 20 + g from generate_series(1, 20) g) x(n)));
