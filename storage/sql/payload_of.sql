SELECT body, sha256 FROM job_payload WHERE job_id = :job;
