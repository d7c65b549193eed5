-- Trees with a request that is open, or a POST of which nobody knows what became of it.
SELECT j.root_id
FROM request r JOIN job j ON j.id = r.job_id
WHERE r.resolution IS NULL AND r.purpose IN ('create', 'resubmit')
UNION
SELECT j.root_id FROM request r JOIN job j ON j.id = r.job_id WHERE r.finished_at IS NULL;
