SELECT v.promise, coalesce(v.job_id, 0), coalesce(j.key, ''), v.what
FROM v_broken_promises v LEFT JOIN job j ON j.id = v.job_id
ORDER BY v.promise, v.job_id;
