-- Batches before this one by which jobs came that have failed and stand in no row of this one, and of which all rows are
-- still here.
WITH shown (id) AS (
  SELECT r.job_id FROM batch_row r WHERE r.batch_id = :batch
  UNION ALL
  SELECT e.parent_id FROM batch_row r JOIN job_edge e ON e.child_id = r.job_id WHERE r.batch_id = :batch
  UNION ALL
  SELECT leaf.root_id FROM batch_row r JOIN job leaf ON leaf.id = r.job_id WHERE r.batch_id = :batch)
SELECT b.id
FROM batch b
WHERE b.state = 'loaded' AND b.archived_to IS NULL AND b.id < :batch
  AND EXISTS (SELECT 1 FROM job_count c WHERE c.batch_id = b.id AND c.state = 'failed' AND c.n > 0)
  AND b.id IN (SELECT j.batch_id FROM job j WHERE j.state = 'failed' AND j.id NOT IN (SELECT s.id FROM shown s))
ORDER BY b.id;
