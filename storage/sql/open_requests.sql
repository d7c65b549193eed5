SELECT r.id, r.job_id, r.purpose FROM request r WHERE r.finished_at IS NULL ORDER BY r.id;
