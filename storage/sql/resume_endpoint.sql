-- The daemon is started with the former endpoint again. Nothing was sent meanwhile. Who paused behind the check still does.
UPDATE account
SET paused_by = also_paused_by, paused_reason = also_paused_reason, paused_at = also_paused_at,
    also_paused_by = NULL, also_paused_reason = NULL, also_paused_at = NULL
WHERE one = 1 AND paused_by = 'endpoint check';
