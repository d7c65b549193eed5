SELECT paused_by, paused_reason, eta_at, eta_note, rate_limit, limit_count, limit_window_ms FROM account;
