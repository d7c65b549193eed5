-- Two pages less a commit, of 15 with three requests in flight, and two b-trees less a POST:
-- * request.id was AUTOINCREMENT, which keeps the highest id ever in a table of SQLite's own, written with each row; and no
--   trigger can stand guard on that table. The newest request is never archived (archive_mark_job.sql), so the highest
--   id that there is is the highest there ever was.
-- * request_unresolved: who asks for a job's unresolved POSTs finds them among its few requests.

-- The old table makes room for the new one, and views and triggers that say "request" mean the new one (legacy: a rename
-- leaves them as they are).
PRAGMA legacy_alter_table = ON;
ALTER TABLE request RENAME TO request_before;
PRAGMA legacy_alter_table = OFF;

-- The ledger: every request, written before its first byte leaves, completed with its outcome.
-- It is the audit, the limiter's memory and the crash detector. A row is completed once.
CREATE TABLE request (
  id               INTEGER PRIMARY KEY,
  job_id           INTEGER NOT NULL REFERENCES job (id),
  attempt          INTEGER NOT NULL,
  purpose          TEXT NOT NULL CHECK (
    purpose = 'create' OR purpose = 'resubmit' OR purpose = 'status' OR purpose = 'lookup'),
  method           TEXT NOT NULL,
  path             TEXT NOT NULL,
  idempotency_key  TEXT,
  body_request_id  INTEGER,                 -- whose request_body was sent: its own, or the first one's
  instance_id      INTEGER NOT NULL,
  worker           INTEGER NOT NULL,
  sent_at          INTEGER NOT NULL,        -- of the permit, which is committed before the send
  sent_boot_ms     INTEGER NOT NULL,
  finished_at      INTEGER,                 -- of the complete answer, or of giving up; NULL: open
  finished_boot_ms INTEGER,
  finished_boot_key TEXT,                   -- only where another boot than the instance's finished it
  slot             TEXT CHECK (             -- how it closed its limiter slot
    slot = 'answered' OR slot = 'unsure' OR slot = 'not_sent'),
  latency_us       INTEGER,
  http_status      INTEGER,
  outcome          TEXT,                    -- class of the answer (docs/OUTCOMES.md)
  dsp_id           TEXT,                    -- the id the DSP answered with
  dsp_request_id   TEXT,
  error            TEXT,
  resolution       TEXT CHECK (             -- POSTs only; NULL: unresolved
    resolution = 'accepted' OR resolution = 'not_sent' OR resolution = 'refused'
    OR resolution = 'absent' OR resolution = 'found' OR resolution = 'exists'),
  CONSTRAINT finished_at_once CHECK ((finished_at IS NULL) = (slot IS NULL))
) STRICT;
INSERT INTO request SELECT * FROM request_before ORDER BY id;
DROP TABLE request_before;
CREATE INDEX request_job ON request (job_id, id);
CREATE INDEX request_open ON request (id) WHERE finished_at IS NULL;

-- Its guards, as they were.
CREATE TRIGGER guard_request_insert BEFORE INSERT ON request
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'request is the ledger: only dl-daemon writes it, before it sends'); END;
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
CREATE TRIGGER request_intent_is_fixed
BEFORE UPDATE OF id, job_id, attempt, purpose, method, path, idempotency_key, body_request_id,
  instance_id, worker, sent_at, sent_boot_ms ON request
WHEN (SELECT actor FROM writer) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'request: what was sent never changes'); END;
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
