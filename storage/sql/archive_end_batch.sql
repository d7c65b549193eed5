UPDATE batch SET archived_at = :at WHERE id = :batch AND archived_to IS NOT NULL AND archived_at IS NULL;
