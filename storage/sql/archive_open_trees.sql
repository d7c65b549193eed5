-- Trees with a request that is open.
SELECT j.root_id FROM request r JOIN job j ON j.id = r.job_id WHERE r.finished_at IS NULL;
