DELETE FROM batch WHERE id = :batch AND state = 'loading';
