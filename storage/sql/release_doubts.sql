-- The account has learned a means to resolve a doubt: what was only held by policy goes on by itself.
UPDATE job SET hold = NULL, due_at = :due_at, updated_at = :at
WHERE state = 'in_doubt' AND hold = :hold;
