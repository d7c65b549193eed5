-- The job :key is in doubt, and the DSP does not have it. It is created anew once the settle time has passed.
-- sqlite3 jobs.db -cmd ".parameter set :key \"'cmp_1/ag_7'\"" -cmd ".parameter set :who maria" < decide_absent.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
INSERT INTO operator_act (job_id, act, who, why)
VALUES (coalesce((SELECT job_id FROM v_jobs WHERE key = :key), 0), 'absent',
        coalesce(:who, 'operator'), coalesce(:why, 'decide_absent.sql'));
SELECT key, state, due_utc AS created_anew_from_utc FROM v_jobs WHERE key = :key;
