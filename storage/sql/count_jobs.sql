-- Read at every load: so the few batches that are loading are looked up, and not those of years.
SELECT c.kind, c.state, sum(c.n)
FROM job_count c
WHERE c.batch_id NOT IN (SELECT b.id FROM batch b WHERE b.state = 'loading')
GROUP BY c.kind, c.state;
