-- Where the tables may have forgotten requests: jobs that by them were not created yet. The DSP may know better.
SELECT j.id, j.key, j.kind, j.state, j.attempt, j.attempt + max(0, account.max_retries - j.tries) AS last_attempt
FROM account JOIN job j ON account.paused_by = 'generation check'
JOIN batch b ON b.id = j.batch_id AND b.state = 'loaded'
WHERE j.id BETWEEN :from AND :to AND j.dsp_id IS NULL AND j.archived_at IS NULL
  AND j.state IN ('blocked', 'ready', 'waiting', 'failed', 'cancelled')
ORDER BY j.id;
