INSERT INTO batch_row (batch_id, row, line, job_id, raw) VALUES (:batch, :row, :line, :job, :raw);
