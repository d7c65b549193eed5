-- Nobody knows whether the DSP has it: also where an operator has declared that it does not, as long as a late request might still
-- be applied.
SELECT j.id, j.key,
       iif(j.state = 'waiting', 'declared absent, and not settled yet', coalesce(j.hold, 'resolves itself')), coalesce(j.error, '')
FROM job j
WHERE j.state = 'in_doubt'
   OR (j.state = 'waiting' AND EXISTS (SELECT 1 FROM request r WHERE r.job_id = j.id AND r.resolution IS NULL
                                       AND r.purpose IN ('create', 'resubmit')))
ORDER BY j.id;
