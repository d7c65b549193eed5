-- In no order: a sort by SQLite costs more than the rest of it.
SELECT parent.level, parent.id, parent.kind, parent.dsp_id, parent.state, parent.key
FROM job_edge e JOIN job parent ON parent.id = e.parent_id
WHERE e.child_id = :job;
