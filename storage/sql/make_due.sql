-- A scheduled retry is due.
UPDATE job
SET state = 'ready', due_at = NULL, updated_at = :at
WHERE id = :job AND state = 'waiting'
RETURNING id, kind, priority, root_id, level, batch_id, attempt,
  EXISTS (SELECT 1 FROM job_edge e WHERE e.parent_id = job.id) AS has_children;
