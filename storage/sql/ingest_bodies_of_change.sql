SELECT p.body, c.body
FROM temp.changed_payload c JOIN job_payload p ON p.job_id = c.job_id
WHERE c.job_id = :job;
