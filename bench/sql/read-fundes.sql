\set s random(1, :streams)
select * from fundes.read_stream('s' || :s || '-1', null, 100);
