-- Views for people: names and columns are an interface (docs/SCHEMA.md). Times are milliseconds UTC in
-- columns *_at and readable in columns *_utc. Jobs of a batch that is still loading are not shown.
-- "Reads" says what a query without WHERE goes through; one with job_id = …, key = … or campaign = …
-- goes by an index, unless a comment says otherwise.

-- One job a row. Reads job.
CREATE VIEW v_jobs AS
SELECT job.id AS job_id, job.key, job.kind, job.state, job.dsp_id,
       job.attempt, job.tries, job.open_parents, job.priority, job.hold, job.error, job.overdue,
       job.lease_token IS NOT NULL AS on_the_wire,
       strftime('%Y-%m-%d %H:%M:%fZ', job.due_at / 1000.0, 'unixepoch') AS due_utc,
       strftime('%Y-%m-%d %H:%M:%fZ', job.updated_at / 1000.0, 'unixepoch') AS updated_utc,
       root.key AS campaign, job.batch_id, job.due_at, job.updated_at
FROM job
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
JOIN job AS root ON root.id = job.root_id;

-- Progress of each batch, by kind; percent = succeeded of not cancelled. Reads job_count: cheap at any size.
CREATE VIEW v_progress AS
SELECT batch.id AS batch_id, batch.source, job_count.kind,
       sum(n) AS total,
       sum(n * (job_count.state = 'succeeded')) AS succeeded,
       sum(n * (job_count.state = 'blocked')) AS blocked,
       sum(n * (job_count.state = 'ready')) AS ready,
       sum(n * (job_count.state = 'waiting')) AS waiting,
       sum(n * (job_count.state = 'submitting')) AS submitting,
       sum(n * (job_count.state = 'confirming')) AS confirming,
       sum(n * (job_count.state = 'in_doubt')) AS in_doubt,
       sum(n * (job_count.state = 'failed')) AS failed,
       sum(n * (job_count.state = 'cancelled')) AS cancelled,
       round(100.0 * sum(n * (job_count.state = 'succeeded'))
             / nullif(sum(n * (job_count.state <> 'cancelled')), 0), 1) AS percent,
       strftime('%Y-%m-%d %H:%M:%fZ', batch.loaded_at / 1000.0, 'unixepoch') AS loaded_utc,
       batch.loaded_by, batch.loaded_at
FROM batch JOIN job_count ON job_count.batch_id = batch.id
WHERE batch.state = 'loaded'
GROUP BY batch.id, job_count.kind
HAVING sum(n) > 0;

-- A job's name from its payload. Our connections do not let a view call json_extract (trusted_schema is
-- off), but a quote inside a JSON string always has a backslash before it: the name ends at the first without.
CREATE VIEW campaign_name (job_id, name) AS
SELECT job_id,
       replace(replace(substr(rest, 1, instr(replace(replace(rest, '\\', '##'), '\"', '##'), '"') - 1),
                       '\"', '"'), '\\', '\')
FROM (SELECT job_id, substr(body, instr(body, '"name":"') + 8) AS rest
      FROM job_payload WHERE instr(body, '"name":"') > 0);

-- A campaign with its whole tree rolled up; error is that of its worst job (failed, then held in doubt,
-- then any). Reads job.
CREATE VIEW v_campaigns AS
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

-- The tree for printing: campaign, its ad groups, each with its ads; ask for one by campaign = key.
-- Reads and sorts job.
CREATE VIEW v_tree AS
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

-- Failed jobs, with what the DSP said last. error_group: the error with its numbers made '#', so that a
-- thousand failures of one cause are one line of v_failed_groups. Reads the failed jobs alone.
CREATE VIEW v_failed AS
SELECT job.id AS job_id, job.key, job.kind, job.error,
       replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
         replace(replace(coalesce(job.error, ''), '0', '#'), '1', '#'), '2', '#'), '3', '#'), '4', '#'),
         '5', '#'), '6', '#'), '7', '#'), '8', '#'), '9', '#'), '##', '#'), '##', '#'), '##', '#'),
         '##', '#') AS error_group,
       job.tries, job.attempt, request.http_status, request.outcome,
       strftime('%Y-%m-%d %H:%M:%fZ', job.updated_at / 1000.0, 'unixepoch') AS failed_utc,
       (SELECT count(*) FROM job_edge WHERE parent_id = job.id) AS children,
       job.dsp_id, root.key AS campaign, job.batch_id, job.updated_at AS failed_at
