-- What each creation has sent. Bodies that are older than the digests have none.
SELECT r.job_id, j.key, r.id, b.body, b.digest
FROM request r JOIN job j ON j.id = r.job_id LEFT JOIN request_body b ON b.request_id = r.id
WHERE r.purpose = 'create' AND (b.body IS NULL OR b.digest IS NOT NULL);
