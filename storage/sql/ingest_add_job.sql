-- Does nothing where the key is known already: the row count tells.
INSERT INTO job (id, kind, key, root_id, level, open_parents, batch_id, priority, updated_at)
VALUES (:id, :kind, :key, :root, :level, :open_parents, :batch, :priority, :at)
ON CONFLICT (key) DO NOTHING;
