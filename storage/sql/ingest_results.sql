-- The user's rows in their order, with the three entities of each. The parent of a row's ad is its ad
-- group, the root its campaign.
SELECT r.row, r.line, r.raw,
       leaf.kind, leaf.state,
       campaign.dsp_id, ad_group.dsp_id, CASE leaf.kind WHEN 'ad' THEN leaf.dsp_id END,
       campaign_payload.body, group_payload.body, ad_payload.body,
       leaf.error,
       CASE WHEN campaign.id <> leaf.id AND campaign.state = 'failed' THEN campaign.error END,
       CASE WHEN ad_group.id <> leaf.id AND ad_group.state = 'failed' THEN ad_group.error END,
       leaf.state = 'failed' OR campaign.state = 'failed' OR coalesce(ad_group.state = 'failed', 0),
       (SELECT count(DISTINCT q.attempt) FROM request q
        WHERE q.job_id = leaf.id AND q.purpose = 'create')
FROM batch_row r
JOIN job leaf ON leaf.id = r.job_id
JOIN job campaign ON campaign.id = leaf.root_id
LEFT JOIN job ad_group ON ad_group.id =
  CASE leaf.kind WHEN 'ad_group' THEN leaf.id
                 WHEN 'ad' THEN (SELECT e.parent_id FROM job_edge e WHERE e.child_id = leaf.id) END
JOIN job_payload campaign_payload ON campaign_payload.job_id = campaign.id
LEFT JOIN job_payload group_payload ON group_payload.job_id = ad_group.id
LEFT JOIN job_payload ad_payload ON ad_payload.job_id = leaf.id AND leaf.kind = 'ad'
WHERE r.batch_id = :batch
ORDER BY r.row;
