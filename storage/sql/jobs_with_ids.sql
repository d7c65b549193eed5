-- Which jobs have one of these ids (a JSON array), or had one whose creation the DSP has called failed. No index has them, for
-- every creation would pay for it: this reads all jobs, 0.1 s a million. Asked where a lookup has found an id without proof.
SELECT id, kind, dsp_id FROM job WHERE dsp_id IN (SELECT value FROM json_each(:ids))
UNION ALL
SELECT job.id, job.kind, answer.dsp_id
FROM request AS failed
JOIN request AS answer ON answer.job_id = failed.job_id AND answer.attempt = failed.attempt
JOIN job ON job.id = failed.job_id
WHERE failed.outcome = 'creation_failed' AND answer.dsp_id IN (SELECT value FROM json_each(:ids));
