-- Rows of a batch with the tree each belongs to, from :first on.
SELECT r.row, r.job_id, j.root_id
FROM batch_row r JOIN job j ON j.id = r.job_id
WHERE r.batch_id = :batch AND r.row >= :first
ORDER BY r.row
LIMIT :n;
