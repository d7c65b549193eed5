SELECT c.kind, c.state, sum(c.n)
FROM job_count c JOIN batch b ON b.id = c.batch_id
WHERE b.state = 'loaded' AND (c.batch_id = :batch OR :batch IS NULL)
GROUP BY c.kind, c.state
HAVING sum(c.n) > 0;
