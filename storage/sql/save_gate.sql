-- The gate and the learned cap alone, where a person has paused the account meanwhile.
UPDATE account
SET gate_boot_key = :boot_key, gate_boot_ms = :gate_boot_ms, gate_at = :gate_at,
    refusals = :refusals, cap = :cap, ceiling = :ceiling
WHERE one = 1;