FROM job
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
JOIN job AS root ON root.id = job.root_id
LEFT JOIN request ON request.id = (SELECT max(r.id) FROM request AS r WHERE r.job_id = job.id)
WHERE job.state = 'failed';

-- Why jobs fail, most frequent first. Reads the failed jobs alone.
CREATE VIEW v_failed_groups AS
SELECT error_group, kind, count(*) AS jobs, min(error) AS example_error, min(key) AS example_key,
       min(failed_utc) AS first_utc, max(failed_utc) AS last_utc
FROM v_failed
GROUP BY error_group, kind
ORDER BY jobs DESC, error_group;

-- All the evidence for a decision in one row: the last POST that is unresolved (else the last POST) with
-- the bytes that were sent, what came back, and what to INSERT. Reads the jobs in doubt alone.
CREATE VIEW v_in_doubt AS
SELECT job.id AS job_id, job.key, job.kind, job.hold, job.error AS job_error, job.attempt, job.looks,
       (SELECT count(*) FROM request AS r WHERE r.job_id = job.id
        AND r.resolution IS NULL AND r.purpose IN ('create', 'resubmit')) AS unresolved_posts,
       post.id AS request_id, post.purpose, post.method, post.path, post.idempotency_key,
       request_body.body AS sent_body,
       CASE WHEN post.finished_at IS NULL THEN 'on the wire'
            WHEN post.slot = 'answered' THEN 'answered, but proves nothing'
            WHEN post.slot = 'unsure' THEN 'sent, no complete answer'
            ELSE post.slot END AS phase,
       strftime('%Y-%m-%d %H:%M:%fZ', post.sent_at / 1000.0, 'unixepoch') AS sent_utc,
       strftime('%Y-%m-%d %H:%M:%fZ', post.finished_at / 1000.0, 'unixepoch') AS finished_utc,
       post.latency_us / 1000 AS latency_ms,
       post.http_status, post.outcome, post.error AS answer, post.dsp_id AS answered_dsp_id, post.dsp_request_id,
       strftime('%Y-%m-%d %H:%M:%fZ', job.due_at / 1000.0, 'unixepoch') AS next_step_utc,
       'INSERT INTO operator_act (job_id, act, dsp_id, who, why) VALUES (' || job.id
         || ', ''exists'', ''<id at the DSP>'', ''<you>'', ''<why>'');' AS if_the_dsp_has_it,
       'INSERT INTO operator_act (job_id, act, who, why) VALUES (' || job.id
         || ', ''absent'', ''<you>'', ''<why>'');' AS if_it_has_not,
       root.key AS campaign, job.batch_id
FROM job
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
JOIN job AS root ON root.id = job.root_id
LEFT JOIN request AS post ON post.id = (
  SELECT r.id FROM request AS r
  WHERE r.job_id = job.id AND r.purpose IN ('create', 'resubmit')
  ORDER BY r.resolution IS NULL DESC, r.id DESC LIMIT 1)
LEFT JOIN request_body ON request_body.request_id = coalesce(post.body_request_id, post.id)
WHERE job.state = 'in_doubt';

-- What each blocked job waits for: the nearest ancestor that is failed, cancelled or held in doubt
-- (stuck = 1: it will not move without an operator), else the nearest that is under way (stuck = 0).
-- Reads job, and climbs from each blocked job.
CREATE VIEW v_blocked AS
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

-- A job's life, line by line (ORDER BY id). Reads job_history.
CREATE VIEW v_history AS
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

-- The ledger, readable (ORDER BY request_id). Reads request.
CREATE VIEW v_requests AS
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

