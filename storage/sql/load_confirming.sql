-- Jobs in state confirming, soonest due first. planned_boot_ms: as in load_waiting.sql. posted_boot_ms,
-- looked_boot_ms: when the creation and the last undecided look were sent, where that was in this boot.
SELECT j.id, j.kind, j.priority, j.root_id, j.level,
       EXISTS (SELECT 1 FROM job_edge e WHERE e.parent_id = j.id) AS has_children,
       j.due_at, j.updated_at,
       CASE WHEN last.finished_at = j.updated_at AND coalesce(last.finished_boot_key, owner.boot_key) = :boot_key
            THEN last.finished_boot_ms END AS planned_boot_ms,
       j.posted_at, j.looked_at, j.overdue,
       (SELECT CASE WHEN i.boot_key = :boot_key THEN r.sent_boot_ms END
        FROM request r JOIN instance i ON i.id = r.instance_id
        WHERE r.job_id = j.id AND r.purpose IN ('create', 'resubmit')
        ORDER BY r.id DESC LIMIT 1) AS posted_boot_ms,
       (SELECT CASE WHEN i.boot_key = :boot_key THEN r.sent_boot_ms END
        FROM request r JOIN instance i ON i.id = r.instance_id
        WHERE r.job_id = j.id AND r.purpose = 'status' AND r.outcome IN ('undecided', 'not_found')
        ORDER BY r.id DESC LIMIT 1) AS looked_boot_ms
FROM job j
LEFT JOIN request last ON last.id = (SELECT max(id) FROM request WHERE job_id = j.id)
LEFT JOIN instance owner ON owner.id = last.instance_id
WHERE j.state = 'confirming' AND j.lease_token IS NULL
ORDER BY j.due_at
LIMIT :n;
