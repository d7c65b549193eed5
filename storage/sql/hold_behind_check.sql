-- Started with --hold while a check stands, which may end before this does.
UPDATE account
SET paused_reason = coalesce(paused_reason, '') || '; also paused by --hold: ' || :reason,
    also_paused_by = '--hold', also_paused_at = :at,
    also_paused_reason = :reason || coalesce('; also paused by ' || also_paused_by || ': ' || also_paused_reason, '')
WHERE one = 1 AND paused_by IN ('generation check', 'endpoint check') AND also_paused_by IS NOT '--hold';
