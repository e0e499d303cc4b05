select fundes.compute_fund_value(:f);
