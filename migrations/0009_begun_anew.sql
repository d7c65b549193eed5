-- A job that has spent its attempts leaves 'failed' only by an operator's word. 'retry' gives it its attempts
-- anew; so does 'exists', or a word that turns out wrong would lead to a creation beyond 1 + max_retries.

DROP TRIGGER act_exists;
CREATE TRIGGER act_exists AFTER INSERT ON operator_act WHEN NEW.act = 'exists'
BEGIN
  UPDATE job
  SET dsp_id = NEW.dsp_id, due_at = NEW.at, hold = NULL, looks = 0, overdue = 0, error = NULL, looked_at = NULL,
      tries = CASE state WHEN 'failed' THEN 0 ELSE tries END,
      posted_at = coalesce((SELECT max(sent_at) FROM request
                            WHERE job_id = NEW.job_id AND purpose = 'create'), NEW.at)
  WHERE id = NEW.job_id;
  UPDATE request SET resolution = 'exists'
  WHERE job_id = NEW.job_id AND resolution IS NULL AND purpose IN ('create', 'resubmit');
  INSERT INTO apply_move (act_id, job_id, event, at, why)
  VALUES (NEW.id, NEW.job_id, 'declared_existing', NEW.at, NEW.why);
  UPDATE operator_act SET applied_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  WHERE id = NEW.id;
END;
