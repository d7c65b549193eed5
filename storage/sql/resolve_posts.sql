-- What is now known of a job's POSTs that were unresolved.
UPDATE request
SET resolution = :resolution
WHERE job_id = :job AND resolution IS NULL AND purpose IN ('create', 'resubmit');
