DELETE FROM request_body WHERE request_id IN (SELECT id FROM request WHERE job_id = :job);
