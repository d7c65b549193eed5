-- Jobs that are below others than the one that their key names.
SELECT child.id, child.key
FROM job child
WHERE child.kind <> 'campaign'
  AND NOT EXISTS (SELECT 1 FROM job_edge e JOIN job parent ON parent.id = e.parent_id
                  WHERE e.child_id = child.id AND substr(child.key, 1, length(parent.key) + 1) = parent.key || '/');
