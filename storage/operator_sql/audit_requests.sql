-- Every request since a moment (default: the last hour), as it is in the ledger.
-- sqlite3 jobs.db -cmd ".parameter set :since \"'2026-05-01 08:00'\"" < audit_requests.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode csv
.headers on
SELECT request_id, sent_utc, finished_utc, key, purpose, method, path, idempotency_key, http_status, outcome,
       resolution, dsp_id, dsp_request_id, error, latency_ms, host, pid, worker
FROM v_requests
WHERE sent_at >= CAST(1000 * unixepoch(coalesce(:since, 'now'), iif(:since IS NULL, '-1 hour', '+0 hours')) AS INTEGER)
ORDER BY request_id;
