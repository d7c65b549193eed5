-- The tables may have forgotten requests: nothing is sent until an operator has decided, whatever held before.
UPDATE account
SET paused_by = 'generation check', paused_at = :at,
    paused_reason = :reason || coalesce('; also paused by ' || also_paused_by || ': ' || also_paused_reason, '')
WHERE one = 1;
