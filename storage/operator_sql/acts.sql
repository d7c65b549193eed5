-- Who decided what, and why? The last 100 acts of operators.
-- sqlite3 jobs.db < acts.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
SELECT utc, who, act, key, dsp_id, priority, why FROM v_acts ORDER BY act_id DESC LIMIT 100;
