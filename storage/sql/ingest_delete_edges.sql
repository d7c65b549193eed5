DELETE FROM job_edge WHERE child_id BETWEEN :first AND :last;
