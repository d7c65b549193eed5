UPDATE account
SET endpoint = :endpoint, rate_limit = :rate_limit, limit_count = :limit_count,
    limit_window_ms = :limit_window_ms, max_retries = :max_retries,
    unknown_outcome = :unknown_outcome, settle_ms = :settle_ms
WHERE one = 1;
