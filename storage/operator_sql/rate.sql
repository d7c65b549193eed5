-- How many requests went out in the last window, against the limit? Is the account paused?
-- sqlite3 jobs.db < rate.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode line
SELECT * FROM v_rate;
