-- Started with --hold: nothing is sent until an operator's resume.
UPDATE account
SET paused_by = '--hold', paused_at = :at,
    paused_reason = :reason || coalesce('; also paused by ' || also_paused_by || ': ' || also_paused_reason, '')
WHERE one = 1 AND coalesce(paused_by, 'daemon') NOT IN ('generation check', 'endpoint check', '--hold');
