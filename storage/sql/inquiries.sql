-- Every attempt of these jobs whose creation may have reached the DSP, with what we believe of it.
SELECT r.job_id, j.key, j.kind, j.state, r.attempt, r.idempotency_key, max(instr(b.body, r.idempotency_key) > 0) AS can_be_asked,
       (SELECT x.dsp_id FROM request x
        WHERE x.job_id = r.job_id AND x.attempt = r.attempt AND x.dsp_id IS NOT NULL
        ORDER BY x.id DESC LIMIT 1) AS dsp_id,
       (SELECT a.dsp_id FROM operator_act a WHERE a.job_id = r.job_id AND a.act = 'exists' ORDER BY a.id DESC LIMIT 1) AS declared_id,
       EXISTS (SELECT 1 FROM request x WHERE x.job_id = r.job_id AND x.attempt = r.attempt
               AND x.purpose = 'status' AND x.outcome = 'creation_failed') AS is_dead,
       EXISTS (SELECT 1 FROM request x WHERE x.job_id = r.job_id AND x.attempt = r.attempt
               AND x.purpose IN ('create', 'resubmit') AND x.resolution IS NULL) AS is_unresolved,
       EXISTS (SELECT 1 FROM request x WHERE x.job_id = r.job_id AND x.attempt = r.attempt
               AND x.resolution = 'exists') AS was_declared
FROM request r JOIN job j ON j.id = r.job_id JOIN request_body b ON b.request_id = r.id
WHERE r.job_id BETWEEN :from AND :to AND r.purpose = 'create' AND r.slot IS NOT 'not_sent'
GROUP BY r.job_id, r.attempt
ORDER BY r.job_id, r.attempt;
