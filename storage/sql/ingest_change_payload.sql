UPDATE job_payload
SET (body, sha256) = (SELECT c.body, c.sha256 FROM temp.changed_payload c WHERE c.job_id = :job)
WHERE job_id = :job;
