INSERT INTO batch (state, source, size_bytes, sha256, format, header, dialect,
                   loaded_by, priority, started_at, row_count)
VALUES ('loading', :source, :size_bytes, :sha256, :format, :header, :dialect,
        :loaded_by, :priority, :started_at, :row_count);
