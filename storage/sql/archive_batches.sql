-- Batches that may still have rows here. Only loaded ones: who archives holds the ingest lock.
SELECT id, source, loaded_at
FROM batch
WHERE state = 'loaded' AND archived_at IS NULL
ORDER BY id;
