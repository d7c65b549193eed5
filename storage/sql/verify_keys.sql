SELECT r.job_id, j.key, r.id, r.attempt, r.idempotency_key
FROM request r JOIN job j ON j.id = r.job_id
WHERE r.purpose IN ('create', 'resubmit');
