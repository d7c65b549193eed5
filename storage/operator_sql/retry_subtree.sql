-- Retries what is failed or cancelled in the job :key and everything below it.
-- sqlite3 jobs.db -cmd ".parameter set :key \"'cmp_1'\"" -cmd ".parameter set :who maria" < retry_subtree.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
INSERT INTO operator_act (job_id, act, who, why)
WITH RECURSIVE below (id) AS (
  SELECT job_id FROM v_jobs WHERE key = :key
  UNION
  SELECT child_id FROM below JOIN job_edge ON parent_id = below.id)
SELECT id, 'retry', coalesce(:who, 'operator'), coalesce(:why, 'retry_subtree.sql')
FROM (SELECT id FROM below JOIN job USING (id) WHERE job.state IN ('failed', 'cancelled') AND archived_at IS NULL ORDER BY job.level, id)
UNION ALL
SELECT 0, 'retry', coalesce(:who, 'operator'), coalesce(:why, 'retry_subtree.sql') WHERE NOT EXISTS (SELECT 1 FROM below);  -- refused, and said
SELECT changes() AS retried;
