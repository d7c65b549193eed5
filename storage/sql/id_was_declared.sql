-- Whether the id of this attempt was given by an operator, and never by the DSP itself.
SELECT EXISTS (SELECT 1 FROM request WHERE job_id = :job AND attempt = :attempt AND resolution = 'exists');
