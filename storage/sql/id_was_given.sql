-- Whether an id of a job is one that the DSP has answered with, or an operator has named. Of an archived job the ledger has moved.
SELECT EXISTS (SELECT 1 FROM request WHERE job_id = :job AND dsp_id = :dsp_id)
    OR EXISTS (SELECT 1 FROM operator_act WHERE job_id = :job AND act = 'exists' AND dsp_id = :dsp_id)
    OR (SELECT archived_at IS NOT NULL FROM job WHERE id = :job);
