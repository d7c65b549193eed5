DELETE FROM batch_row WHERE batch_id = :batch AND row IN
  (SELECT row FROM batch_row WHERE batch_id = :batch ORDER BY row DESC LIMIT :n);
