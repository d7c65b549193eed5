-- Which answers took longest, and which jobs have been confirming for longest?
-- sqlite3 jobs.db < slowest.sql   (reads the whole ledger)
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
SELECT latency_ms, purpose, key, http_status, outcome, sent_utc FROM v_requests ORDER BY latency_ms DESC LIMIT 20;
SELECT key, dsp_id, overdue, strftime('%Y-%m-%d %H:%M:%SZ', posted_at / 1000, 'unixepoch') AS posted_utc
FROM job WHERE state = 'confirming' AND lease_token IS NULL  -- but for those that are being looked at just now
ORDER BY posted_at LIMIT 20;
