INSERT INTO job_history (job_id, at, rule_id, attempt, request_id, reason)
VALUES (:job, :at, :rule, (SELECT attempt FROM job WHERE id = :job) - :spent, :request, :reason);
