-- Finished jobs that are not archived yet.
SELECT id, root_id
FROM job
WHERE id BETWEEN :first AND :last AND archived_at IS NULL
  AND state IN ('succeeded', 'failed', 'cancelled')
ORDER BY id;
