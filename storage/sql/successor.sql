-- A daemon that has taken over since.
SELECT pid, host FROM instance WHERE id > :own LIMIT 1;
