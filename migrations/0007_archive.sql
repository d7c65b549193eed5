-- dl-ingest archive (docs/OPERATIONS.md): what finished batches leave behind moves to another file. A job keeps
-- its row, its edges and the digest of its payload, which is all that identity, DSP ids and new children need;
-- its payload, ledger and history go, and so do the user's rows. The guards let it happen to nothing else.

ALTER TABLE job ADD COLUMN archived_at INTEGER;    -- payload, requests and history are in the archive
ALTER TABLE batch ADD COLUMN archived_to TEXT;     -- the file that its rows have been moved to, or are being
ALTER TABLE batch ADD COLUMN archived_at INTEGER;  -- NULL: not, or not yet in full

-- Only what is finished for good, once, and for ever.
CREATE TRIGGER job_is_archived_when_finished BEFORE UPDATE OF archived_at ON job
WHEN (SELECT actor FROM writer) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'job: only a finished job is archived, once')
  WHERE OLD.archived_at IS NOT NULL OR NEW.archived_at IS NULL OR OLD.lease_token IS NOT NULL
     OR OLD.state NOT IN ('succeeded', 'failed', 'cancelled')
     OR EXISTS (SELECT 1 FROM request WHERE job_id = OLD.id
                AND (finished_at IS NULL OR (resolution IS NULL AND purpose IN ('create', 'resubmit'))));
END;

CREATE TRIGGER job_stays_as_it_was_archived BEFORE UPDATE OF state ON job
WHEN OLD.archived_at IS NOT NULL AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'job: it is archived, and its state final'); END;

CREATE TRIGGER act_needs_a_job_that_is_not_archived BEFORE INSERT ON operator_act
WHEN NEW.act <> 'priority' AND (SELECT archived_at FROM job WHERE id = NEW.job_id) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'operator_act: the job is archived, and its state final; to create the entity after all, load it under another id');
END;

DROP TRIGGER job_payload_is_fixed_once_sent;
CREATE TRIGGER job_payload_is_fixed_once_sent BEFORE UPDATE ON job_payload
WHEN (SELECT actor FROM writer) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'job_payload: the job has a DSP id or an unresolved POST, so its payload is fixed')
  WHERE ((SELECT dsp_id FROM job WHERE id = OLD.job_id) IS NOT NULL
         OR EXISTS (SELECT 1 FROM request WHERE job_id = OLD.job_id
                    AND resolution IS NULL AND purpose IN ('create', 'resubmit')))
    AND NOT (NEW.body = '' AND NEW.job_id = OLD.job_id AND NEW.sha256 = OLD.sha256
             AND (SELECT archived_at FROM job WHERE id = OLD.job_id) IS NOT NULL);
END;

CREATE TRIGGER batch_row_stays_until_archived BEFORE DELETE ON batch_row
WHEN (SELECT actor FROM writer) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'batch_row: only the rows of a batch that is still loading, or being archived, are removed')
  WHERE EXISTS (SELECT 1 FROM batch WHERE id = OLD.batch_id AND state = 'loaded' AND archived_to IS NULL);
END;

DROP TRIGGER guard_request_delete;
CREATE TRIGGER guard_request_delete BEFORE DELETE ON request
BEGIN
  SELECT CASE
    WHEN (SELECT actor FROM writer) IS NULL
      THEN RAISE(ABORT, 'request is the ledger: its rows are not deleted by hand; dl-ingest archive moves old ones away')
    WHEN OLD.finished_at IS NULL OR (OLD.purpose IN ('create', 'resubmit') AND OLD.resolution IS NULL)
      THEN RAISE(ABORT, 'request: an open or unresolved request is never deleted')
    WHEN (SELECT archived_at FROM job WHERE id = OLD.job_id) IS NULL
      THEN RAISE(ABORT, 'request: only those of an archived job are removed')
  END;
END;

DROP TRIGGER guard_request_body_delete;
CREATE TRIGGER guard_request_body_delete BEFORE DELETE ON request_body
BEGIN
  SELECT CASE
    WHEN (SELECT actor FROM writer) IS NULL
      THEN RAISE(ABORT, 'request_body is the ledger: its rows are not deleted by hand; dl-ingest archive moves old ones away')
    WHEN EXISTS (SELECT 1 FROM request WHERE id = OLD.request_id AND resolution IS NULL)
      THEN RAISE(ABORT, 'request_body: an unresolved POST keeps its bytes')
    WHEN (SELECT archived_at FROM job
          WHERE id = (SELECT job_id FROM request WHERE id = OLD.request_id)) IS NULL
      THEN RAISE(ABORT, 'request_body: only those of an archived job are removed')
  END;
END;

DROP TRIGGER guard_job_history_delete;
CREATE TRIGGER guard_job_history_delete BEFORE DELETE ON job_history
BEGIN
  SELECT RAISE(ABORT, 'job_history is append-only; dl-ingest archive moves old lines away')
  WHERE (SELECT actor FROM writer) IS NULL
     OR (SELECT archived_at FROM job WHERE id = OLD.job_id) IS NULL;
END;
