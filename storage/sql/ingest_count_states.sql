-- Jobs by kind and state; of those in doubt, how many resolve themselves (no hold): nobody has to decide them. And of
-- the failed ones, how many are archived: nobody can.
SELECT c.kind, c.state, sum(c.n),
       CASE c.state WHEN 'in_doubt' THEN
         (SELECT count(*) FROM job j
          WHERE j.state = 'in_doubt' AND j.hold IS NULL AND j.kind = c.kind
            AND (j.batch_id = :batch OR :batch IS NULL))
       ELSE 0 END,
       CASE WHEN c.state = 'failed' AND EXISTS (SELECT 1 FROM batch WHERE archived_to IS NOT NULL) THEN
         (SELECT count(*) FROM job j
          WHERE j.state = 'failed' AND j.archived_at IS NOT NULL AND j.kind = c.kind
            AND (j.batch_id = :batch OR :batch IS NULL))
       ELSE 0 END
FROM job_count c JOIN batch b ON b.id = c.batch_id
WHERE b.state = 'loaded' AND (c.batch_id = :batch OR :batch IS NULL)
GROUP BY c.kind, c.state
HAVING sum(c.n) > 0;
