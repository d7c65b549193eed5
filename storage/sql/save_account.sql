UPDATE account
SET paused_at = CASE WHEN :paused_by IS NULL THEN NULL WHEN paused_by IS :paused_by THEN paused_at ELSE :at END,
    paused_by = :paused_by, paused_reason = :paused_reason,
    gate_boot_key = :boot_key, gate_boot_ms = :gate_boot_ms, gate_at = :gate_at,
    refusals = :refusals, cap = :cap, ceiling = :ceiling
WHERE one = 1 AND (paused_by IS NULL OR paused_by = 'daemon' OR paused_by IS :paused_by);
