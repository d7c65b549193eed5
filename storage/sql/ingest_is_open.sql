SELECT state <> 'succeeded' FROM job WHERE id = :job;
