-- Those that a job had before: from the DSP's answers, or by an operator's word.
SELECT q.dsp_id FROM job j JOIN request q ON q.job_id = j.id WHERE j.key = :key AND q.dsp_id IS NOT NULL
UNION
SELECT a.dsp_id FROM job j JOIN operator_act a ON a.job_id = j.id WHERE j.key = :key AND a.dsp_id IS NOT NULL;
