-- The intent: committed before the first byte leaves. Its id is the lease's fencing token.
INSERT INTO request (job_id, attempt, purpose, method, path, idempotency_key, body_request_id,
                     instance_id, worker, sent_at, sent_boot_ms)
VALUES (:job, :attempt, :purpose, :method, :path, :idempotency_key, :body_request,
        :instance, :worker, :at, :boot_ms);
