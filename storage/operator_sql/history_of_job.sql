-- What happened to a job, and every request that was made for it.
-- sqlite3 jobs.db -cmd ".parameter set :key \"'cmp_1/ag_7/ad_3'\"" < history_of_job.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode line
SELECT * FROM v_jobs WHERE key = :key;
.mode box
SELECT utc, from_state, event, to_state, by_whom, attempt, request_id, http_status, reason
FROM v_history WHERE key = :key ORDER BY id;
SELECT request_id, sent_utc, purpose, path, attempt, http_status, outcome, resolution, latency_ms, error
FROM v_requests WHERE key = :key ORDER BY request_id;
SELECT 'no job has the key ' || coalesce(:key, '(:key is not set)') AS nothing_found
WHERE NOT EXISTS (SELECT 1 FROM v_jobs WHERE key = :key);
