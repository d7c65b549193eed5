-- The job table and everything that keeps it honest. Table and column names are an interface
-- (docs/SCHEMA.md). Times are integer milliseconds UTC; columns named *_boot_ms are CLOCK_BOOTTIME
-- and are compared only within one boot (instance.boot_key).

-- Facts about this database: database_id (UUID, the name space of the idempotency keys), generation.
CREATE TABLE property (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who writes: a DemandLink program names itself here first in each of its transactions and clears it
-- before COMMIT. NULL means somebody else's SQL, which the guards (0002) hold to operator_act.
CREATE TABLE writer (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  actor TEXT CHECK (actor IN ('daemon', 'ingest'))
) STRICT;
INSERT INTO writer (one, actor) VALUES (1, NULL);

-- The state machine, seeded from storage/model/job_state.h at every open.
CREATE TABLE job_rule (
  id         INTEGER PRIMARY KEY,
  from_state TEXT NOT NULL,
  event      TEXT NOT NULL,
  to_state   TEXT NOT NULL,
  actor      TEXT NOT NULL CHECK (actor IN ('daemon', 'ingest', 'operator')),
  UNIQUE (from_state, event)
) STRICT;

-- One file (or line, or stream) that was loaded. While state = 'loading' its jobs are all blocked and
-- no view shows them; one transaction publishes them. An orphan is removed by the next ingest or daemon.
CREATE TABLE batch (
  id             INTEGER PRIMARY KEY,
  state          TEXT NOT NULL CHECK (state IN ('loading', 'loaded')),
  source         TEXT NOT NULL,             -- file name as given, '-' for stdin, '--line'
  size_bytes     INTEGER NOT NULL,
  sha256         TEXT NOT NULL,             -- of the bytes as read, hex
  format         TEXT NOT NULL CHECK (format IN ('csv', 'json', 'jsonl')),
  header         TEXT,                      -- JSON array: the user's column names in their order (csv)
  dialect        TEXT,                      -- csv: delimiter, line end, byte order mark: 'semicolon crlf bom'
  loaded_by      TEXT NOT NULL,             -- login name
  priority       INTEGER NOT NULL DEFAULT 0,
  started_at     INTEGER NOT NULL,
  loaded_at      INTEGER,
  row_count      INTEGER NOT NULL DEFAULT 0,
  new_count      INTEGER NOT NULL DEFAULT 0,  -- jobs created by this batch
  unchanged_count INTEGER NOT NULL DEFAULT 0, -- jobs that were there already, same content
  changed_count  INTEGER NOT NULL DEFAULT 0,  -- jobs whose payload this batch changed
  conflict_count INTEGER NOT NULL DEFAULT 0   -- changed rows of jobs that can no longer change
) STRICT;

-- A row of the user's sheet and the job it ends in (the ad; for JSON the deepest entity).
-- raw is the row as it was, a JSON array of fields, only where the payload cannot give it back byte for byte.
CREATE TABLE batch_row (
  batch_id INTEGER NOT NULL REFERENCES batch (id),
  row      INTEGER NOT NULL,                -- 1 = first row below the header
  line     INTEGER NOT NULL,                -- physical line where it begins
  job_id   INTEGER NOT NULL REFERENCES job (id),
  raw      TEXT,
  PRIMARY KEY (batch_id, row)
) STRICT, WITHOUT ROWID;

-- CHECKs of the hot tables are chains of OR: a list IN (…) of more than two is an ephemeral b-tree that
-- SQLite builds anew in every statement, which doubled the cost of a lease (13 against 5 us).
CREATE TABLE job (
  id           INTEGER PRIMARY KEY,         -- in execution order within a batch
  batch_id     INTEGER NOT NULL REFERENCES batch (id),
  kind         TEXT NOT NULL CHECK (kind = 'campaign' OR kind = 'ad_group' OR kind = 'ad'),
  key          TEXT NOT NULL UNIQUE,        -- the caller's ids from the root down: cmp_1/ag_7/ad_3
  root_id      INTEGER NOT NULL,            -- the campaign's job; its own id for a campaign
  level        INTEGER NOT NULL,            -- longest path from a root
  priority     INTEGER NOT NULL DEFAULT 0,  -- smaller goes first
  state        TEXT NOT NULL DEFAULT 'blocked' CHECK (
    state = 'blocked' OR state = 'ready' OR state = 'waiting' OR state = 'submitting' OR state = 'in_doubt'
    OR state = 'confirming' OR state = 'succeeded' OR state = 'failed' OR state = 'cancelled'),
  open_parents INTEGER NOT NULL DEFAULT 0 CHECK (open_parents >= 0),
  attempt      INTEGER NOT NULL DEFAULT 1,  -- logical creation; only grows; makes the idempotency key
  tries        INTEGER NOT NULL DEFAULT 0,  -- spent attempts; anew at an operator's retry
  setbacks     INTEGER NOT NULL DEFAULT 0,  -- 401, 403, 429 in a row, met by this job
  looks        INTEGER NOT NULL DEFAULT 0,  -- polls (confirming) or absent lookups (in_doubt) of this stage
  due_at       INTEGER,                     -- not before: retry, poll, lookup, resubmission
  lease_token  INTEGER,                     -- the open request (= fencing token), NULL: not leased
  dsp_id       TEXT,                        -- the DSP's id, while it is not known dead
  posted_at    INTEGER,                     -- when the creation that gave dsp_id was sent
  looked_at    INTEGER,                     -- when the last undecided poll was sent
  overdue      INTEGER NOT NULL DEFAULT 0 CHECK (overdue IN (0, 1)),
  hold         TEXT,                        -- in_doubt: why an operator must decide; NULL: resolves itself
  error        TEXT,                        -- the last trouble, in words
  updated_at   INTEGER NOT NULL,
  CONSTRAINT lease_only_on_the_wire CHECK (
    lease_token IS NULL OR state = 'submitting' OR state = 'in_doubt' OR state = 'confirming' OR state = 'cancelled'),
  CONSTRAINT submitting_is_leased CHECK (state <> 'submitting' OR lease_token IS NOT NULL),
  CONSTRAINT confirmed_has_an_id CHECK (state NOT IN ('confirming', 'succeeded') OR dsp_id IS NOT NULL)
) STRICT;

-- Partial indexes with the state as a literal: a lease costs the same at 10^3 and 10^7 rows.
CREATE INDEX job_ready ON job (priority, root_id, level, id) WHERE state = 'ready';
CREATE INDEX job_waiting ON job (due_at) WHERE state = 'waiting';
CREATE INDEX job_confirming ON job (due_at) WHERE state = 'confirming';
CREATE INDEX job_in_doubt ON job (due_at) WHERE state = 'in_doubt';
CREATE INDEX job_failed ON job (id) WHERE state = 'failed';
CREATE INDEX job_leased ON job (lease_token) WHERE lease_token IS NOT NULL;
CREATE INDEX job_unpublished ON job (batch_id, id) WHERE state = 'blocked' AND open_parents = 0;
CREATE INDEX job_tree ON job (root_id, level);

-- The body as sent, without the ids of the parents (the permit transaction adds them), and its SHA-256.
CREATE TABLE job_payload (
  job_id INTEGER PRIMARY KEY REFERENCES job (id),
  body   TEXT NOT NULL,                     -- JSON object
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT;

CREATE TABLE job_edge (
  parent_id INTEGER NOT NULL REFERENCES job (id),
  child_id  INTEGER NOT NULL REFERENCES job (id),
  PRIMARY KEY (parent_id, child_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_edge_child ON job_edge (child_id, parent_id);

-- A daemon's life. Its id is what a request names as its owner.
CREATE TABLE instance (
  id              INTEGER PRIMARY KEY,
  uuid            TEXT NOT NULL,
  pid             INTEGER NOT NULL,
  host            TEXT NOT NULL,
  version         TEXT NOT NULL,
  boot_key        TEXT NOT NULL,            -- boot id + time name space
  machine_id      TEXT NOT NULL,
  lock_device     INTEGER NOT NULL,         -- of the lock file whose release proves this instance's death
  lock_inode      INTEGER NOT NULL,
  started_at      INTEGER NOT NULL,
  started_boot_ms INTEGER NOT NULL,
  stopped_at      INTEGER                   -- a clean stop; NULL: running or died
) STRICT;

-- The ledger: every request, written before its first byte leaves, completed with its outcome.
-- It is the audit, the limiter's memory and the crash detector. A row is completed once.
CREATE TABLE request (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
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
CREATE INDEX request_job ON request (job_id, id);
CREATE INDEX request_open ON request (id) WHERE finished_at IS NULL;
CREATE INDEX request_unresolved ON request (job_id) WHERE resolution IS NULL AND purpose IN ('create', 'resubmit');

-- The exact bytes of a creation; a resubmission copies them and never renders them again.
CREATE TABLE request_body (
  request_id INTEGER PRIMARY KEY,
  body       TEXT NOT NULL
) STRICT;

-- Every change of state. Replaying a job's rows from 'blocked' gives its present state.
CREATE TABLE job_history (
  id         INTEGER PRIMARY KEY,
  job_id     INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  rule_id    INTEGER NOT NULL,              -- job_rule: from, event, to, actor
  attempt    INTEGER NOT NULL,
  request_id INTEGER,
  act_id     INTEGER,                       -- operator_act
  reason     TEXT
) STRICT;
CREATE INDEX job_history_job ON job_history (job_id, id);

-- How operators write: INSERT INTO operator_act(job_id, act, who, why) ... ; triggers check and apply.
CREATE TABLE operator_act (
  id         INTEGER PRIMARY KEY,
  job_id     INTEGER,                       -- NULL: the whole account (pause, resume)
  act        TEXT NOT NULL CHECK (act IN ('retry', 'cancel', 'exists', 'absent', 'priority', 'pause', 'resume')),
  dsp_id     TEXT,                          -- exists
  priority   INTEGER,                       -- priority
  who        TEXT NOT NULL,
  why        TEXT NOT NULL,
  at         INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  applied_at INTEGER                        -- set by the trigger that applied it
) STRICT;

-- The DSP account as the daemon uses it: its pauses, what it has learned of the limit, and the settings
-- that the views and the operators' acts need. One row.
CREATE TABLE account (
  one             INTEGER PRIMARY KEY CHECK (one = 1),
  endpoint        TEXT,
  rate_limit      TEXT,                     -- as configured: 40/60s
  limit_count     INTEGER,                  -- first tier, for v_rate and v_eta; NULL: none
  limit_window_ms INTEGER,
  max_retries     INTEGER NOT NULL DEFAULT 3,
  unknown_outcome TEXT NOT NULL DEFAULT 'hold' CHECK (unknown_outcome IN ('hold', 'resubmit', 'lookup')),
  settle_ms       INTEGER NOT NULL DEFAULT 180000,
  paused_by       TEXT,                     -- operator's name, or 'daemon'; NULL: not paused
  paused_reason   TEXT,
  paused_at       INTEGER,
  gate_boot_key   TEXT,                     -- after a refusal nothing is sent before gate_boot_ms of that boot
  gate_boot_ms    INTEGER,
  gate_at         INTEGER,                  -- the same by the wall clock, for people
  refusals        INTEGER NOT NULL DEFAULT 0, -- in a row; makes the back-off
  cap             INTEGER,                  -- what we allow ourselves per window; NULL: the limit
  ceiling         INTEGER,
  eta_at          INTEGER,                  -- written by the daemon now and then
  eta_note        TEXT
) STRICT;
INSERT INTO account (one) VALUES (1);

-- How many jobs of a batch and kind are in each state, kept in the transaction that changes them, so
-- that progress costs the same at any size.
CREATE TABLE job_count (
  batch_id INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  state    TEXT NOT NULL,
  n        INTEGER NOT NULL,
  PRIMARY KEY (batch_id, kind, state)
) STRICT, WITHOUT ROWID;
