-- Cancels the job :key: nothing more is sent for it. What is below it stays blocked.
-- sqlite3 jobs.db -cmd ".parameter set :key \"'cmp_1/ag_7'\"" -cmd ".parameter set :who maria" < cancel_job.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
INSERT INTO operator_act (job_id, act, who, why)
VALUES (coalesce((SELECT job_id FROM v_jobs WHERE key = :key), 0), 'cancel',
        coalesce(:who, 'operator'), coalesce(:why, 'cancel_job.sql'));
SELECT key, state, dsp_id FROM v_jobs WHERE key = :key;
