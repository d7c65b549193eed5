-- Ends a pause: an operator's, also behind a check's or --hold (these need another resume: rate.sql), or the daemon's own (after HTTP 401 or 403).
-- sqlite3 jobs.db -cmd ".parameter set :who maria" < resume.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
SELECT coalesce(paused_by, 'nobody') AS was_paused_by, paused_reason AS was_paused_because FROM v_rate;
INSERT INTO operator_act (act, who, why) VALUES ('resume', coalesce(:who, 'operator'), coalesce(:why, 'resume.sql'));
SELECT coalesce(paused_by, 'nobody') AS paused_by, closed_until_utc FROM v_rate;
