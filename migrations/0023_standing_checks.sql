-- A check of the daemon's (generation check, endpoint check) or --hold stands until a resume that is meant for it. A person's pause
-- took its place before: her resume, meant for her own pause, released it, and a restored backup created everything twice. Now it
-- comes first, and who paused besides stands behind it: in the reason for people, and apart, so that a check that ends by
-- itself (the former endpoint again) leaves that pause standing.
ALTER TABLE account ADD COLUMN also_paused_by TEXT;      -- behind a check or --hold: an operator's name, or '--hold'
ALTER TABLE account ADD COLUMN also_paused_reason TEXT;
ALTER TABLE account ADD COLUMN also_paused_at INTEGER;

CREATE TRIGGER act_is_no_check BEFORE INSERT ON operator_act
WHEN lower(trim(NEW.who)) IN ('generation check', 'endpoint check', '--hold')
BEGIN SELECT RAISE(ABORT, 'operator_act: who is a person; generation check, endpoint check and --hold are the daemon''s'); END;

-- An operator's pause takes the place of the daemon's own (credentials) and of another operator's.
DROP TRIGGER act_pause;
CREATE TRIGGER act_pause AFTER INSERT ON operator_act WHEN NEW.act = 'pause'
BEGIN
  UPDATE account SET paused_by = NEW.who, paused_reason = NEW.why, paused_at = NEW.at
  WHERE one = 1 AND coalesce(paused_by, 'daemon') NOT IN ('generation check', 'endpoint check', '--hold');

  -- Said once: somebody's script may say it every minute.
  UPDATE account
  SET paused_reason = coalesce(paused_reason, '') || '; also paused by ' || NEW.who || ': ' || NEW.why,
      also_paused_by = CASE WHEN also_paused_by = '--hold' THEN '--hold' ELSE NEW.who END,
      also_paused_reason = CASE WHEN also_paused_by = '--hold' THEN also_paused_reason || '; also paused by ' || NEW.who || ': ' || NEW.why
                                ELSE NEW.why END,
      also_paused_at = CASE WHEN also_paused_by = '--hold' THEN also_paused_at ELSE NEW.at END
  WHERE one = 1 AND paused_by IN ('generation check', 'endpoint check', '--hold')
    AND instr(coalesce(paused_reason, ''), '; also paused by ' || NEW.who || ': ' || NEW.why) = 0;

  UPDATE operator_act SET applied_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  WHERE id = NEW.id;
END;

DROP TRIGGER act_resume;
CREATE TRIGGER act_resume AFTER INSERT ON operator_act WHEN NEW.act = 'resume'
BEGIN
  -- A person's pause that stands behind a check or --hold ends alone: whoever is back from lunch means that one.
  UPDATE account
  SET paused_by = iif(check_stays, paused_by, NULL),
      paused_at = iif(check_stays, paused_at, NULL),
      paused_reason = iif(check_stays, substr(paused_reason, 1, instr(paused_reason, '; also paused by ') - 1)
                                             || coalesce('; also paused by --hold: ' || hold_reason, ''), NULL),
      also_paused_by = iif(check_stays AND hold_reason IS NOT NULL, '--hold', NULL),
      also_paused_at = iif(check_stays AND hold_reason IS NOT NULL, also_paused_at, NULL),
      also_paused_reason = iif(check_stays, hold_reason, NULL)
  FROM (SELECT paused_by IN ('generation check', 'endpoint check', '--hold')
                 AND instr(replace(paused_reason, '; also paused by --hold: ', ''), '; also paused by ') > 0 AS check_stays,
               CASE also_paused_by
                 WHEN '--hold' THEN substr(also_paused_reason, 1, instr(also_paused_reason || '; also paused by ', '; also paused by ') - 1)
               END AS hold_reason
        FROM account) AS found
  WHERE one = 1;
  UPDATE operator_act SET applied_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  WHERE id = NEW.id;
END;
