-- Which job below the same parents has an id already that a lookup of this one has found. A creation that the DSP has called failed
-- does not take its id with it: the DSP may give the same one to the next attempt.
SELECT t.other_id
FROM taken_id t
WHERE t.job_id = :job AND t.dsp_id = :dsp_id AND NOT t.is_dead
LIMIT 1;
