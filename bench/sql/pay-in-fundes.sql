\set i random(1, 10000)
select * from fundes.create_investment('i' || :i, 1, 5000);
