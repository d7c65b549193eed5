-- The daemon itself has paused or resumed. A person's pause is the person's to end.
UPDATE account
SET paused_at = CASE WHEN :paused_by IS NULL THEN NULL WHEN paused_by IS :paused_by THEN paused_at ELSE :at END,
    paused_by = :paused_by, paused_reason = :paused_reason
WHERE one = 1 AND (paused_by IS NULL OR paused_by = 'daemon');
