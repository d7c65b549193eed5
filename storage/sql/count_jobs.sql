SELECT c.kind, c.state, sum(c.n)
FROM job_count c JOIN batch b ON b.id = c.batch_id
WHERE b.state = 'loaded'
GROUP BY c.kind, c.state;
