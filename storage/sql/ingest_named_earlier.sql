-- Rows of earlier batches of the same command that show a job whose payload is about to change; the last batch first.
SELECT c.job_id, b.source, r.line
FROM batch_row r
CROSS JOIN batch b ON b.id = r.batch_id
CROSS JOIN job leaf ON leaf.id = r.job_id
CROSS JOIN temp.changed_payload c
  ON c.job_id IN (leaf.id, leaf.root_id, (SELECT min(e.parent_id) FROM job_edge e WHERE e.child_id = leaf.id))
WHERE r.batch_id >= :first AND r.batch_id < :batch
ORDER BY r.batch_id DESC, r.row;
