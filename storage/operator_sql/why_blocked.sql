-- Why does nothing happen for these jobs? Each culprit with the number of jobs that wait for it; with :key
-- also the one job.
-- sqlite3 jobs.db -cmd ".parameter set :key \"'cmp_1/ag_7/ad_3'\"" < why_blocked.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
SELECT count(*) AS jobs, stuck, culprit_key, culprit_state, culprit_error
FROM v_blocked
GROUP BY culprit_id
ORDER BY stuck DESC, jobs DESC
LIMIT 100;
SELECT key, open_parents, stuck, culprit_key, culprit_state, culprit_error FROM v_blocked WHERE key = :key;
SELECT coalesce((SELECT key || ' is not blocked, it is ' || state FROM v_jobs WHERE key = :key), 'no job has the key ' || :key) AS nothing_found
WHERE :key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM v_blocked WHERE key = :key);
