\set f random(1, :funds)
\set v :v + 1
\set n :v * 100 + :client_id
select peer.purchase_mcp(:f, 'K' || :n, 'R-0012345', 'S-000123456', 1000);
