-- What was learned of one limit says nothing about another: someone who raises it means the DSP to allow more.
UPDATE account
SET endpoint = :endpoint, rate_limit = :rate_limit, limit_count = :limit_count,
    limit_window_ms = :limit_window_ms, max_retries = :max_retries,
    most_retries = max(most_retries, :max_retries),
    unknown_outcome = :unknown_outcome, settle_ms = :settle_ms,
    cap = CASE WHEN rate_limit IS :rate_limit THEN cap END,
    ceiling = CASE WHEN rate_limit IS :rate_limit THEN ceiling END,
    lowered_boot_ms = CASE WHEN rate_limit IS :rate_limit THEN lowered_boot_ms END,
    clean_boot_ms = CASE WHEN rate_limit IS :rate_limit THEN clean_boot_ms END,
    clean_windows = CASE WHEN rate_limit IS :rate_limit THEN clean_windows ELSE 0 END
WHERE one = 1;
