-- Rows of earlier batches that show a job whose payload is about to change, and that are not kept
-- whole.
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
WHERE (r.raw IS NULL OR substr(r.raw, 1, 1) = '{')
  AND (leaf.root_id IN (SELECT job_id FROM temp.changed_payload)
       OR ad_group.id IN (SELECT job_id FROM temp.changed_payload)
       OR leaf.id IN (SELECT job_id FROM temp.changed_payload))
ORDER BY r.batch_id, r.row;
