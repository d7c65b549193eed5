-- The user's rows in their order, with what they are put together from and, of rows that are kept whole, the digests of their
-- payloads. Error and attempts as in the view v_results, which our own connections cannot read: it calls JSON functions, and
-- they do not trust the schema. Of an archived job nobody here knows the attempts.
SELECT r.row, r.line, r.raw, leaf.state,
       campaign.dsp_id, ad_group.dsp_id, CASE leaf.kind WHEN 'ad' THEN leaf.dsp_id END,
       campaign_payload.body, group_payload.body,
       CASE leaf.kind WHEN 'ad' THEN leaf_payload.body END,
       CASE WHEN substr(r.raw, 1, 1) = '[' THEN campaign_payload.sha256 END,
       CASE WHEN substr(r.raw, 1, 1) = '[' THEN group_payload.sha256 END,
       CASE WHEN substr(r.raw, 1, 1) = '[' AND leaf.kind = 'ad' THEN leaf_payload.sha256 END,
       coalesce(leaf.error, leaf.hold,
         CASE WHEN leaf.state = 'blocked' AND ad_group.state IN ('failed', 'cancelled', 'in_doubt')
              THEN 'its ad group is ' || ad_group.state
                   || coalesce(': ' || coalesce(ad_group.error, ad_group.hold), '')
              WHEN leaf.state = 'blocked' AND campaign.state IN ('failed', 'cancelled', 'in_doubt')
              THEN 'its campaign is ' || campaign.state
                   || coalesce(': ' || coalesce(campaign.error, campaign.hold), '')
         END),
       CASE WHEN leaf.archived_at IS NULL THEN
         (SELECT count(DISTINCT q.attempt) FROM request q
          WHERE q.job_id = leaf.id AND q.purpose = 'create' AND q.slot IS NOT 'not_sent')
       END,
       leaf.state = 'failed' OR campaign.state = 'failed' OR coalesce(ad_group.state = 'failed', 0),
       leaf.state = 'in_doubt'
         OR (leaf.state = 'blocked' AND (campaign.state IN ('in_doubt', 'cancelled')
                                         OR coalesce(ad_group.state IN ('in_doubt', 'cancelled'), 0)))
FROM batch_row r
JOIN job leaf ON leaf.id = r.job_id
JOIN job campaign ON campaign.id = leaf.root_id
LEFT JOIN job ad_group ON ad_group.id =
  CASE leaf.kind WHEN 'ad_group' THEN leaf.id
                 WHEN 'ad' THEN (SELECT min(parent_id) FROM job_edge WHERE child_id = leaf.id) END
JOIN job_payload leaf_payload ON leaf_payload.job_id = leaf.id
JOIN job_payload campaign_payload ON campaign_payload.job_id = campaign.id
LEFT JOIN job_payload group_payload ON group_payload.job_id = ad_group.id
WHERE r.batch_id = :batch
ORDER BY r.row;
