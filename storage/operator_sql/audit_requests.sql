-- Every request since a moment in UTC (default: the last hour), as it is in the ledger.
-- sqlite3 jobs.db -cmd ".parameter set :since \"'2026-05-01 08:00'\"" < audit_requests.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode csv
CREATE TEMP TABLE given (since_ms, CONSTRAINT ":since is no time such as 2026-05-01 08:00" CHECK (since_ms IS NOT NULL));
INSERT INTO given VALUES (1000 * unixepoch(coalesce(:since, 'now'), iif(:since IS NULL, '-1 hour', '+0 hours')));
.headers on
SELECT request_id, sent_utc, finished_utc, key, purpose, method, path, idempotency_key, http_status, outcome,
       resolution, dsp_id, dsp_request_id, error, latency_ms, host, pid, worker
FROM v_requests
WHERE sent_at >= (SELECT since_ms FROM given)
ORDER BY request_id;
