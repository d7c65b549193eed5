SELECT paused_by, paused_reason, eta_at, eta_note, limit_count, limit_window_ms FROM account;
