-- The DSP does not know the id that an operator gave, or says that its creation failed, so what was resolved by his word is unresolved again.
UPDATE request
SET resolution = NULL
WHERE job_id = :job AND resolution = 'exists' AND attempt = (SELECT attempt FROM job WHERE id = :job);
