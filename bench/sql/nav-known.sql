\set day random(10, 3600)
\set known random(1, 1000)
select fundes.fund_nav(:f, timestamptz '2010-01-04 00:00Z' + :day * interval '1 day', timestamptz 'epoch' + (:first::numeric + (:last::numeric - :first::numeric) * :known::numeric / 1000) * interval '1 second');
