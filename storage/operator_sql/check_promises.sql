-- Does the ledger keep the promises? Every line that it prints under a promise breaks it; none is good.
-- sqlite3 jobs.db < check_promises.sql   (reads the whole ledger)
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
.print -- 1. One creation of a job was answered with two ids
SELECT job.key, request.attempt, group_concat(DISTINCT request.dsp_id) AS dsp_ids
FROM request JOIN job ON job.id = request.job_id
WHERE request.purpose IN ('create', 'resubmit') AND request.dsp_id IS NOT NULL
GROUP BY job.id, request.attempt HAVING count(DISTINCT request.dsp_id) > 1;
.print -- 2. An idempotency key was used for two jobs, or with two bodies
SELECT idempotency_key, count(DISTINCT job_id) AS jobs, count(DISTINCT body) AS bodies
FROM request LEFT JOIN request_body ON request_body.request_id = coalesce(body_request_id, request.id)
WHERE purpose IN ('create', 'resubmit') AND resolution IS NOT 'not_sent'
GROUP BY idempotency_key HAVING jobs > 1 OR bodies > 1;
.print -- 3. A child was sent before a parent was confirmed
SELECT child.key, parent.key AS parent
FROM job_edge JOIN job AS child ON child.id = job_edge.child_id JOIN job AS parent ON parent.id = job_edge.parent_id
WHERE parent.state <> 'succeeded'
  AND EXISTS (SELECT 1 FROM request WHERE request.job_id = child.id AND slot IS NOT 'not_sent');
.print -- 4. The counter of open parents is not what the edges say
SELECT job.key, job.open_parents, count(parent.id) AS by_edges
FROM job LEFT JOIN job_edge ON job_edge.child_id = job.id
LEFT JOIN job AS parent ON parent.id = job_edge.parent_id AND parent.state <> 'succeeded'
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
GROUP BY job.id HAVING job.open_parents <> by_edges;
.print -- 5. The last line of a job's history is not its state
SELECT job.key, job.state, job_rule.to_state
FROM job JOIN job_history ON job_history.id = (SELECT max(id) FROM job_history AS h WHERE h.job_id = job.id)
JOIN job_rule ON job_rule.id = job_history.rule_id
WHERE job_rule.to_state <> job.state;
.print -- 6. A line of history does not begin where the one before ended
SELECT key, id, from_state, before
FROM (SELECT v_history.key, v_history.id, from_state,
             lag(to_state, 1, 'blocked') OVER (PARTITION BY job_id ORDER BY v_history.id) AS before
      FROM v_history)
WHERE from_state <> before;
.print -- 7. The counts of job_count are not those of job
SELECT batch_id, kind, state, sum(n) AS difference
FROM (SELECT batch_id, kind, state, n FROM job_count
      UNION ALL SELECT batch_id, kind, state, -count(*) FROM job GROUP BY batch_id, kind, state)
GROUP BY batch_id, kind, state HAVING difference <> 0;
.print -- 8. An act was inserted, but not applied (a trigger of somebody's own stood in the way)
SELECT id, job_id, act, who, why FROM operator_act WHERE applied_at IS NULL;
