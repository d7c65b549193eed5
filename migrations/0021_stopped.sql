-- A daemon's last words are of what was there then: a sheet that was loaded since, or a job that was retried, is not behind
-- failed ones or a pause that has been lifted. What is ready waits for a daemon, where the last one has ended.
DROP VIEW v_eta;
-- When it will be done, as the daemon last said, and what is left. Reads job_count.
CREATE VIEW v_eta AS
SELECT total, succeeded, cancelled, failed, in_doubt, total - succeeded - cancelled AS remaining,
       round(100.0 * succeeded / nullif(total - cancelled, 0), 1) AS percent,
       CASE WHEN total = 0 THEN 'nothing is loaded'
            WHEN total = succeeded + cancelled THEN 'done'
            WHEN account.paused_by IS NOT NULL
              THEN 'stalled: paused by ' || account.paused_by || ': ' || coalesce(account.paused_reason, '')
            WHEN ready > 0 AND (SELECT stopped_at FROM instance ORDER BY id DESC LIMIT 1) IS NOT NULL
              THEN 'stalled: dl-daemon was stopped'
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
         coalesce(sum(n * (job_count.state = 'in_doubt')), 0) AS in_doubt,
         coalesce(sum(n * (job_count.state = 'ready')), 0) AS ready
  FROM job_count JOIN batch ON batch.id = job_count.batch_id AND batch.state = 'loaded');
