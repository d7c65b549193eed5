-- What loading an entity would do: no row means create. What a load that is under way, or was killed, has written so
-- far does not exist.
SELECT p.sha256 = :sha256,
       j.dsp_id IS NULL AND j.lease_token IS NULL AND j.archived_at IS NULL
         AND j.state IN ('blocked', 'ready', 'waiting', 'failed', 'cancelled')
         AND NOT EXISTS (SELECT 1 FROM request q
                         WHERE q.job_id = j.id AND q.resolution IS NULL
                           AND q.purpose IN ('create', 'resubmit')),
       j.state,
       j.hold IS NOT NULL,
       iif(p.sha256 = :sha256, NULL, p.body)
FROM job j JOIN job_payload p ON p.job_id = j.id JOIN batch b ON b.id = j.batch_id AND b.state = 'loaded'
WHERE j.key = :key;
