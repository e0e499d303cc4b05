\set s random(1, :streams)
select * from get_stream_messages('s' || :s || '-1', 0, 100);
