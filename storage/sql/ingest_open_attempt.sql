-- The guard of find_job once more: the daemon has had time to submit the job. A job that was
-- submitted before begins a new attempt, so that the new content goes out under a new key.
UPDATE job
SET attempt = attempt + EXISTS (SELECT 1 FROM request r WHERE r.job_id = job.id), updated_at = :at
WHERE id = :job AND dsp_id IS NULL AND lease_token IS NULL AND archived_at IS NULL
  AND state IN ('blocked', 'ready', 'waiting', 'failed', 'cancelled')
  AND NOT EXISTS (SELECT 1 FROM request r
                  WHERE r.job_id = job.id AND r.resolution IS NULL
                    AND r.purpose IN ('create', 'resubmit'));
