INSERT INTO temp.changed_payload (job_id, body, sha256, line) VALUES (:job, :body, :sha256, :line)
ON CONFLICT (job_id) DO NOTHING;
