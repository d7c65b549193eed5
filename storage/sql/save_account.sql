UPDATE account
SET paused_at = CASE WHEN :paused_by IS NULL THEN NULL WHEN paused_by IS :paused_by THEN paused_at ELSE :at END,
    paused_by = :paused_by, paused_reason = :paused_reason,
    gate_boot_key = :boot_key, gate_boot_ms = :gate_boot_ms, gate_at = :gate_at,
    refusals = :refusals, cap = :cap, ceiling = :ceiling, cap_boot_key = :boot_key,
    lowered_boot_ms = :lowered_boot_ms, clean_boot_ms = :clean_boot_ms, clean_windows = :clean_windows
WHERE one = 1 AND (paused_by IS NULL OR paused_by = 'daemon' OR paused_by IS :paused_by);
