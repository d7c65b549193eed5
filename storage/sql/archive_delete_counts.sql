DELETE FROM job_count;
