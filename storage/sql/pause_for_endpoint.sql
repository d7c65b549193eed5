-- Another endpoint: nothing is sent until an operator has decided. A pause of somebody else's stays his, with our reason
-- behind his own, once.
UPDATE account
SET paused_reason = CASE WHEN coalesce(paused_by, 'daemon') IN ('daemon', 'endpoint check') THEN :reason
                         WHEN instr(coalesce(paused_reason, ''), :reason) > 0 THEN paused_reason
                         ELSE coalesce(paused_reason || '; ', '') || :reason END,
    paused_by = CASE WHEN coalesce(paused_by, 'daemon') IN ('daemon', 'endpoint check') THEN 'endpoint check' ELSE paused_by END,
    paused_at = coalesce(paused_at, :at)
WHERE one = 1;
