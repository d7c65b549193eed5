-- Nothing more is sent, until resume.sql. What is on the wire is still recorded.
-- sqlite3 jobs.db -cmd ".parameter set :who maria" -cmd ".parameter set :why \"'DSP maintenance'\"" < pause.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
INSERT INTO operator_act (act, who, why) VALUES ('pause', coalesce(:who, 'operator'), coalesce(:why, 'pause.sql'));
SELECT paused_by, paused_reason, paused_utc FROM v_rate;
