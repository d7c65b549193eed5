-- Why a POST under a new key may not leave, beside the job's own row and its parents: an unresolved POST, an open
-- request, an answer that this attempt is there (whatever the job's row says). Whether the DSP may know the key of this
-- attempt already. And what it would send: no payload, no bytes.
SELECT max(r.resolution IS NULL AND (r.purpose = 'create' OR r.purpose = 'resubmit')) AS unresolved,
       max(r.id IS NOT NULL AND r.finished_at IS NULL) AS open,
       max(r.attempt = :attempt AND r.purpose = 'create' AND r.slot IS NOT 'not_sent') AS attempt_was_sent,
       max(r.attempt = :attempt AND (r.resolution = 'accepted' OR r.resolution = 'found')) AS attempt_was_accepted,
       p.body, p.sha256
FROM job_payload p LEFT JOIN request r ON r.job_id = p.job_id
WHERE p.job_id = :job;
