-- The digest stays: the same sheet loaded again is recognised by it.
UPDATE job_payload SET body = '' WHERE job_id = :job;
