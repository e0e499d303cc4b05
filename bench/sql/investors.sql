select count(fundes.create_investor('i' || n, 'Investor')) from generate_series(1, 10000) n \g /dev/null
vacuum analyze;
