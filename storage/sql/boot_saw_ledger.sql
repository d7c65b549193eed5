-- When this boot has seen the ledger as the last one left it. A boot that comes back (two machines over one shared disk, a
-- machine and its container) has not seen what the other sent meanwhile, however early it was here first.
SELECT min(started_boot_ms)
FROM instance
WHERE boot_key = :boot_key
  AND id > coalesce((SELECT max(id) FROM instance WHERE boot_key <> :boot_key), 0);
