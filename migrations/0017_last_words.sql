-- What an operator read there was not so: the last request of a failed job may be a look that was never sent, because its POST was
-- refused, and v_failed showed no status then; and a daemon's "done" stayed in v_eta when a sheet was loaded after it.

-- Failed jobs, with what the DSP said last. error_group: the error with its numbers made '#', so that a
-- thousand failures of one cause are one line of v_failed_groups. Reads the failed jobs alone.
DROP VIEW v_failed;
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
LEFT JOIN request ON request.id = (
  SELECT r.id FROM request AS r WHERE r.job_id = job.id AND r.slot IS NOT 'not_sent' ORDER BY r.id DESC LIMIT 1)
WHERE job.state = 'failed';

-- When it will be done, as the daemon last said, and what is left. Reads job_count.
DROP VIEW v_eta;
CREATE VIEW v_eta AS
SELECT total, succeeded, cancelled, failed, in_doubt, total - succeeded - cancelled AS remaining,
       round(100.0 * succeeded / nullif(total - cancelled, 0), 1) AS percent,
       CASE WHEN total = 0 THEN 'nothing is loaded'
            WHEN total = succeeded + cancelled THEN 'done'
            WHEN account.paused_by IS NOT NULL
              THEN 'stalled: paused by ' || account.paused_by || ': ' || coalesce(account.paused_reason, '')
            WHEN account.eta_note = 'done' AND total > succeeded + cancelled + failed
              THEN 'unknown: no daemon has said yet'
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
