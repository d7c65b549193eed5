-- How far is it, and when will it be done?
-- sqlite3 jobs.db < progress.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
SELECT says, eta_utc, percent, remaining, succeeded, failed, in_doubt, cancelled, total FROM v_eta;
SELECT batch_id, source, kind, total, succeeded, percent, blocked, ready, waiting, submitting, confirming,
       in_doubt, failed, cancelled
FROM v_progress
ORDER BY batch_id, kind <> 'campaign', kind DESC;
