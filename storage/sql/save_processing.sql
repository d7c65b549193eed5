INSERT INTO processing_time (kind, bin, until_ms, entered, done, believed)
VALUES (:kind, :bin, :until_ms, :entered, :done, :believed)
ON CONFLICT (kind, bin) DO UPDATE SET entered = excluded.entered, done = excluded.done, believed = excluded.believed;
