DELETE FROM job_payload WHERE job_id BETWEEN :first AND :last;
