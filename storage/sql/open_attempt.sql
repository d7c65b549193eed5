-- The present attempt is known dead, and its key is bound to other bytes: the next creation has a key of its own.
UPDATE job SET attempt = attempt + 1 WHERE id = :job AND state = 'ready' AND lease_token IS NULL;
