-- Retries the failed jobs whose error is LIKE :like; '%' takes every one. All or nothing.
-- sqlite3 jobs.db -cmd ".parameter set :like \"'%creative%'\"" -cmd ".parameter set :who maria" \
--   -cmd ".parameter set :why \"'creative fixed'\"" < retry_failed.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
CREATE TEMP TABLE given (error_like, CONSTRAINT ":like is not set; '%' takes every failed job" CHECK (error_like IS NOT NULL));
INSERT INTO given VALUES (:like);
INSERT INTO operator_act (job_id, act, who, why)
SELECT job_id, 'retry', coalesce(:who, 'operator'), coalesce(:why, 'retry_failed.sql')
FROM v_failed
WHERE coalesce(error, '') LIKE :like;
SELECT changes() AS retried, (SELECT count(*) FROM v_failed) AS still_failed;
