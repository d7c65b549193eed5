-- Row by row, and no GROUP BY: that would sort all jobs of the archive in memory.
INSERT INTO job_count (batch_id, kind, state, n)
SELECT batch_id, kind, state, 1 FROM job WHERE true
ON CONFLICT (batch_id, kind, state) DO UPDATE SET n = n + 1;
