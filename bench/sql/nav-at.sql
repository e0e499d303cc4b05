\set day random(10, 3600)
\set second random(0, 86399)
select fundes.fund_nav(:f, timestamptz '2010-01-04 00:00Z' + :day * interval '1 day' + :second * interval '1 second');
