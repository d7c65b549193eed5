-- Everything the permit transaction judges a job by. It reads the tables, not memory.
SELECT j.state, j.kind, j.key, j.priority, j.root_id, j.level, j.batch_id, j.open_parents, j.attempt,
       j.tries, j.setbacks, j.looks, j.lease_token, j.dsp_id, j.hold,
       EXISTS (SELECT 1 FROM job_edge e WHERE e.parent_id = j.id) AS has_children
FROM job j
WHERE j.id = :job;
