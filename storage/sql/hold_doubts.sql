-- The account gives no means to resolve a doubt.
UPDATE job SET hold = :hold, due_at = NULL, updated_at = :at
WHERE state = 'in_doubt' AND hold IS NULL AND lease_token IS NULL;
