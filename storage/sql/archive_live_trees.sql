-- Trees of which something is not finished for good, or has been touched since :before: they stay whole. A failed
-- or cancelled job may have a POST of which nobody knows what became of it, or hold back a child in another tree. (One that
-- succeeded has none by what the store writes; if a hand made one, archive_mark_job leaves that job where it is.)
SELECT DISTINCT root_id
FROM job
WHERE id BETWEEN :first AND :last
  AND (state NOT IN ('succeeded', 'failed', 'cancelled') OR updated_at >= :before OR lease_token IS NOT NULL
       OR (state <> 'succeeded'
           AND (EXISTS (SELECT 1 FROM request r
                        WHERE r.job_id = job.id AND r.resolution IS NULL AND r.purpose IN ('create', 'resubmit'))
                OR EXISTS (SELECT 1 FROM job_edge e JOIN job child ON child.id = e.child_id
                           WHERE e.parent_id = job.id AND child.state NOT IN ('succeeded', 'failed', 'cancelled')))));
