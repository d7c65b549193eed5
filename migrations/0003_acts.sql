-- Operators' acts: INSERT INTO operator_act (job_id, act, who, why) ... is checked by the BEFORE triggers
-- and applied by the AFTER trigger of its act, all in the one statement. Between the two its row is open
-- (applied_at IS NULL), which is what the guards (0002) let pass; the trigger that applied it closes it.
-- What is legal where is asked of job_rule, never written down a second time here.

-- Where a retry leads, from the evidence.
CREATE VIEW retry_event (job_id, event) AS
SELECT job.id,
       CASE
         WHEN job.dsp_id IS NOT NULL THEN 'retry_confirming'
         WHEN EXISTS (SELECT 1 FROM request WHERE request.job_id = job.id
                      AND resolution IS NULL AND purpose IN ('create', 'resubmit')) THEN 'retry_in_doubt'
         WHEN job.open_parents > 0 THEN 'retry_blocked'
         ELSE 'retry_ready'
       END
FROM job;

-- When a job's unresolved POSTs will have settled, by the wall clock (the daemon judges by the boot clock).
CREATE VIEW post_settled (job_id, at) AS
SELECT job_id, max(coalesce(finished_at, sent_at)) + (SELECT settle_ms FROM account WHERE one = 1)
FROM request
WHERE resolution IS NULL AND purpose IN ('create', 'resubmit')
GROUP BY job_id;

-- Checks ------------------------------------------------------------------------------------------

CREATE TRIGGER act_is_checked BEFORE INSERT ON operator_act
BEGIN
  -- Is it well formed?
  SELECT CASE
    WHEN EXISTS (SELECT 1 FROM operator_act WHERE id = NEW.id)
      THEN RAISE(ABORT, 'operator_act: acts are append-only; leave id out')
    WHEN NEW.applied_at IS NOT NULL
      THEN RAISE(ABORT, 'operator_act: leave applied_at out; it is set when the act is applied')
    WHEN coalesce(NEW.act NOT IN ('retry', 'cancel', 'exists', 'absent', 'priority', 'pause', 'resume'), 1)
      THEN RAISE(ABORT, 'operator_act: act is one of retry, cancel, exists, absent, priority; for the whole account pause, resume')
    WHEN coalesce(trim(NEW.who), '') = ''
      THEN RAISE(ABORT, 'operator_act: who is missing: your name')
    WHEN lower(trim(NEW.who)) IN ('daemon', 'ingest')
      THEN RAISE(ABORT, 'operator_act: who is a person; daemon and ingest are the programs')
    WHEN coalesce(trim(NEW.why), '') = ''
      THEN RAISE(ABORT, 'operator_act: why is missing: the reason, for those who read the history')
    WHEN NEW.act IN ('pause', 'resume') AND NEW.job_id IS NOT NULL
      THEN RAISE(ABORT, 'operator_act: pause and resume are for the whole account; leave job_id out')
    WHEN NEW.act NOT IN ('pause', 'resume') AND NEW.job_id IS NULL
      THEN RAISE(ABORT, 'operator_act: job_id is missing (see v_jobs); only pause and resume go without')
    WHEN NEW.act = 'exists' AND NEW.dsp_id IS NULL
      THEN RAISE(ABORT, 'exists: dsp_id is missing: the id under which the DSP has it')
    WHEN NEW.act <> 'exists' AND NEW.dsp_id IS NOT NULL
      THEN RAISE(ABORT, 'operator_act: dsp_id belongs to act ''exists'' alone')
    WHEN NEW.dsp_id IS NOT NULL
         AND (length(NEW.dsp_id) NOT BETWEEN 1 AND 128 OR NEW.dsp_id IN ('.', '..')
              OR NEW.dsp_id GLOB '*[^A-Za-z0-9._:~@+=/-]*'
              OR length(CAST(NEW.dsp_id AS BLOB)) <> length(NEW.dsp_id))
      THEN RAISE(ABORT, 'exists: dsp_id has 1 to 128 characters of A-Z a-z 0-9 . _ : - ~ @ + = /')
    WHEN NEW.act = 'priority' AND NEW.priority IS NULL
      THEN RAISE(ABORT, 'priority: priority is missing: a number, smaller goes first')
    WHEN NEW.act <> 'priority' AND NEW.priority IS NOT NULL
      THEN RAISE(ABORT, 'operator_act: priority belongs to act ''priority'' alone')
    WHEN NEW.act = 'resume' AND (SELECT paused_by FROM account WHERE one = 1) IS NULL
      THEN RAISE(ABORT, 'resume: the account is not paused')
    WHEN NEW.job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job WHERE id = NEW.job_id)
      THEN RAISE(ABORT, 'operator_act: there is no such job (see v_jobs)')
    WHEN (SELECT batch.state FROM job JOIN batch ON batch.id = job.batch_id WHERE job.id = NEW.job_id) = 'loading'
      THEN RAISE(ABORT, 'operator_act: the batch of this job is still being loaded; try again when it is')
  END;

  -- Is it legal in the job's present state?
  SELECT CASE
    WHEN NEW.act = 'cancel' AND job.state = 'submitting'
      THEN RAISE(ABORT, 'cancel: its request is on the wire (submitting) and lasts at most an HTTP timeout; try again')
    WHEN NEW.act = 'cancel' AND job.state = 'cancelled'
      THEN RAISE(ABORT, 'cancel: the job is cancelled already')
    WHEN NOT EXISTS (
        SELECT 1 FROM job_rule
        WHERE from_state = job.state AND actor = 'operator' AND event = CASE NEW.act
          WHEN 'retry' THEN (SELECT event FROM retry_event WHERE job_id = job.id)
          WHEN 'exists' THEN 'declared_existing'
          WHEN 'absent' THEN 'declared_absent'
          ELSE 'cancel' END)
      THEN CASE NEW.act
        WHEN 'retry' THEN RAISE(ABORT, 'retry: legal while the job is failed, waiting or cancelled; this one is not (see v_jobs)')
        WHEN 'exists' THEN RAISE(ABORT, 'exists: legal while the job is in_doubt or failed; this one is not (see v_jobs)')
        WHEN 'absent' THEN RAISE(ABORT, 'absent: legal while the job is in_doubt; this one is not (see v_jobs)')
        ELSE RAISE(ABORT, 'cancel: the job has succeeded; there is nothing left to cancel') END
    WHEN job.lease_token IS NOT NULL AND NEW.act = 'absent'
      THEN RAISE(ABORT, 'absent: a lookup of it is on the wire and lasts at most an HTTP timeout; try again')
    WHEN job.lease_token IS NOT NULL AND NEW.act = 'retry'
         AND (SELECT event FROM retry_event WHERE job_id = job.id) IN ('retry_ready', 'retry_blocked')
      THEN RAISE(ABORT, 'retry: a request of it is still open and lasts at most an HTTP timeout; try again')
  END
  FROM job WHERE job.id = NEW.job_id AND NEW.act <> 'priority';
