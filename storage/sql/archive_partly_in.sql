-- The file that some rows of the batch have been moved to already, where it is another one. None has left: it may go anywhere.
SELECT archived_to FROM batch
WHERE id = :batch AND archived_to <> :file
  AND row_count > (SELECT count(*) FROM batch_row WHERE batch_id = :batch);
