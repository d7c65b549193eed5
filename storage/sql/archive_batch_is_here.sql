UPDATE batch SET archived_to = NULL, archived_at = NULL WHERE id = :batch;
