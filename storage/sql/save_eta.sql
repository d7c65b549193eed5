UPDATE account SET eta_at = :eta_at, eta_note = :eta_note WHERE one = 1;
