-- Trees of the newest requests: whatever the wall clock says, the limiter keeps its memory.
SELECT DISTINCT j.root_id
FROM (SELECT job_id FROM request ORDER BY id DESC LIMIT :n) r JOIN job j ON j.id = r.job_id;
