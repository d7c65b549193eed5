-- While an operator's act is open (inside the statement that inserts it) the guards let its writes through. Somebody's
-- TEMP trigger runs in there too. So what passes is what the act itself does, and nothing else: its one transition, its
-- one line of history, its own columns. (A TEMP trigger that ends the statement with RAISE(FAIL) can still leave an act
-- half applied; v_broken_promises names it, and nothing is sent because of it.)

DROP TRIGGER guard_job_update;
CREATE TRIGGER guard_job_update BEFORE UPDATE ON job
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job is not written by hand: INSERT INTO operator_act (job_id, act, who, why) ...; see docs/OPERATIONS.md')
  WHERE NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL
                    AND (job_id = OLD.id OR (job_id = OLD.root_id AND act = 'priority')));
  SELECT RAISE(ABORT, 'job: an operator''s act changes nothing else of it')
  WHERE NEW.id IS NOT OLD.id OR NEW.batch_id IS NOT OLD.batch_id OR NEW.kind IS NOT OLD.kind OR NEW.key IS NOT OLD.key
     OR NEW.root_id IS NOT OLD.root_id OR NEW.level IS NOT OLD.level OR NEW.open_parents IS NOT OLD.open_parents
     OR NEW.attempt IS NOT OLD.attempt OR NEW.lease_token IS NOT OLD.lease_token OR NEW.archived_at IS NOT OLD.archived_at
     OR (NEW.tries IS NOT OLD.tries AND NEW.tries <> 0)
     OR (NEW.priority IS NOT OLD.priority AND NOT EXISTS (
           SELECT 1 FROM operator_act WHERE applied_at IS NULL AND act = 'priority' AND priority = NEW.priority
           AND job_id IN (OLD.id, OLD.root_id)))
     OR (NEW.dsp_id IS NOT OLD.dsp_id AND NOT EXISTS (
           SELECT 1 FROM operator_act WHERE applied_at IS NULL AND job_id = OLD.id
           AND ((act = 'exists' AND dsp_id = NEW.dsp_id) OR (act = 'absent' AND NEW.dsp_id IS NULL))))
     OR (NEW.state IS NOT OLD.state AND NOT EXISTS (
           SELECT 1
           FROM operator_act JOIN job_history AS line ON line.act_id = operator_act.id AND line.job_id = OLD.id
           JOIN job_rule ON job_rule.id = line.rule_id AND job_rule.to_state = NEW.state
           WHERE operator_act.applied_at IS NULL AND operator_act.job_id = OLD.id
             AND line.id = (SELECT max(id) FROM job_history WHERE job_id = OLD.id)));
END;

DROP TRIGGER guard_job_history_insert;
CREATE TRIGGER guard_job_history_insert BEFORE INSERT ON job_history
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job_history is written by DemandLink alone; an operator''s act writes its own line')
  WHERE NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL
                    AND job_id = NEW.job_id AND id = NEW.act_id);
  SELECT RAISE(ABORT, 'job_history: an operator''s act writes one line, of its own')
  WHERE EXISTS (SELECT 1 FROM job_history WHERE job_id = NEW.job_id AND act_id = NEW.act_id)
     OR EXISTS (SELECT 1 FROM job_history WHERE id = NEW.id)
     OR NOT EXISTS (
          SELECT 1 FROM operator_act JOIN job ON job.id = NEW.job_id
          JOIN job_rule ON job_rule.id = NEW.rule_id AND job_rule.from_state = job.state AND job_rule.actor = 'operator'
          WHERE operator_act.id = NEW.act_id AND job_rule.event = CASE operator_act.act
            WHEN 'retry' THEN (SELECT event FROM retry_event WHERE retry_event.job_id = NEW.job_id)
            WHEN 'exists' THEN 'declared_existing' WHEN 'absent' THEN 'declared_absent' WHEN 'cancel' THEN 'cancel' END);
END;

