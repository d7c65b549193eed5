INSERT INTO job_edge (parent_id, child_id) VALUES (:parent, :child);
