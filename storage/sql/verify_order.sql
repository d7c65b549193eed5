-- Children that were sent before the history says of a parent that it had succeeded, whatever it is now. Its lines are
-- numbered as they are committed: no clock is asked. Of an archived parent the lines are in the archive.
SELECT child.id, child.key, parent.key
FROM job_edge e JOIN job child ON child.id = e.child_id JOIN job parent ON parent.id = e.parent_id
WHERE (SELECT min(h.id) FROM job_history h JOIN job_rule r ON r.id = h.rule_id
       WHERE h.job_id = child.id AND r.to_state = 'submitting')
    < (SELECT min(h.id) FROM job_history h JOIN job_rule r ON r.id = h.rule_id
       WHERE h.job_id = parent.id AND r.to_state = 'succeeded');
