-- Late evidence: the job was taken out of our hands, its request has ended all the same.
UPDATE job
SET lease_token = NULL, due_at = coalesce(due_at, :at), updated_at = :at
WHERE id = :job AND lease_token = :request AND state <> 'submitting';
