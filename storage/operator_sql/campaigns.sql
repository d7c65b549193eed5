-- Each campaign with its whole tree rolled up, those in trouble first.
-- sqlite3 jobs.db < campaigns.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
SELECT key, name, state, dsp_id, total, succeeded, percent, failed, in_doubt, blocked, error
FROM v_campaigns
ORDER BY failed + in_doubt = 0, job_id;
