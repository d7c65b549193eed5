SELECT c.job_id, c.line, j.key, j.state, j.kind
FROM temp.changed_payload c JOIN job j ON j.id = c.job_id
ORDER BY c.line, c.job_id;
