UPDATE batch SET archived_to = :file WHERE id = :batch AND state = 'loaded' AND archived_at IS NULL;
