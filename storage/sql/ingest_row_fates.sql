-- How each row of a batch stands: by its deepest job and, where that is blocked, by whether something above it has
-- stopped (seldom anything has, which the counts tell once). A row each, and no GROUP BY, which would sort them.
SELECT CASE
         WHEN leaf.state = 'blocked' THEN
           CASE WHEN EXISTS (SELECT 1 FROM job_count WHERE state IN ('failed', 'cancelled', 'in_doubt') AND n > 0)
                 AND EXISTS (
                  SELECT 1 FROM job above
                  WHERE above.id IN (SELECT leaf.root_id UNION ALL
                                     SELECT e.parent_id FROM job_edge e WHERE e.child_id = leaf.id)
                    AND (above.state IN ('failed', 'cancelled') OR above.hold IS NOT NULL))
                THEN 'blocked' ELSE '' END
         WHEN leaf.state IN ('succeeded', 'failed', 'cancelled') OR leaf.hold IS NOT NULL THEN leaf.state
         ELSE ''
       END
FROM batch_row r JOIN job leaf ON leaf.id = r.job_id
WHERE r.batch_id = :batch;
