-- The bytes of the last creation of an attempt that may have reached the DSP: its key stands for them.
SELECT b.body, b.digest
FROM request r LEFT JOIN request_body b ON b.request_id = r.id
WHERE r.job_id = :job AND r.attempt = :attempt AND r.purpose = 'create' AND r.slot IS NOT 'not_sent'
ORDER BY r.id DESC
LIMIT 1;
