SELECT pid FROM instance WHERE stopped_at IS NULL;
