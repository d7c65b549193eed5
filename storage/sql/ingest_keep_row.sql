UPDATE batch_row SET raw = :raw WHERE batch_id = :batch AND row = :row;
