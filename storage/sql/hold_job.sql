UPDATE job
SET hold = :hold, due_at = NULL, updated_at = :at
WHERE id = :job AND state = 'in_doubt' AND hold IS NULL AND lease_token IS NULL;
