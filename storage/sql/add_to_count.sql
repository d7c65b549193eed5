INSERT INTO job_count (batch_id, kind, state, n) VALUES (:batch, :kind, :state, :delta)
ON CONFLICT (batch_id, kind, state) DO UPDATE SET n = n + excluded.n;
