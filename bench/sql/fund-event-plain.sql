\set f random(1, :funds)
\set v :v + 1
\set n :v * 100 + :client_id
insert into event (stream, version, type, payload) values ('fund-' || :f, :n, 'McpPurchased', ('{"fund_id": ' || :f || ', "asset_id": ' || :n || ', "copyright_code": "K' || :n || '", "registration_number": "R-0012345", "music_id": "S-000123456", "price_cash": 1000, "estimated_value_cash": null, "acquisition_date": "2026-01-31"}')::jsonb);
