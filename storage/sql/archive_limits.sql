SELECT rate_limit FROM account WHERE one = 1;
