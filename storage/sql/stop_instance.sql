UPDATE instance SET stopped_at = :at WHERE id = :instance;
