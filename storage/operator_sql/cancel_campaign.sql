-- Cancels whatever of the campaign :campaign has not succeeded. A job whose request is on the wire cannot be
-- cancelled: it is listed, and the file is run again a little later.
-- sqlite3 jobs.db -cmd ".parameter set :campaign \"'cmp_1'\"" -cmd ".parameter set :who maria" < cancel_campaign.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
INSERT INTO operator_act (job_id, act, who, why)
SELECT job_id, 'cancel', coalesce(:who, 'operator'), coalesce(:why, 'cancel_campaign.sql')
FROM v_jobs
WHERE campaign = :campaign AND state NOT IN ('succeeded', 'cancelled', 'submitting')
  AND NOT archived  -- final
UNION ALL
SELECT 0, 'cancel', coalesce(:who, 'operator'), coalesce(:why, 'cancel_campaign.sql') WHERE NOT EXISTS (SELECT 1 FROM v_jobs WHERE campaign = :campaign)  -- refused, and said
ORDER BY 1;
SELECT changes() AS cancelled,
       (SELECT count(*) FROM v_jobs WHERE campaign = :campaign AND state = 'succeeded') AS had_succeeded;
SELECT key AS on_the_wire_run_again FROM v_jobs WHERE campaign = :campaign AND state = 'submitting';