-- Requests of the last window against the limit, by the wall clock (the daemon counts by the boot
-- clock). Without a limit the window is 60 s. Walks request backwards as far as the window reaches.
CREATE VIEW v_rate AS
WITH RECURSIVE
  clock (now_ms) AS (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  recent (id, sent_at, http_status, slot, since) AS (
    SELECT request.id, sent_at, http_status, slot, now_ms - coalesce(limit_window_ms, 60000)
    FROM request, account, clock WHERE request.id = (SELECT max(id) FROM request)
    UNION ALL
    SELECT before.id, before.sent_at, before.http_status, before.slot, recent.since
    FROM recent JOIN request AS before
      ON before.id = (SELECT max(id) FROM request WHERE request.id < recent.id)
    WHERE recent.sent_at > recent.since)
SELECT count(recent.id) FILTER (WHERE sent_at > since AND slot IS NOT 'not_sent') AS sent,
       account.limit_count AS limit_count,
       coalesce(account.limit_window_ms, 60000) AS window_ms,
       coalesce(account.rate_limit, 'none') AS rate_limit,
       account.cap,
       count(recent.id) FILTER (WHERE sent_at > since AND http_status = 429) AS refused,
       (SELECT count(*) FROM request WHERE finished_at IS NULL) AS on_the_wire,
       CASE WHEN account.gate_at > now_ms
            THEN strftime('%Y-%m-%d %H:%M:%fZ', account.gate_at / 1000.0, 'unixepoch') END AS closed_until_utc,
       account.paused_by, account.paused_reason,
       strftime('%Y-%m-%d %H:%M:%fZ', account.paused_at / 1000.0, 'unixepoch') AS paused_utc
FROM account, clock LEFT JOIN recent
GROUP BY account.one;

-- When it will be done, as the daemon last said, and what is left. Reads job_count.
CREATE VIEW v_eta AS
SELECT total, succeeded, cancelled, failed, in_doubt, total - succeeded - cancelled AS remaining,
       round(100.0 * succeeded / nullif(total - cancelled, 0), 1) AS percent,
       CASE WHEN total = 0 THEN 'nothing is loaded'
            WHEN total = succeeded + cancelled THEN 'done'
            WHEN account.paused_by IS NOT NULL
              THEN 'stalled: paused by ' || account.paused_by || ': ' || coalesce(account.paused_reason, '')
            ELSE coalesce(account.eta_note, 'unknown: no daemon has said yet') END AS says,
       strftime('%Y-%m-%d %H:%M:%SZ', account.eta_at / 1000.0, 'unixepoch') AS eta_utc,
       account.eta_at
FROM account, (
  SELECT coalesce(sum(n), 0) AS total,
         coalesce(sum(n * (job_count.state = 'succeeded')), 0) AS succeeded,
         coalesce(sum(n * (job_count.state = 'cancelled')), 0) AS cancelled,
         coalesce(sum(n * (job_count.state = 'failed')), 0) AS failed,
         coalesce(sum(n * (job_count.state = 'in_doubt')), 0) AS in_doubt
  FROM job_count JOIN batch ON batch.id = job_count.batch_id AND batch.state = 'loaded');

-- The user's own rows and what became of them (ORDER BY batch_id, row), with the ids of the sheet (a job's
-- key is these ids, '/' and '%' in them percent-encoded) and of the DSP. The error of a row that is
-- blocked is that of the ancestor in trouble. attempts: creations that were sent. Reads batch_row.
CREATE VIEW v_results AS
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

-- Operators' acts, readable (ORDER BY act_id). Reads operator_act.
CREATE VIEW v_acts AS
SELECT operator_act.id AS act_id, strftime('%Y-%m-%d %H:%M:%fZ', operator_act.at / 1000.0, 'unixepoch') AS utc,
       operator_act.who, operator_act.act, job.key, operator_act.dsp_id, operator_act.priority,
       operator_act.why, operator_act.job_id
FROM operator_act LEFT JOIN job ON job.id = operator_act.job_id;
