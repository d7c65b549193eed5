INSERT INTO job_history (job_id, at, rule_id, attempt, request_id, reason)
VALUES (:job, :at, :rule, :attempt, :request, :reason);
