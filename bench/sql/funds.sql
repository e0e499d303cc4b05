-- Funds that are a month old and have cash for any number of purchases.
select fundes.create_investor('seed', 'Seed') \g /dev/null
select count(fundes.create_fund('Fund ' || n, effective_at => now() - interval '30 days'))
  from generate_series(1, :funds) n \g /dev/null
select count(*) from generate_series(1, :funds) n,
	fundes.create_investment('seed', n, 1000000000000, effective_at => now() - interval '29 days') \g /dev/null
vacuum analyze;
