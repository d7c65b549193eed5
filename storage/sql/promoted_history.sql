-- A line for each child that its parent's success has just made ready: until then it had an open parent.
INSERT INTO job_history (job_id, at, rule_id, attempt)
SELECT id, :at, :rule, attempt FROM job
WHERE id IN (SELECT child_id FROM job_edge WHERE parent_id = :parent) AND state = 'ready' AND open_parents = 0;
