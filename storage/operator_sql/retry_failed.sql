-- Retries every failed job, or those whose error is LIKE :like. All or nothing.
-- sqlite3 jobs.db -cmd ".parameter set :like \"'%creative%'\"" -cmd ".parameter set :who maria" \
--   -cmd ".parameter set :why \"'creative fixed'\"" < retry_failed.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
INSERT INTO operator_act (job_id, act, who, why)
SELECT job_id, 'retry', coalesce(:who, 'operator'), coalesce(:why, 'retry_failed.sql')
FROM v_failed
WHERE coalesce(error, '') LIKE coalesce(:like, '%');
SELECT changes() AS retried, (SELECT count(*) FROM v_failed) AS still_failed;
