-- In the parent's transaction.
UPDATE job SET state = :state, open_parents = open_parents - 1, updated_at = :at WHERE id = :job;
