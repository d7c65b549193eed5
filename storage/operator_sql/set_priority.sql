-- Gives the job :key the priority :priority (smaller goes first); a campaign gives it to its whole tree.
-- sqlite3 jobs.db -cmd ".parameter set :key \"'cmp_1'\"" -cmd ".parameter set :priority -10" < set_priority.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
INSERT INTO operator_act (job_id, act, priority, who, why)
VALUES (coalesce((SELECT job_id FROM v_jobs WHERE key = :key), 0), 'priority', :priority,
        coalesce(:who, 'operator'), coalesce(:why, 'set_priority.sql'));
SELECT kind, priority, count(*) AS jobs
FROM v_jobs
WHERE campaign = (SELECT campaign FROM v_jobs WHERE key = :key)
GROUP BY kind, priority;
