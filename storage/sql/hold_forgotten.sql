-- The tables may have forgotten requests: nothing is sent until an operator has decided, whatever held before.
UPDATE account
SET paused_by = 'generation check', paused_reason = :reason, paused_at = :at
WHERE one = 1;
