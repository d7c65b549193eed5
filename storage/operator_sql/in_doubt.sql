-- Which POSTs may or may not have been applied, with all the evidence and what to INSERT to decide?
-- sqlite3 jobs.db < in_doubt.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode line
SELECT * FROM v_in_doubt ORDER BY hold IS NULL, job_id LIMIT 50;
