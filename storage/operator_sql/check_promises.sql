-- Does the ledger keep the promises? Every line that it prints under the title breaks one; none is good.
-- sqlite3 jobs.db < check_promises.sql   (reads the whole ledger)
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box --wrap 0
.print -- What the tables contradict (each promise: docs/SCHEMA.md, v_broken_promises)
SELECT v.promise, job.key, v.what
FROM v_broken_promises AS v LEFT JOIN job ON job.id = v.job_id
ORDER BY v.promise, v.job_id;
