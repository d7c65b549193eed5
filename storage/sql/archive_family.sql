-- A job and all its ancestors.
WITH RECURSIVE family (id) AS (
  SELECT :job
  UNION
  SELECT e.parent_id FROM family f JOIN job_edge e ON e.child_id = f.id)
SELECT j.id, j.batch_id, j.archived_at IS NOT NULL FROM family f JOIN job j ON j.id = f.id;
