-- dl-daemon --verify looks up what the DSP has. Its requests are in the ledger, for the limit's sake, as of worker -1;
-- they lease no job. One that is open was left by a --verify that was killed, and the next owner closes it.
DROP VIEW v_broken_promises;

CREATE VIEW v_broken_promises (promise, job_id, what) AS
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