END;

-- Ids are dense, so that the history of acts has no holes and nobody takes the last id there is.
CREATE TRIGGER act_has_the_next_id AFTER INSERT ON operator_act
WHEN NEW.id <> 1 + coalesce((SELECT max(id) FROM operator_act WHERE id < NEW.id), 0)
BEGIN SELECT RAISE(ABORT, 'operator_act: acts are append-only; leave id out'); END;

CREATE TRIGGER act_is_closed_once BEFORE UPDATE ON operator_act
WHEN OLD.applied_at IS NOT NULL OR NEW.applied_at IS NULL
  OR NEW.id IS NOT OLD.id OR NEW.job_id IS NOT OLD.job_id OR NEW.act IS NOT OLD.act
  OR NEW.dsp_id IS NOT OLD.dsp_id OR NEW.priority IS NOT OLD.priority OR NEW.who IS NOT OLD.who
  OR NEW.why IS NOT OLD.why OR NEW.at IS NOT OLD.at
BEGIN SELECT RAISE(ABORT, 'operator_act: acts are append-only; insert another one'); END;

CREATE TRIGGER act_is_kept BEFORE DELETE ON operator_act
BEGIN SELECT RAISE(ABORT, 'operator_act: acts are append-only'); END;

-- Applying ----------------------------------------------------------------------------------------

-- A procedure: INSERT INTO apply_move moves a job by a rule, with its line of history and its counts.
-- By hand it is refused by the guards, for no act is open then.
CREATE VIEW apply_move (act_id, job_id, event, at, why) AS SELECT NULL, NULL, NULL, NULL, NULL WHERE 0;

CREATE TRIGGER apply_move_insert INSTEAD OF INSERT ON apply_move
BEGIN
  INSERT INTO job_history (job_id, at, rule_id, attempt, act_id, reason)
  SELECT job.id, NEW.at, job_rule.id, job.attempt, NEW.act_id, NEW.why
  FROM job JOIN job_rule ON job_rule.from_state = job.state AND job_rule.event = NEW.event
  WHERE job.id = NEW.job_id;

  UPDATE job_count SET n = n - 1
  WHERE (batch_id, kind, state) = (SELECT batch_id, kind, state FROM job WHERE id = NEW.job_id);

  UPDATE job
  SET updated_at = NEW.at,
      state = (SELECT to_state FROM job_rule WHERE from_state = job.state AND event = NEW.event)
  WHERE id = NEW.job_id;

  INSERT INTO job_count (batch_id, kind, state, n)
  SELECT batch_id, kind, state, 1 FROM job WHERE id = NEW.job_id
  ON CONFLICT (batch_id, kind, state) DO UPDATE SET n = n + 1;

  -- INSERT OR IGNORE would step over a broken constraint above: nothing is half applied.
  SELECT RAISE(ABORT, 'operator_act: the act could not be applied')
  WHERE (SELECT state FROM job WHERE id = NEW.job_id)
     IS NOT (SELECT job_rule.to_state FROM job_history JOIN job_rule ON job_rule.id = job_history.rule_id
             WHERE job_history.job_id = NEW.job_id ORDER BY job_history.id DESC LIMIT 1);
