-- from the last event that was read; the rows come to the client, which keeps the last
select * from fundes.read_all(:position, 100) \aset
