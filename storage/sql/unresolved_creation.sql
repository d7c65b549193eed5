-- The first unresolved POST of the present attempt: its key and bytes are what a resubmission copies. The key is as old as
-- its first use, which may be one that an operator's 'absent' has resolved since (found by the simulator, seed 3100003156).
SELECT r.id, r.idempotency_key, b.body, used.sent_at, used.sent_boot_ms, i.boot_key, b.digest
FROM request r
JOIN request_body b ON b.request_id = r.id
JOIN request used ON used.id = coalesce((
  SELECT f.id FROM request f
  WHERE f.job_id = :job AND f.attempt = :attempt AND f.purpose = 'create' AND f.slot IS NOT 'not_sent'
    AND f.idempotency_key = r.idempotency_key
  ORDER BY f.id LIMIT 1), r.id)
JOIN instance i ON i.id = used.instance_id
WHERE r.job_id = :job AND r.attempt = :attempt AND r.purpose = 'create' AND r.resolution IS NULL
ORDER BY r.id
LIMIT 1;
