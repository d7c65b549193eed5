-- Of a job's unresolved POSTs: how many, and when the last of them ended, by this boot's clock (another boot's
-- count as ended when this boot first saw the ledger).
SELECT count(*),
       max(CASE WHEN coalesce(r.finished_boot_key, i.boot_key) = :boot_key
                THEN r.finished_boot_ms ELSE :first_boot_ms END)
FROM request r JOIN instance i ON i.id = r.instance_id
WHERE r.job_id = :job AND r.resolution IS NULL AND r.purpose IN ('create', 'resubmit');
