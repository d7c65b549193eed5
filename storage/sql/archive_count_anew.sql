INSERT INTO job_count (batch_id, kind, state, n)
SELECT batch_id, kind, state, count(*) FROM job GROUP BY batch_id, kind, state;
