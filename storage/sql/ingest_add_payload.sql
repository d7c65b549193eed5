INSERT INTO job_payload (job_id, body, sha256) VALUES (:job, :body, :sha256);
