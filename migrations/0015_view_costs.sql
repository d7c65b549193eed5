-- What each view costs that does not stay under 100 ms at 1,000,000 jobs, said where an operator meets it (`.schema v_jobs`). Seen by
-- ./dev bench scale, on two cores; the views are as they were.

DROP VIEW v_campaigns;
CREATE VIEW v_campaigns AS
-- Adds up all jobs of all campaigns: it scans them, 1.1 s at 1,000,000 jobs. WHERE key = or job_id = reads one campaign.
SELECT campaign.id AS job_id, campaign.key,
       (SELECT name FROM campaign_name WHERE campaign_name.job_id = campaign.id) AS name,
       campaign.state, campaign.dsp_id,
       count(*) AS total,
       sum(job.state = 'succeeded') AS succeeded,
       sum(job.state = 'blocked') AS blocked,
       sum(job.state IN ('ready', 'waiting', 'submitting', 'confirming')) AS under_way,
       sum(job.state = 'in_doubt') AS in_doubt,
       sum(job.state = 'failed') AS failed,
       sum(job.state = 'cancelled') AS cancelled,
       round(100.0 * sum(job.state = 'succeeded') / nullif(sum(job.state <> 'cancelled'), 0), 1) AS percent,
       (SELECT worst.key || ': ' || coalesce(worst.error, worst.hold) FROM job AS worst
        WHERE worst.root_id = campaign.id AND coalesce(worst.error, worst.hold) IS NOT NULL
        ORDER BY CASE WHEN worst.state = 'failed' THEN 0 WHEN worst.hold IS NOT NULL THEN 1 ELSE 2 END,
                 worst.level, worst.id
        LIMIT 1) AS error,
       campaign.batch_id
FROM job AS campaign
JOIN batch ON batch.id = campaign.batch_id AND batch.state = 'loaded'
JOIN job ON job.root_id = campaign.id
WHERE campaign.id = campaign.root_id
GROUP BY campaign.id, campaign.key;

DROP VIEW v_jobs;
CREATE VIEW v_jobs AS
-- Without a WHERE it scans all jobs: 1.8 s at 1,000,000. By key, job_id or campaign it reads what it shows.
SELECT job.id AS job_id, job.key, job.kind, job.state, job.dsp_id,
       job.attempt, job.tries, job.open_parents, job.priority, job.hold, job.error, job.overdue,
       job.lease_token IS NOT NULL AS on_the_wire,
       strftime('%Y-%m-%d %H:%M:%fZ', job.due_at / 1000.0, 'unixepoch') AS due_utc,
       strftime('%Y-%m-%d %H:%M:%fZ', job.updated_at / 1000.0, 'unixepoch') AS updated_utc,
       root.key AS campaign, job.batch_id, job.due_at, job.updated_at
FROM job
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
JOIN job AS root ON root.id = job.root_id;

DROP VIEW v_tree;
CREATE VIEW v_tree AS
-- Without a WHERE it scans and sorts all jobs: 1.7 s at 1,000,000. WHERE campaign = reads one tree.
SELECT root.key AS campaign, job.kind,
       substr('          ', 1, 2 * min(job.level, 5)) || job.key AS tree,
       job.state, job.dsp_id, coalesce(job.error, job.hold) AS error, job.id AS job_id, job.key, job.level
FROM job
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
JOIN job AS root ON root.id = job.root_id
ORDER BY job.root_id,
         CASE job.kind WHEN 'campaign' THEN 0 WHEN 'ad_group' THEN job.id
           ELSE (SELECT min(parent_id) FROM job_edge WHERE child_id = job.id) END,
         job.kind = 'ad', job.id;

