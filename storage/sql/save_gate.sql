-- The gate after a refusal and the learned cap. Who has paused the account is written apart (save_pause):
-- an operator's resume may have come meanwhile.
UPDATE account
SET gate_boot_key = :boot_key, gate_boot_ms = :gate_boot_ms, gate_at = :gate_at,
    refusals = :refusals, cap = :cap, ceiling = :ceiling, cap_boot_key = :boot_key,
    lowered_boot_ms = :lowered_boot_ms, clean_boot_ms = :clean_boot_ms, clean_windows = :clean_windows
WHERE one = 1;
