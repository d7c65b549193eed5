UPDATE batch
SET state = 'loaded', loaded_at = :at, row_count = :rows, sha256 = :sha256, new_count = :new,
    unchanged_count = :unchanged, changed_count = :changed, conflict_count = :conflict
WHERE id = :batch AND state = 'loading';
