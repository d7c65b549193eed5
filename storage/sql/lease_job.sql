UPDATE job
SET state = :to_state, lease_token = :request, due_at = NULL, updated_at = :at
WHERE id = :job AND state = :from_state AND lease_token IS NULL;
