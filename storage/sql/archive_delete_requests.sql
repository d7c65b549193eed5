DELETE FROM request WHERE job_id = :job;
