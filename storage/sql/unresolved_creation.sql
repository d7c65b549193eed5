-- The first POST of the present attempt: its key and bytes are what a resubmission copies.
SELECT r.id, r.idempotency_key, b.body, r.sent_at, r.sent_boot_ms, i.boot_key, b.digest
FROM request r
JOIN request_body b ON b.request_id = r.id
JOIN instance i ON i.id = r.instance_id
WHERE r.job_id = :job AND r.attempt = :attempt AND r.purpose = 'create' AND r.resolution IS NULL
ORDER BY r.id
LIMIT 1;