END;

-- retry: to confirming, in_doubt, blocked or ready, with its attempts to spend given anew.
CREATE TRIGGER act_retry AFTER INSERT ON operator_act WHEN NEW.act = 'retry'
BEGIN
  UPDATE job
  SET tries = 0, setbacks = 0, looks = 0, overdue = 0, error = NULL, hold = NULL,
      due_at = CASE (SELECT event FROM retry_event WHERE job_id = NEW.job_id)
                 WHEN 'retry_confirming' THEN NEW.at
                 WHEN 'retry_in_doubt' THEN NEW.at END
  WHERE id = NEW.job_id;

  -- A doubt has its own way on: held for an operator, resubmitted at once, or looked up once settled.
  UPDATE job
  SET hold = CASE account.unknown_outcome
               WHEN 'hold' THEN 'no proof either way, and unknown_outcome is hold' END,
      due_at = CASE account.unknown_outcome
                 WHEN 'resubmit' THEN NEW.at
                 WHEN 'lookup' THEN max(NEW.at, (SELECT at FROM post_settled WHERE job_id = NEW.job_id)) END
  FROM account
  WHERE job.id = NEW.job_id
    AND (SELECT event FROM retry_event WHERE job_id = NEW.job_id) = 'retry_in_doubt';

  INSERT INTO apply_move (act_id, job_id, event, at, why)
  SELECT NEW.id, NEW.job_id, event, NEW.at, NEW.why FROM retry_event WHERE job_id = NEW.job_id;
  UPDATE operator_act SET applied_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  WHERE id = NEW.id;
END;

-- cancel: nothing more is sent for it. Evidence, id and an open request stay.
CREATE TRIGGER act_cancel AFTER INSERT ON operator_act WHEN NEW.act = 'cancel'
BEGIN
  UPDATE job SET due_at = NULL, hold = NULL WHERE id = NEW.job_id;
  INSERT INTO apply_move (act_id, job_id, event, at, why)
  VALUES (NEW.id, NEW.job_id, 'cancel', NEW.at, NEW.why);
  UPDATE operator_act SET applied_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  WHERE id = NEW.id;
END;

-- exists: the DSP has it under this id, which is asked for at once.
CREATE TRIGGER act_exists AFTER INSERT ON operator_act WHEN NEW.act = 'exists'
BEGIN
  UPDATE job
  SET dsp_id = NEW.dsp_id, due_at = NEW.at, hold = NULL, looks = 0, overdue = 0, error = NULL, looked_at = NULL,
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

-- absent: the DSP does not have it. It waits until its POSTs have settled; then the daemon resolves them.
CREATE TRIGGER act_absent AFTER INSERT ON operator_act WHEN NEW.act = 'absent'
BEGIN
  UPDATE job
  SET dsp_id = NULL, posted_at = NULL, looked_at = NULL, hold = NULL, looks = 0,
      due_at = max(NEW.at, coalesce((SELECT at FROM post_settled WHERE job_id = NEW.job_id), NEW.at))
  WHERE id = NEW.job_id;
  INSERT INTO apply_move (act_id, job_id, event, at, why)
  VALUES (NEW.id, NEW.job_id, 'declared_absent', NEW.at, NEW.why);
  UPDATE operator_act SET applied_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  WHERE id = NEW.id;
END;

-- priority: of the job; of a campaign: of its whole tree. Legal in every state.
CREATE TRIGGER act_priority AFTER INSERT ON operator_act WHEN NEW.act = 'priority'
BEGIN
  UPDATE job SET priority = NEW.priority WHERE id = NEW.job_id OR root_id = NEW.job_id;
  UPDATE operator_act SET applied_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  WHERE id = NEW.id;
END;

-- pause, resume: the whole account. An operator's pause takes the place of the daemon's own.
CREATE TRIGGER act_pause AFTER INSERT ON operator_act WHEN NEW.act = 'pause'
BEGIN
  UPDATE account SET paused_by = NEW.who, paused_reason = NEW.why, paused_at = NEW.at WHERE one = 1;
  UPDATE operator_act SET applied_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  WHERE id = NEW.id;
END;

CREATE TRIGGER act_resume AFTER INSERT ON operator_act WHEN NEW.act = 'resume'
BEGIN
  UPDATE account SET paused_by = NULL, paused_reason = NULL, paused_at = NULL WHERE one = 1;
  UPDATE operator_act SET applied_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  WHERE id = NEW.id;
END;
