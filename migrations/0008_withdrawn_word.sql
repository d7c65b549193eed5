-- An operator's 'exists' resolves the POSTs of its job by his word alone. When the DSP turns out not to know that
-- id, the word is withdrawn: the daemon, and nobody else, makes those POSTs unresolved again.

DROP TRIGGER guard_request_update;
CREATE TRIGGER guard_request_update BEFORE UPDATE ON request
WHEN (SELECT actor FROM writer) IS NULL OR OLD.finished_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'request is the ledger and not written by hand: what became of a POST is declared by INSERT INTO operator_act (job_id, act, who, why) with act ''exists'' or ''absent''')
  WHERE (SELECT actor FROM writer) IS NULL
    AND NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL
                    AND job_id = OLD.job_id AND act = 'exists');
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
