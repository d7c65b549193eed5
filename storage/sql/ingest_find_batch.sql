SELECT id, source, format, header, dialect, row_count, archived_to,
       archived_to IS NOT NULL AND archived_at IS NULL,
       unchanged_count + changed_count + conflict_count, conflict_count,
       EXISTS (SELECT 1 FROM batch later WHERE later.id > batch.id AND later.state = 'loaded' AND later.changed_count > 0)
FROM batch
WHERE state = 'loaded' AND (id = :batch OR :batch IS NULL)
ORDER BY id DESC
LIMIT 1;
