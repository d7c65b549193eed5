-- Declared absent by an operator, and settled: it is looked up, as the account can be asked and its
-- POST carries the key.
UPDATE job
SET state = 'in_doubt', looks = 0, hold = NULL, due_at = :at, updated_at = :at
WHERE id = :job AND state = 'waiting'
  AND EXISTS (SELECT 1 FROM request r JOIN request_body b ON b.request_id = r.id
              WHERE r.job_id = job.id AND r.attempt = job.attempt AND r.purpose = 'create'
                AND r.resolution IS NULL AND instr(b.body, r.idempotency_key) > 0)
RETURNING kind, batch_id, attempt;
