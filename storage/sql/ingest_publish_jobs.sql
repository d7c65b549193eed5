UPDATE job SET state = 'ready', updated_at = :at
WHERE batch_id = :batch AND state = 'blocked' AND open_parents = 0;
