-- There is no index for it: it reads all jobs.
SELECT j.key
FROM job j JOIN batch b ON b.id = j.batch_id AND b.state = 'loaded'
WHERE j.dsp_id = :dsp_id AND j.kind = :kind
LIMIT 1;
