-- Who may write what. A guard refuses every hand-written INSERT, UPDATE and DELETE, so REPLACE, UPSERT,
-- OR IGNORE and changed ids are refused too, with foreign keys off and CHECKs ignored. It holds for a
-- statement when nobody is named in `writer` and no operator's act (0003) is being applied: an act is
-- open (applied_at IS NULL) only inside the statement that inserts it.
-- A guard's WHEN asks the writer first and reads no column of the row, which keeps it cheap for us.

CREATE INDEX operator_act_open ON operator_act (job_id) WHERE applied_at IS NULL;
CREATE INDEX operator_act_job ON operator_act (job_id, id);

-- writer ------------------------------------------------------------------------------------------
-- The function exists on DemandLink's own connections only: elsewhere the statement ends with
-- "no such function: only_demandlink_programs_write_here__use_operator_act".

CREATE TRIGGER guard_writer_insert BEFORE INSERT ON writer
BEGIN SELECT only_demandlink_programs_write_here__use_operator_act(); END;
CREATE TRIGGER guard_writer_update BEFORE UPDATE ON writer
BEGIN SELECT only_demandlink_programs_write_here__use_operator_act(); END;
CREATE TRIGGER guard_writer_delete BEFORE DELETE ON writer
BEGIN SELECT only_demandlink_programs_write_here__use_operator_act(); END;

-- job ---------------------------------------------------------------------------------------------

CREATE TRIGGER guard_job_insert BEFORE INSERT ON job
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job is not written by hand: load a sheet with dl-ingest; to change what happens to a job, INSERT INTO operator_act (job_id, act, who, why) ...; see docs/OPERATIONS.md');
END;

-- An act changes its own job; a campaign's priority is its whole tree's.
CREATE TRIGGER guard_job_update BEFORE UPDATE ON job
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job is not written by hand: INSERT INTO operator_act (job_id, act, who, why) ...; see docs/OPERATIONS.md')
  WHERE NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL
                    AND (job_id = OLD.id OR (job_id = OLD.root_id AND act = 'priority')));
END;

CREATE TRIGGER guard_job_delete BEFORE DELETE ON job
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job is not deleted by hand: INSERT INTO operator_act (job_id, act, who, why) with act ''cancel''; see docs/OPERATIONS.md');
END;

-- For everybody. UPDATE OF costs nothing where these columns are not assigned.
CREATE TRIGGER job_keeps_its_name BEFORE UPDATE OF id, kind, key ON job
WHEN (SELECT actor FROM writer) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'job: id, kind and key never change'); END;

CREATE TRIGGER job_stays_once_loaded BEFORE DELETE ON job
WHEN (SELECT actor FROM writer) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'job: only the jobs of a batch that is still loading are removed')
  WHERE (SELECT state FROM batch WHERE id = OLD.batch_id) = 'loaded';
END;

-- What ingest writes ------------------------------------------------------------------------------

CREATE TRIGGER guard_job_payload_insert BEFORE INSERT ON job_payload
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_payload is not written by hand: load the corrected sheet with dl-ingest'); END;
CREATE TRIGGER guard_job_payload_update BEFORE UPDATE ON job_payload
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_payload is not written by hand: load the corrected sheet with dl-ingest'); END;
CREATE TRIGGER guard_job_payload_delete BEFORE DELETE ON job_payload
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_payload is not written by hand: load the corrected sheet with dl-ingest'); END;

CREATE TRIGGER job_payload_is_fixed_once_sent BEFORE UPDATE ON job_payload
WHEN (SELECT actor FROM writer) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'job_payload: the job has a DSP id or an unresolved POST, so its payload is fixed')
  WHERE (SELECT dsp_id FROM job WHERE id = OLD.job_id) IS NOT NULL
     OR EXISTS (SELECT 1 FROM request WHERE job_id = OLD.job_id
                AND resolution IS NULL AND purpose IN ('create', 'resubmit'));
END;

CREATE TRIGGER guard_job_edge_insert BEFORE INSERT ON job_edge
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_edge is not written by hand: dl-ingest makes the edges of a sheet'); END;
CREATE TRIGGER guard_job_edge_update BEFORE UPDATE ON job_edge
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_edge is not written by hand: dl-ingest makes the edges of a sheet'); END;
CREATE TRIGGER guard_job_edge_delete BEFORE DELETE ON job_edge
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_edge is not written by hand: dl-ingest makes the edges of a sheet'); END;

CREATE TRIGGER guard_batch_insert BEFORE INSERT ON batch
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'batch is not written by hand: load a sheet with dl-ingest'); END;
CREATE TRIGGER guard_batch_update BEFORE UPDATE ON batch
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'batch is not written by hand: load a sheet with dl-ingest'); END;
CREATE TRIGGER guard_batch_delete BEFORE DELETE ON batch
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'batch is not deleted by hand: INSERT INTO operator_act (job_id, act, who, why) with act ''cancel'' for its jobs'); END;

CREATE TRIGGER guard_batch_row_insert BEFORE INSERT ON batch_row
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'batch_row is not written by hand: load a sheet with dl-ingest'); END;
CREATE TRIGGER guard_batch_row_update BEFORE UPDATE ON batch_row
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'batch_row is not written by hand: load a sheet with dl-ingest'); END;
CREATE TRIGGER guard_batch_row_delete BEFORE DELETE ON batch_row
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'batch_row is not written by hand: load a sheet with dl-ingest'); END;

-- The ledger --------------------------------------------------------------------------------------

CREATE TRIGGER guard_request_insert BEFORE INSERT ON request
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'request is the ledger: only dl-daemon writes it, before it sends'); END;

