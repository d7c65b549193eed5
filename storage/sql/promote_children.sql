-- In the parent's transaction. The count of open parents follows the edges in every state of the child;
-- only a blocked child of a published batch becomes ready.
UPDATE job
SET open_parents = open_parents - 1,
    state = CASE
      WHEN state = 'blocked' AND open_parents = 1
        AND (SELECT b.state FROM batch b WHERE b.id = job.batch_id) = 'loaded' THEN 'ready'
      ELSE state END,
    updated_at = :at
WHERE id IN (SELECT child_id FROM job_edge WHERE parent_id = :parent)
RETURNING id, kind, priority, root_id, level, batch_id, state, open_parents,
  EXISTS (SELECT 1 FROM job_edge e WHERE e.parent_id = job.id) AS has_children;
