-- Started with --hold: nothing is sent until an operator's resume.
UPDATE account
SET paused_by = '--hold', paused_reason = 'started with --hold; go on with operator_act resume', paused_at = :at
WHERE one = 1 AND (paused_by IS NULL OR paused_by = 'daemon');
