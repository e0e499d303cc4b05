-- the version is the client's own count: unique, and it costs the server nothing
\set s random(1, :streams)
\set v :v + 1
\set n :v * 100 + :client_id
insert into event (stream, version, type, payload) values ('s' || :s || '-1', :n, 'CopyrightBought', :payload);
