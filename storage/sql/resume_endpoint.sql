-- The daemon is started with the former endpoint again. Nothing was sent meanwhile.
UPDATE account SET paused_by = NULL, paused_reason = NULL, paused_at = NULL WHERE one = 1 AND paused_by = 'endpoint check';
