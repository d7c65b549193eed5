INSERT INTO job_history (job_id, at, rule_id, attempt)
SELECT id, :at, :rule, attempt FROM job
WHERE batch_id = :batch AND state = 'blocked' AND open_parents = 0
ORDER BY id;
