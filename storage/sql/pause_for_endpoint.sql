-- Another endpoint: nothing is sent until an operator has decided. Behind a generation check, once; before everybody else, whose words a resume of theirs takes
-- away from here on.
UPDATE account
SET paused_reason = CASE WHEN paused_by IS NOT 'generation check'
                           THEN :reason || coalesce('; also paused by ' || also_paused_by || ': ' || also_paused_reason, '')
                         WHEN instr(coalesce(paused_reason, ''), :reason) > 0 THEN paused_reason
                         ELSE substr(paused_reason, 1, instr(paused_reason || '; also paused by ', '; also paused by ') - 1) || '; ' || :reason
                                || substr(paused_reason, instr(paused_reason || '; also paused by ', '; also paused by ')) END,
    paused_at = CASE WHEN paused_by IN ('generation check', 'endpoint check') THEN paused_at ELSE :at END,
    paused_by = CASE WHEN paused_by = 'generation check' THEN paused_by ELSE 'endpoint check' END
WHERE one = 1;
