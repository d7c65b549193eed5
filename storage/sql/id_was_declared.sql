-- Whether the id that is asked for was given by an operator, and never by the DSP itself for this attempt.
SELECT EXISTS (SELECT 1 FROM operator_act a
               WHERE a.job_id = j.id AND a.act = 'exists' AND a.dsp_id = j.dsp_id)
   AND NOT EXISTS (SELECT 1 FROM request r WHERE r.job_id = j.id AND r.attempt = j.attempt AND r.dsp_id = j.dsp_id)
FROM job j
WHERE j.id = :job;