-- An operator's 'exists' resolves the POSTs of its job, and nothing else of them.
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
         OR (OLD.resolution IS NOT NULL AND NEW.resolution IS NOT OLD.resolution));
END;

CREATE TRIGGER request_intent_is_fixed
BEFORE UPDATE OF id, job_id, attempt, purpose, method, path, idempotency_key, body_request_id,
  instance_id, worker, sent_at, sent_boot_ms ON request
WHEN (SELECT actor FROM writer) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'request: what was sent never changes'); END;

CREATE TRIGGER guard_request_delete BEFORE DELETE ON request
BEGIN
  SELECT CASE
    WHEN (SELECT actor FROM writer) IS NULL
      THEN RAISE(ABORT, 'request is the ledger: its rows are not deleted by hand')
    WHEN OLD.finished_at IS NULL OR (OLD.purpose IN ('create', 'resubmit') AND OLD.resolution IS NULL)
      THEN RAISE(ABORT, 'request: an open or unresolved request is never deleted')
  END;
END;

CREATE TRIGGER guard_request_body_insert BEFORE INSERT ON request_body
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'request_body is the ledger: only dl-daemon writes it, before it sends'); END;
CREATE TRIGGER guard_request_body_update BEFORE UPDATE ON request_body
BEGIN SELECT RAISE(ABORT, 'request_body: what was sent never changes'); END;
CREATE TRIGGER guard_request_body_delete BEFORE DELETE ON request_body
BEGIN
  SELECT CASE
    WHEN (SELECT actor FROM writer) IS NULL
      THEN RAISE(ABORT, 'request_body is the ledger: its rows are not deleted by hand')
    WHEN EXISTS (SELECT 1 FROM request WHERE id = OLD.request_id AND resolution IS NULL)
      THEN RAISE(ABORT, 'request_body: an unresolved POST keeps its bytes')
  END;
END;

-- History: append-only for everybody --------------------------------------------------------------

CREATE TRIGGER guard_job_history_insert BEFORE INSERT ON job_history
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job_history is written by DemandLink alone; an operator''s act writes its own line')
  WHERE NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL
                    AND job_id = NEW.job_id AND id = NEW.act_id);
END;
CREATE TRIGGER guard_job_history_update BEFORE UPDATE ON job_history
BEGIN SELECT RAISE(ABORT, 'job_history is append-only'); END;
CREATE TRIGGER guard_job_history_delete BEFORE DELETE ON job_history
BEGIN SELECT RAISE(ABORT, 'job_history is append-only'); END;

-- Counts, account, the rest -----------------------------------------------------------------------

CREATE TRIGGER guard_job_count_insert BEFORE INSERT ON job_count
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job_count is kept by DemandLink alone')
  WHERE NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL AND job_id IS NOT NULL);
END;
CREATE TRIGGER guard_job_count_update BEFORE UPDATE ON job_count
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'job_count is kept by DemandLink alone')
  WHERE NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL AND job_id IS NOT NULL);
END;
CREATE TRIGGER guard_job_count_delete BEFORE DELETE ON job_count
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_count is kept by DemandLink alone'); END;

CREATE TRIGGER guard_account_insert BEFORE INSERT ON account
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'account is not written by hand: INSERT INTO operator_act (act, who, why) with act ''pause'' or ''resume''; settings come from the configuration'); END;
CREATE TRIGGER guard_account_update BEFORE UPDATE ON account
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'account is not written by hand: INSERT INTO operator_act (act, who, why) with act ''pause'' or ''resume''; settings come from the configuration')
  WHERE NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL
                    AND job_id IS NULL AND act IN ('pause', 'resume'));
END;
CREATE TRIGGER guard_account_delete BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'account has its one row for ever'); END;

CREATE TRIGGER guard_instance_insert BEFORE INSERT ON instance
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'instance is written by dl-daemon alone'); END;
CREATE TRIGGER guard_instance_update BEFORE UPDATE ON instance
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'instance is written by dl-daemon alone'); END;
CREATE TRIGGER guard_instance_delete BEFORE DELETE ON instance
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'instance is written by dl-daemon alone'); END;

CREATE TRIGGER guard_job_rule_insert BEFORE INSERT ON job_rule
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_rule is the state machine of the program, not a setting'); END;
CREATE TRIGGER guard_job_rule_update BEFORE UPDATE ON job_rule
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_rule is the state machine of the program, not a setting'); END;
CREATE TRIGGER guard_job_rule_delete BEFORE DELETE ON job_rule
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'job_rule is the state machine of the program, not a setting'); END;

CREATE TRIGGER guard_property_insert BEFORE INSERT ON property
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'property is written by DemandLink alone: the idempotency keys hang on it'); END;
CREATE TRIGGER guard_property_update BEFORE UPDATE ON property
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'property is written by DemandLink alone: the idempotency keys hang on it'); END;
CREATE TRIGGER guard_property_delete BEFORE DELETE ON property
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'property is written by DemandLink alone: the idempotency keys hang on it'); END;

-- migration (made by the migrator) is read before anything else, and written before the writer is named.
CREATE TRIGGER guard_migration_insert BEFORE INSERT ON migration
BEGIN SELECT only_demandlink_programs_write_here__use_operator_act(); END;
CREATE TRIGGER guard_migration_update BEFORE UPDATE ON migration
BEGIN SELECT only_demandlink_programs_write_here__use_operator_act(); END;
CREATE TRIGGER guard_migration_delete BEFORE DELETE ON migration
BEGIN SELECT only_demandlink_programs_write_here__use_operator_act(); END;
