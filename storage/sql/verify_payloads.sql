-- Of an archived job the payload is empty, and its digest that of what it was.
SELECT j.id, j.key, p.body, p.sha256
FROM job j LEFT JOIN job_payload p ON p.job_id = j.id
WHERE j.archived_at IS NULL;