DROP VIEW v_blocked;
CREATE VIEW v_blocked AS
-- Climbs from each blocked job to what it waits for: 0.2 s at 1,000,000 jobs, of which 14,660 were blocked.
SELECT blocked.id AS job_id, blocked.key, blocked.kind, blocked.open_parents,
       coalesce(culprit.state IN ('failed', 'cancelled') OR culprit.hold IS NOT NULL, 0) AS stuck,
       culprit.id AS culprit_id, culprit.key AS culprit_key, culprit.kind AS culprit_kind,
       culprit.state AS culprit_state, coalesce(culprit.error, culprit.hold) AS culprit_error,
       root.key AS campaign, blocked.batch_id
FROM job AS blocked
JOIN batch ON batch.id = blocked.batch_id AND batch.state = 'loaded'
JOIN job AS root ON root.id = blocked.root_id
LEFT JOIN job AS culprit ON culprit.id = (
  WITH RECURSIVE up (id, depth) AS (
    SELECT parent_id, 1 FROM job_edge WHERE child_id = blocked.id
    UNION
    SELECT parent_id, depth + 1 FROM up JOIN job_edge ON job_edge.child_id = up.id)
  SELECT up.id FROM up JOIN job AS ancestor ON ancestor.id = up.id
  WHERE ancestor.state NOT IN ('blocked', 'succeeded')
  ORDER BY ancestor.state NOT IN ('failed', 'cancelled') AND ancestor.hold IS NULL, up.depth, up.id
  LIMIT 1)
WHERE blocked.state = 'blocked';

DROP VIEW v_results;
CREATE VIEW v_results AS
-- Scans the rows of all sheets: 4.6 s at 1,000,000 jobs. WHERE batch_id = reads one sheet's.
SELECT batch_row.batch_id, batch_row.row, batch_row.line, leaf.id AS job_id, leaf.key, leaf.kind,
       replace(replace(campaign.key, '%2F', '/'), '%25', '%') AS campaign_id,
       replace(replace(substr(ad_group.key, length(campaign.key) + 2), '%2F', '/'), '%25', '%') AS ad_group_id,
       CASE leaf.kind WHEN 'ad'
         THEN replace(replace(substr(leaf.key, length(ad_group.key) + 2), '%2F', '/'), '%25', '%') END AS ad_id,
       leaf.state,
       campaign.dsp_id AS campaign_dsp_id, ad_group.dsp_id AS ad_group_dsp_id,
       CASE leaf.kind WHEN 'ad' THEN leaf.dsp_id END AS ad_dsp_id,
       coalesce(leaf.error, leaf.hold,
         CASE WHEN leaf.state = 'blocked' AND ad_group.state IN ('failed', 'cancelled', 'in_doubt')
              THEN 'its ad group is ' || ad_group.state || coalesce(': ' || coalesce(ad_group.error, ad_group.hold), '')
              WHEN leaf.state = 'blocked' AND campaign.state IN ('failed', 'cancelled', 'in_doubt')
              THEN 'its campaign is ' || campaign.state || coalesce(': ' || coalesce(campaign.error, campaign.hold), '')
         END) AS error,
       (SELECT count(DISTINCT attempt) FROM request WHERE request.job_id = leaf.id AND purpose = 'create'
        AND slot IS NOT 'not_sent') AS attempts
FROM batch_row
JOIN batch ON batch.id = batch_row.batch_id AND batch.state = 'loaded'
JOIN job AS leaf ON leaf.id = batch_row.job_id
JOIN job AS campaign ON campaign.id = leaf.root_id
LEFT JOIN job AS ad_group ON ad_group.id = CASE leaf.kind
  WHEN 'ad_group' THEN leaf.id
  WHEN 'ad' THEN (SELECT min(parent_id) FROM job_edge WHERE child_id = leaf.id) END;

DROP VIEW v_history;
CREATE VIEW v_history AS
-- Scans the history of all jobs: 6 s at 1,000,000 jobs. WHERE key = or job_id = reads one job's.
SELECT job_history.id, job_history.job_id, job.key,
       strftime('%Y-%m-%d %H:%M:%fZ', job_history.at / 1000.0, 'unixepoch') AS utc,
       job_rule.from_state, job_rule.event, job_rule.to_state,
       coalesce(operator_act.who, job_rule.actor) AS by_whom, job_history.attempt, job_history.reason,
       job_history.request_id, request.http_status, job_history.act_id, job_history.at
