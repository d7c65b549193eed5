-- Rows of earlier batches that show a job whose payload is about to change, and that are not kept
-- whole. A row is never of an earlier batch than its job, nor a job than its parent; batch_row has no index by job.
WITH affected (id) AS (
  SELECT job_id FROM temp.changed_payload
  UNION
  SELECT j.id FROM temp.changed_payload c CROSS JOIN job j ON j.root_id = c.job_id
  UNION
  SELECT e.child_id FROM temp.changed_payload c CROSS JOIN job_edge e ON e.parent_id = c.job_id)
SELECT r.batch_id, r.row, b.header, r.raw,
       campaign_payload.body, group_payload.body, ad_payload.body
FROM batch_row r
JOIN batch b ON b.id = r.batch_id
JOIN job leaf ON leaf.id = r.job_id
LEFT JOIN job ad_group ON ad_group.id =
  CASE leaf.kind WHEN 'ad_group' THEN leaf.id
                 WHEN 'ad' THEN (SELECT e.parent_id FROM job_edge e WHERE e.child_id = leaf.id) END
JOIN job_payload campaign_payload ON campaign_payload.job_id = leaf.root_id
LEFT JOIN job_payload group_payload ON group_payload.job_id = ad_group.id
LEFT JOIN job_payload ad_payload ON ad_payload.job_id = leaf.id AND leaf.kind = 'ad'
WHERE r.batch_id >= (SELECT min(j.batch_id) FROM temp.changed_payload c CROSS JOIN job j ON j.id = c.job_id)
  AND r.job_id IN (SELECT id FROM affected)
  AND (r.raw IS NULL OR substr(r.raw, 1, 1) = '{')
ORDER BY r.batch_id, r.row;
