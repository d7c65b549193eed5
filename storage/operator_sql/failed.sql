-- What failed, and why? First the causes, then the jobs (at most 200).
-- sqlite3 jobs.db < failed.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
SELECT jobs, kind, error_group, example_key, last_utc FROM v_failed_groups;
SELECT job_id, key, error, tries, http_status, failed_utc FROM v_failed ORDER BY failed_at DESC LIMIT 200;