FROM job_history
JOIN job ON job.id = job_history.job_id
JOIN job_rule ON job_rule.id = job_history.rule_id
LEFT JOIN operator_act ON operator_act.id = job_history.act_id
LEFT JOIN request ON request.id = job_history.request_id;

DROP VIEW v_broken_promises;
CREATE VIEW v_broken_promises (promise, job_id, what) AS
-- Asks every question of every job and request, as it must: it scans everything, 14 s at 1,000,000 jobs.
SELECT 1, request.job_id,
       'attempt ' || request.attempt || ' was answered with the ids ' || group_concat(DISTINCT request.dsp_id)
FROM request
WHERE request.purpose IN ('create', 'resubmit') AND request.dsp_id IS NOT NULL
GROUP BY request.job_id, request.attempt
HAVING count(DISTINCT request.dsp_id) > 1

UNION ALL
SELECT 2, min(request.job_id),
       'the key ' || idempotency_key || ' was sent for ' || count(DISTINCT job_id || '/' || attempt)
         || ' attempts and with ' || count(DISTINCT body) || ' bodies'
FROM request LEFT JOIN request_body ON request_body.request_id = coalesce(body_request_id, request.id)
WHERE purpose IN ('create', 'resubmit') AND slot IS NOT 'not_sent'
GROUP BY idempotency_key
HAVING count(DISTINCT job_id || '/' || attempt) > 1 OR count(DISTINCT body) > 1

UNION ALL
SELECT 3, child.id, 'was sent before its parent ' || parent.key || ' had succeeded'
FROM job_edge JOIN job AS child ON child.id = job_edge.child_id JOIN job AS parent ON parent.id = job_edge.parent_id
WHERE parent.state <> 'succeeded'
  AND EXISTS (SELECT 1 FROM request WHERE request.job_id = child.id AND slot IS NOT 'not_sent')

UNION ALL
SELECT 4, job.id, 'open_parents is ' || job.open_parents || ', by the edges it is ' || count(parent.id)
FROM job LEFT JOIN job_edge ON job_edge.child_id = job.id
LEFT JOIN job AS parent ON parent.id = job_edge.parent_id AND parent.state <> 'succeeded'
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
GROUP BY job.id
HAVING job.open_parents <> count(parent.id)

UNION ALL
SELECT 5, job.id, 'is ' || job.state || ', but its history ends in '
                  || coalesce((SELECT to_state FROM job_rule WHERE id = last.rule_id), 'nothing')
FROM job
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
LEFT JOIN job_history AS last ON last.id = (SELECT max(id) FROM job_history WHERE job_history.job_id = job.id)
WHERE job.state <> coalesce((SELECT to_state FROM job_rule WHERE id = last.rule_id), 'blocked')
  AND job.archived_at IS NULL

UNION ALL
SELECT 6, job_id, 'line ' || id || ' of its history begins in ' || from_state || ', the one before ended in ' || before
FROM (SELECT job_history.job_id, job_history.id, job_rule.from_state,
             lag(job_rule.to_state, 1, 'blocked') OVER (PARTITION BY job_history.job_id ORDER BY job_history.id) AS before
      FROM job_history JOIN job_rule ON job_rule.id = job_history.rule_id)
WHERE from_state <> before

UNION ALL
SELECT 7, NULL, 'job_count of batch ' || batch_id || ', ' || kind || ', ' || state || ' is ' || sum(n) || ' too high'
FROM (SELECT batch_id, kind, state, n FROM job_count
      UNION ALL
      SELECT job.batch_id, job.kind, job.state, -count(*)
      FROM job JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
      GROUP BY job.batch_id, job.kind, job.state)
WHERE batch_id IN (SELECT id FROM batch WHERE state = 'loaded')
GROUP BY batch_id, kind, state
HAVING sum(n) <> 0

