-- Its guard is the truth of this moment: a late answer or a lookup of --verify may have come since it was chosen
-- (operators' acts are looked for before: archive_acts_since.sql). So the newest request is never archived, and ids of requests never come twice.
UPDATE job SET archived_at = :at
WHERE id = :job AND archived_at IS NULL AND state IN ('succeeded', 'failed', 'cancelled')
  AND lease_token IS NULL AND updated_at < :before
  AND NOT EXISTS (SELECT 1 FROM request r
                  WHERE r.job_id = job.id
                    AND (r.id > :newest_request OR r.finished_at IS NULL
                         OR (r.resolution IS NULL AND r.purpose IN ('create', 'resubmit'))));
