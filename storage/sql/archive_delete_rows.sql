DELETE FROM batch_row WHERE batch_id = :batch AND row BETWEEN :first AND :last;
