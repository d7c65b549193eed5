SELECT parent.kind, parent.dsp_id
FROM job_edge e JOIN job parent ON parent.id = e.parent_id
WHERE e.child_id = :job
ORDER BY parent.level, parent.id;
