-- Jobs in state confirming, soonest due first.
SELECT j.id, j.kind, j.priority, j.root_id, j.level,
       EXISTS (SELECT 1 FROM job_edge e WHERE e.parent_id = j.id) AS has_children,
       j.due_at, j.updated_at, j.posted_at, j.looked_at, j.overdue,
       (SELECT max(CASE WHEN coalesce(r.finished_boot_key, i.boot_key) = :boot_key
                        THEN r.finished_boot_ms ELSE :first_boot_ms END)
        FROM request r JOIN instance i ON i.id = r.instance_id
        WHERE r.job_id = j.id AND r.resolution IS NULL AND r.purpose IN ('create', 'resubmit')) AS ended_boot_ms
FROM job j
WHERE j.state = 'confirming' AND j.lease_token IS NULL
ORDER BY j.due_at
LIMIT :n;