UNION ALL
SELECT 8, job_id, 'act ' || id || ' (' || act || ' by ' || who || ') was inserted, but not applied'
FROM operator_act WHERE applied_at IS NULL

UNION ALL
SELECT 9, job.id, 'is leased by request ' || job.lease_token || ', which is not open or not its own'
FROM job
WHERE lease_token IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM request WHERE request.id = job.lease_token AND request.job_id = job.id
                  AND finished_at IS NULL)

UNION ALL
SELECT 10, request.job_id, 'request ' || request.id || ' is open, and its job is not leased by it'
FROM request
WHERE finished_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = request.job_id
                  AND (job.lease_token = request.id
                       OR (request.purpose = 'status' AND job.state = 'submitting' AND job.lease_token < request.id)))
  AND NOT (request.purpose = 'lookup' AND request.worker = -1)

UNION ALL
SELECT 11, job_id, count(*) || ' creations of it are unresolved at once'
FROM request
WHERE purpose = 'create' AND resolution IS NULL
GROUP BY job_id
HAVING count(*) > 1

UNION ALL
SELECT 12, job.id, 'is ' || job.state || ' with an unresolved POST (request ' || request.id || ')'
FROM request JOIN job ON job.id = request.job_id
WHERE request.resolution IS NULL AND request.purpose IN ('create', 'resubmit')
  AND job.state NOT IN ('submitting', 'in_doubt', 'waiting', 'cancelled')

UNION ALL
SELECT 13, again.job_id, 'request ' || again.id || ' resubmitted other bytes or another key than its attempt was created with'
FROM request AS again
LEFT JOIN request AS first ON first.id = again.body_request_id AND first.purpose = 'create'
  AND first.job_id = again.job_id AND first.attempt = again.attempt
  AND first.idempotency_key = again.idempotency_key AND first.path = again.path
WHERE again.purpose = 'resubmit' AND first.id IS NULL

UNION ALL
SELECT 14, job.id, 'has the id ' || job.dsp_id || ', which neither the ledger nor an operator has given'
FROM job
WHERE job.dsp_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM request WHERE request.job_id = job.id AND request.dsp_id = job.dsp_id)
  AND NOT EXISTS (SELECT 1 FROM operator_act AS a WHERE a.job_id = job.id AND a.act = 'exists' AND a.dsp_id = job.dsp_id)
  AND job.archived_at IS NULL

UNION ALL
SELECT 15, job_edge.child_id, 'has an edge to job ' || job_edge.parent_id || ', which does not exist or is not above it'
FROM job_edge LEFT JOIN job AS parent ON parent.id = job_edge.parent_id LEFT JOIN job AS child ON child.id = job_edge.child_id
WHERE parent.id IS NULL OR child.id IS NULL OR parent.level >= child.level;

DROP VIEW v_requests;
CREATE VIEW v_requests AS
-- Scans the whole ledger: 5.5 s at 1,000,000 jobs. WHERE key = or job_id = reads one job's.
SELECT request.id AS request_id, request.job_id, job.key, request.attempt, request.purpose, request.method,
       request.path, request.http_status, request.outcome, request.resolution, request.slot,
       request.dsp_id, request.error, request.latency_us / 1000 AS latency_ms,
       strftime('%Y-%m-%d %H:%M:%fZ', request.sent_at / 1000.0, 'unixepoch') AS sent_utc,
       strftime('%Y-%m-%d %H:%M:%fZ', request.finished_at / 1000.0, 'unixepoch') AS finished_utc,
       request.idempotency_key, request_body.body, request.dsp_request_id,
       request.worker, request.instance_id, instance.host, instance.pid, request.sent_at, request.finished_at
FROM request
LEFT JOIN job ON job.id = request.job_id
LEFT JOIN instance ON instance.id = request.instance_id
LEFT JOIN request_body ON request_body.request_id = coalesce(request.body_request_id, request.id);
