SELECT paused_by, paused_reason, gate_boot_key, gate_boot_ms, gate_at, refusals, cap, ceiling,
       cap_boot_key, lowered_boot_ms, clean_boot_ms, clean_windows
FROM account WHERE one = 1;
