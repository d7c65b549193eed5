-- A job that is there already: is its content the same, and if not, may it still change? It may
-- while the DSP has no id for it, nothing of it is on the wire and no POST of it is unresolved.
SELECT j.id, j.root_id, j.level, j.batch_id, j.state, p.sha256 = :sha256,
       j.dsp_id IS NULL AND j.lease_token IS NULL AND j.archived_at IS NULL
         AND j.state IN ('blocked', 'ready', 'waiting', 'failed', 'cancelled')
         AND NOT EXISTS (SELECT 1 FROM request r
                         WHERE r.job_id = j.id AND r.resolution IS NULL
                           AND r.purpose IN ('create', 'resubmit')),
       j.archived_at IS NOT NULL, j.priority
FROM job j JOIN job_payload p ON p.job_id = j.id
WHERE j.key = :key;
