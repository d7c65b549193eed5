-- The last job that is not the orphan's: only one batch is loading at a time and its ids are above all others, so
-- all jobs above this one are the orphan's.
SELECT coalesce((SELECT id FROM job WHERE batch_id <> :batch ORDER BY id DESC LIMIT 1), 0);
