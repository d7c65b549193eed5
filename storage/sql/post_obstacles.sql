-- Why a POST under a new key may not leave, beside the job's own row: an unresolved POST, an open
-- request, a parent that has not succeeded. And whether the DSP may know the key of this attempt already,
-- and what it would send.
SELECT
  EXISTS (SELECT 1 FROM request r
          WHERE r.job_id = :job AND r.resolution IS NULL AND r.purpose IN ('create', 'resubmit')) AS unresolved,
  EXISTS (SELECT 1 FROM request r WHERE r.job_id = :job AND r.finished_at IS NULL) AS open,
  EXISTS (SELECT 1 FROM job_edge e JOIN job parent ON parent.id = e.parent_id
          WHERE e.child_id = :job AND parent.state <> 'succeeded') AS unready_parent,
  EXISTS (SELECT 1 FROM request r
          WHERE r.job_id = :job AND r.attempt = :attempt AND r.purpose = 'create'
            AND r.slot IS NOT 'not_sent') AS attempt_was_sent,
  p.body, p.sha256
FROM job_payload p
WHERE p.job_id = :job;
