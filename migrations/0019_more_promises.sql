-- v_broken_promises asks what only the simulator asked before: 16 to 20. And two settings are kept as they were when something was sent
-- under them, for a later one says nothing about it: the most retries ever allowed, and the limit of each daemon's life.

ALTER TABLE instance ADD COLUMN rate_limit TEXT;  -- its requests kept to it: 40/60s, or none; NULL: older than this column

DROP TRIGGER guard_account_update;
ALTER TABLE account ADD COLUMN most_retries INTEGER NOT NULL DEFAULT 0;  -- the highest max_retries that a daemon ever ran with
-- Of older files: what the last daemon (which leaves its limit) ran with, and what those before it must have allowed.
UPDATE account SET most_retries = max(iif(rate_limit IS NULL, 0, max_retries), (SELECT coalesce(max(tries), 0) - 1 FROM job));
CREATE TRIGGER guard_account_update BEFORE UPDATE ON account
WHEN (SELECT actor FROM writer) IS NULL
BEGIN
  SELECT RAISE(ABORT, 'account is not written by hand: INSERT INTO operator_act (act, who, why) with act ''pause'' or ''resume''; settings come from the configuration')
  WHERE NOT EXISTS (SELECT 1 FROM operator_act WHERE applied_at IS NULL
                    AND job_id IS NULL AND act IN ('pause', 'resume'));
  SELECT RAISE(ABORT, 'account: act ''pause'' pauses, act ''resume'' resumes, and neither changes anything else')
  WHERE NEW.one IS NOT OLD.one OR NEW.endpoint IS NOT OLD.endpoint OR NEW.rate_limit IS NOT OLD.rate_limit
     OR NEW.limit_count IS NOT OLD.limit_count OR NEW.limit_window_ms IS NOT OLD.limit_window_ms
     OR NEW.max_retries IS NOT OLD.max_retries OR NEW.most_retries IS NOT OLD.most_retries
     OR NEW.unknown_outcome IS NOT OLD.unknown_outcome
     OR NEW.settle_ms IS NOT OLD.settle_ms OR NEW.gate_boot_key IS NOT OLD.gate_boot_key
     OR NEW.gate_boot_ms IS NOT OLD.gate_boot_ms OR NEW.gate_at IS NOT OLD.gate_at OR NEW.refusals IS NOT OLD.refusals
     OR NEW.cap IS NOT OLD.cap OR NEW.ceiling IS NOT OLD.ceiling OR NEW.eta_at IS NOT OLD.eta_at
     OR NEW.eta_note IS NOT OLD.eta_note OR NEW.cap_boot_key IS NOT OLD.cap_boot_key
     OR NEW.lowered_boot_ms IS NOT OLD.lowered_boot_ms OR NEW.clean_boot_ms IS NOT OLD.clean_boot_ms
     OR NEW.clean_windows IS NOT OLD.clean_windows;
END;

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
WHERE parent.id IS NULL OR child.id IS NULL OR parent.level >= child.level

UNION ALL
SELECT 16, job.id, 'is blocked, although no parent is open'
FROM job JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
WHERE job.state = 'blocked' AND job.open_parents = 0

UNION ALL
-- An archive does not know the setting.
SELECT 17, job.id, 'has spent ' || job.tries || ' attempts, and no max_retries ever allowed more than ' || (1 + most_retries)
FROM job, account
WHERE job.tries > 1 + most_retries AND NOT EXISTS (SELECT 1 FROM property WHERE name = 'archive_of')

UNION ALL
SELECT 18, job.id, 'is in_doubt and not held, but no POST of it is unresolved'
FROM job
WHERE job.state = 'in_doubt' AND job.hold IS NULL
  AND NOT EXISTS (SELECT 1 FROM request WHERE request.job_id = job.id AND resolution IS NULL
                  AND purpose IN ('create', 'resubmit'))

UNION ALL
SELECT 19, job.id, 'is ' || job.state || ', but its batch ' || batch.id || ' is still loading'
FROM batch JOIN job ON job.batch_id = batch.id
WHERE batch.state = 'loading' AND job.state <> 'blocked'

UNION ALL
SELECT 20, again.job_id, 'request ' || again.id || ' was sent under the key of attempt ' || again.attempt || ', which request '
                         || min(dead.id) || ' had shown to be over (' || dead.outcome || ')'
FROM request AS dead
JOIN request AS again ON again.job_id = dead.job_id AND again.attempt = dead.attempt AND again.id > dead.id
  AND again.purpose IN ('create', 'resubmit') AND again.slot IS NOT 'not_sent'
WHERE (dead.purpose = 'status' AND dead.outcome = 'creation_failed')
   OR (dead.purpose = 'create' AND dead.outcome IN ('refused', 'refused_for_good'))
GROUP BY again.id;
