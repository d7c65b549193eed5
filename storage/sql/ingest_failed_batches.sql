-- Batches before this one by which jobs came that have failed, and of which all rows are still here.
SELECT b.id
FROM batch b
WHERE b.state = 'loaded' AND b.archived_to IS NULL AND b.id < :batch
  AND EXISTS (SELECT 1 FROM job_count c WHERE c.batch_id = b.id AND c.state = 'failed' AND c.n > 0)
ORDER BY b.id;
