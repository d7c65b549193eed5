-- Jobs in state in_doubt that resolve themselves, soonest due first. planned_boot_ms: when due_at was
-- planned, where that was the end of the last request in this boot; an operator's word and another boot's plan have none.
SELECT j.id, j.kind, j.priority, j.root_id, j.level,
       EXISTS (SELECT 1 FROM job_edge e WHERE e.parent_id = j.id) AS has_children,
       j.due_at, j.updated_at,
       CASE WHEN last.finished_at = j.updated_at AND coalesce(last.finished_boot_key, owner.boot_key) = :boot_key
            THEN last.finished_boot_ms END AS planned_boot_ms,
       (SELECT max(CASE WHEN coalesce(r.finished_boot_key, i.boot_key) = :boot_key
                        THEN r.finished_boot_ms ELSE :first_boot_ms END)
        FROM request r JOIN instance i ON i.id = r.instance_id
        WHERE r.job_id = j.id AND r.resolution IS NULL AND r.purpose IN ('create', 'resubmit')) AS ended_boot_ms
FROM job j
LEFT JOIN request last ON last.id = (SELECT max(id) FROM request WHERE job_id = j.id)
LEFT JOIN instance owner ON owner.id = last.instance_id
WHERE j.state = 'in_doubt' AND j.hold IS NULL AND j.lease_token IS NULL
ORDER BY j.due_at
LIMIT :n;
