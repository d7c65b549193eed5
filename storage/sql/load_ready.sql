-- What may be submitted now, in order of work.
SELECT j.id, j.kind, j.priority, j.root_id, j.level,
       EXISTS (SELECT 1 FROM job_edge e WHERE e.parent_id = j.id) AS has_children
FROM job j
WHERE j.state = 'ready'
ORDER BY j.priority, j.root_id, j.level, j.id
LIMIT :n;
