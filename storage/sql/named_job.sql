SELECT kind, key FROM job WHERE id = :job;
