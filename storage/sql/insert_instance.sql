INSERT INTO instance (uuid, pid, host, version, boot_key, machine_id, lock_device, lock_inode,
                      started_at, started_boot_ms, rate_limit)
VALUES (:uuid, :pid, :host, :version, :boot_key, :machine_id, :lock_device, :lock_inode, :at, :boot_ms, :rate_limit);
