-- An archived job's state is final, and acts on it are refused: v_failed listed it all the same, so that one archived failure made
-- every `INSERT INTO operator_act … FROM v_failed` fail as a whole, for good. And v_campaigns counted jobs of a load that is still
-- under way, which are in no other view.

DROP VIEW v_jobs;
CREATE VIEW v_jobs AS
-- Without a WHERE it scans all jobs: 1.8 s at 1,000,000. By key, job_id or campaign it reads what it shows.
SELECT job.id AS job_id, job.key, job.kind, job.state, job.dsp_id,
       job.attempt, job.tries, job.open_parents, job.priority, job.hold, job.error, job.overdue,
       job.lease_token IS NOT NULL AS on_the_wire,
       strftime('%Y-%m-%d %H:%M:%fZ', job.due_at / 1000.0, 'unixepoch') AS due_utc,
       strftime('%Y-%m-%d %H:%M:%fZ', job.updated_at / 1000.0, 'unixepoch') AS updated_utc,
       root.key AS campaign, job.batch_id, job.due_at, job.updated_at,
       job.archived_at IS NOT NULL AS archived
FROM job
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
JOIN job AS root ON root.id = job.root_id;

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
JOIN batch AS loaded ON loaded.id = job.batch_id AND loaded.state = 'loaded'
WHERE campaign.id = campaign.root_id
GROUP BY campaign.id, campaign.key;

-- Failed jobs that can be retried (archived ones are final), with what the DSP said last. error_group: the error with its numbers
-- made '#', so that a thousand failures of one cause are one line of v_failed_groups. Reads the failed jobs alone.
DROP VIEW v_failed;
CREATE VIEW v_failed AS
SELECT job.id AS job_id, job.key, job.kind, job.error,
       replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
         replace(replace(coalesce(job.error, ''), '0', '#'), '1', '#'), '2', '#'), '3', '#'), '4', '#'),
         '5', '#'), '6', '#'), '7', '#'), '8', '#'), '9', '#'), '##', '#'), '##', '#'), '##', '#'),
         '##', '#') AS error_group,
       job.tries, job.attempt, request.http_status, request.outcome,
       strftime('%Y-%m-%d %H:%M:%fZ', job.updated_at / 1000.0, 'unixepoch') AS failed_utc,
       (SELECT count(*) FROM job_edge
        JOIN job AS child ON child.id = job_edge.child_id
        JOIN batch AS loaded ON loaded.id = child.batch_id AND loaded.state = 'loaded'
        WHERE job_edge.parent_id = job.id) AS children,
       job.dsp_id, root.key AS campaign, job.batch_id, job.updated_at AS failed_at
FROM job
JOIN batch ON batch.id = job.batch_id AND batch.state = 'loaded'
JOIN job AS root ON root.id = job.root_id
LEFT JOIN request ON request.id = (
  SELECT r.id FROM request AS r WHERE r.job_id = job.id AND r.slot IS NOT 'not_sent' ORDER BY r.id DESC LIMIT 1)
WHERE job.state = 'failed' AND job.archived_at IS NULL;
