-- New content of jobs that were there before: kept beside the tables until the batch is published,
-- so that nobody sees half of it and an orphan leaves nothing behind.
CREATE TEMP TABLE IF NOT EXISTS changed_payload (
  job_id INTEGER PRIMARY KEY,
  body   TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  line   INTEGER NOT NULL
) STRICT;
