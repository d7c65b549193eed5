-- Rows of a batch that are kept whole, with the jobs they show: they alone may say other values than those.
SELECT r.raw,
       campaign.dsp_id, ad_group.dsp_id, CASE leaf.kind WHEN 'ad' THEN leaf.dsp_id END,
       campaign_payload.body, group_payload.body,
       CASE leaf.kind WHEN 'ad' THEN leaf_payload.body END,
       campaign_payload.sha256, group_payload.sha256,
       CASE leaf.kind WHEN 'ad' THEN leaf_payload.sha256 END
FROM batch_row r
JOIN job leaf ON leaf.id = r.job_id
JOIN job campaign ON campaign.id = leaf.root_id
LEFT JOIN job ad_group ON ad_group.id =
  CASE leaf.kind WHEN 'ad_group' THEN leaf.id
                 WHEN 'ad' THEN (SELECT min(parent_id) FROM job_edge WHERE child_id = leaf.id) END
JOIN job_payload leaf_payload ON leaf_payload.job_id = leaf.id
JOIN job_payload campaign_payload ON campaign_payload.job_id = campaign.id
LEFT JOIN job_payload group_payload ON group_payload.job_id = ad_group.id
WHERE r.batch_id = :batch AND substr(r.raw, 1, 1) = '[';
