-- The first unresolved POST of the present attempt: its key and bytes are what a resubmission copies. The key is as old as
-- its first use, which an operator's 'absent' may have resolved since (found by the simulator, seed 3100003156).
SELECT r.id, r.idempotency_key, b.body, used.sent_at, used.sent_boot_ms, i.boot_key, b.digest
FROM request r
JOIN request_body b ON b.request_id = r.id
JOIN request used ON used.id = (SELECT min(f.id) FROM request f
                                WHERE f.job_id = :job AND f.attempt = :attempt AND f.purpose = 'create'
                                  AND f.resolution IS NOT 'not_sent')
JOIN instance i ON i.id = used.instance_id
WHERE r.job_id = :job AND r.attempt = :attempt AND r.purpose = 'create' AND r.resolution IS NULL
ORDER BY r.id
LIMIT 1;
