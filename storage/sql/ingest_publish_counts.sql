SELECT kind, count(*) FROM job
WHERE batch_id = :batch AND state = 'blocked' AND open_parents = 0
GROUP BY kind;
