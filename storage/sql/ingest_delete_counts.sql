DELETE FROM job_count WHERE batch_id = :batch;
