-- Trees of which something is not finished for good, or has been touched since :before: they stay whole. A failed
-- or cancelled job may hold back a child in another tree, which keeps the tree of the failed one here.
SELECT DISTINCT root_id
FROM job
WHERE id BETWEEN :first AND :last
  AND (state NOT IN ('succeeded', 'failed', 'cancelled') OR updated_at >= :before OR lease_token IS NOT NULL
       OR (state <> 'succeeded'
           AND EXISTS (SELECT 1 FROM job_edge e JOIN job child ON child.id = e.child_id
                       WHERE e.parent_id = job.id AND child.state NOT IN ('succeeded', 'failed', 'cancelled'))));
