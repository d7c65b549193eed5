-- The children of a job that has just succeeded, its edges' order. The count of open parents follows the edges in
-- every state of the child; only a blocked child of a published batch becomes ready.
SELECT c.id, c.kind, c.priority, c.root_id, c.level, c.batch_id, c.attempt, c.state,
       c.state = 'blocked' AND c.open_parents = 1
         AND (SELECT b.state FROM batch b WHERE b.id = c.batch_id) = 'loaded' AS becomes_ready,
       EXISTS (SELECT 1 FROM job_edge e WHERE e.parent_id = c.id) AS has_children
FROM job_edge JOIN job c ON c.id = job_edge.child_id
WHERE job_edge.parent_id = :parent;
