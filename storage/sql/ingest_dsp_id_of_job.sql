SELECT j.dsp_id
FROM job j JOIN batch b ON b.id = j.batch_id AND b.state = 'loaded'
WHERE j.key = :key;
