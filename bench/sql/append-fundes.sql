\set s random(1, :streams)
select * from fundes.append('s' || :s || '-1', 'CopyrightBought', :payload);
