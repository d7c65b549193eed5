SELECT paused_by, paused_reason, gate_boot_key, gate_boot_ms, gate_at, refusals, cap, ceiling
FROM account WHERE one = 1;