DROP TRIGGER guard_request_update;
CREATE TRIGGER guard_request_update BEFORE UPDATE ON request
WHEN (SELECT actor FROM writer) IS NULL OR OLD.finished_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'request is the ledger and not written by hand: what became of a POST is declared by INSERT INTO operator_act (job_id, act, who, why) with act ''exists'' or ''absent''')
  WHERE (SELECT actor FROM writer) IS NULL
    AND NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL
                    AND job_id = OLD.job_id AND act = 'exists');
  SELECT RAISE(ABORT, 'request: act ''exists'' resolves the POSTs of its job, and changes nothing else')
  WHERE (SELECT actor FROM writer) IS NULL
    AND (NEW.id IS NOT OLD.id OR NEW.job_id IS NOT OLD.job_id OR NEW.attempt IS NOT OLD.attempt
         OR NEW.purpose IS NOT OLD.purpose OR NEW.method IS NOT OLD.method OR NEW.path IS NOT OLD.path
         OR NEW.idempotency_key IS NOT OLD.idempotency_key OR NEW.body_request_id IS NOT OLD.body_request_id
         OR NEW.instance_id IS NOT OLD.instance_id OR NEW.worker IS NOT OLD.worker OR NEW.sent_at IS NOT OLD.sent_at
         OR NEW.sent_boot_ms IS NOT OLD.sent_boot_ms OR NEW.finished_at IS NOT OLD.finished_at
         OR NEW.finished_boot_ms IS NOT OLD.finished_boot_ms OR NEW.finished_boot_key IS NOT OLD.finished_boot_key
         OR NEW.slot IS NOT OLD.slot OR NEW.latency_us IS NOT OLD.latency_us OR NEW.http_status IS NOT OLD.http_status
         OR NEW.outcome IS NOT OLD.outcome OR NEW.dsp_id IS NOT OLD.dsp_id
         OR NEW.dsp_request_id IS NOT OLD.dsp_request_id OR NEW.error IS NOT OLD.error
         OR OLD.purpose NOT IN ('create', 'resubmit') OR OLD.resolution IS NOT NULL OR NEW.resolution IS NOT 'exists');
  SELECT RAISE(ABORT, 'request: an outcome is written once')
  WHERE OLD.finished_at IS NOT NULL
    AND (NEW.finished_at IS NOT OLD.finished_at OR NEW.finished_boot_ms IS NOT OLD.finished_boot_ms
         OR NEW.finished_boot_key IS NOT OLD.finished_boot_key OR NEW.slot IS NOT OLD.slot
         OR NEW.latency_us IS NOT OLD.latency_us OR NEW.http_status IS NOT OLD.http_status
         OR NEW.outcome IS NOT OLD.outcome OR NEW.dsp_id IS NOT OLD.dsp_id
         OR NEW.dsp_request_id IS NOT OLD.dsp_request_id OR NEW.error IS NOT OLD.error
         OR (OLD.resolution IS NOT NULL AND NEW.resolution IS NOT OLD.resolution
             AND NOT (OLD.resolution = 'exists' AND NEW.resolution IS NULL
                      AND (SELECT actor FROM writer) IS NOT NULL)));
END;

-- One more, one less, of the batch and kind of the job.
DROP TRIGGER guard_job_count_insert;
CREATE TRIGGER guard_job_count_insert BEFORE INSERT ON job_count
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job_count is kept by DemandLink alone')
  WHERE NEW.n IS NOT 1
     OR NOT EXISTS (SELECT 1 FROM operator_act JOIN job ON job.id = operator_act.job_id
                    WHERE applied_at IS NULL AND job.batch_id = NEW.batch_id AND job.kind = NEW.kind);
END;
DROP TRIGGER guard_job_count_update;
CREATE TRIGGER guard_job_count_update BEFORE UPDATE ON job_count
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job_count is kept by DemandLink alone')
  WHERE NEW.batch_id IS NOT OLD.batch_id OR NEW.kind IS NOT OLD.kind OR NEW.state IS NOT OLD.state
     OR abs(NEW.n - OLD.n) IS NOT 1
     OR NOT EXISTS (SELECT 1 FROM operator_act JOIN job ON job.id = operator_act.job_id
                    WHERE applied_at IS NULL AND job.batch_id = OLD.batch_id AND job.kind = OLD.kind);
END;

DROP TRIGGER guard_account_update;
CREATE TRIGGER guard_account_update BEFORE UPDATE ON account
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'account is not written by hand: INSERT INTO operator_act (act, who, why) with act ''pause'' or ''resume''; settings come from the configuration')
  WHERE NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL
                    AND job_id IS NULL AND act IN ('pause', 'resume'));
  SELECT RAISE(ABORT, 'account: act ''pause'' pauses, act ''resume'' resumes, and neither changes anything else')
  WHERE NEW.one IS NOT OLD.one OR NEW.endpoint IS NOT OLD.endpoint OR NEW.rate_limit IS NOT OLD.rate_limit
     OR NEW.limit_count IS NOT OLD.limit_count OR NEW.limit_window_ms IS NOT OLD.limit_window_ms
     OR NEW.max_retries IS NOT OLD.max_retries OR NEW.unknown_outcome IS NOT OLD.unknown_outcome
     OR NEW.settle_ms IS NOT OLD.settle_ms OR NEW.gate_boot_key IS NOT OLD.gate_boot_key
     OR NEW.gate_boot_ms IS NOT OLD.gate_boot_ms OR NEW.gate_at IS NOT OLD.gate_at OR NEW.refusals IS NOT OLD.refusals
     OR NEW.cap IS NOT OLD.cap OR NEW.ceiling IS NOT OLD.ceiling OR NEW.eta_at IS NOT OLD.eta_at
     OR NEW.eta_note IS NOT OLD.eta_note OR NEW.cap_boot_key IS NOT OLD.cap_boot_key
     OR NEW.lowered_boot_ms IS NOT OLD.lowered_boot_ms OR NEW.clean_boot_ms IS NOT OLD.clean_boot_ms
     OR NEW.clean_windows IS NOT OLD.clean_windows;
END;
