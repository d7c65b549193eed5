-- What the daemon learns: how long the DSP takes, and how the cap of a limit that was refused climbs back.

-- How long processing takes, per kind, as a life table over the age since the creation was sent. One row
-- a bin that was ever touched; older observations fade, so the counts are not whole numbers.
CREATE TABLE processing_time (
  kind     TEXT NOT NULL CHECK (kind = 'campaign' OR kind = 'ad_group' OR kind = 'ad'),
  bin      INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,                -- the bin's upper edge; its lower one is the bin before
  entered  REAL NOT NULL,                   -- entities known to have been undone at its beginning
  done     REAL NOT NULL,                   -- of them, done in it
  believed REAL NOT NULL,                   -- likelihood of that before anything was seen
  PRIMARY KEY (kind, bin)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER guard_processing_time_insert BEFORE INSERT ON processing_time
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'processing_time is not written by hand: the daemon learns it'); END;
CREATE TRIGGER guard_processing_time_update BEFORE UPDATE ON processing_time
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'processing_time is not written by hand: the daemon learns it'); END;
CREATE TRIGGER guard_processing_time_delete BEFORE DELETE ON processing_time
WHEN (SELECT actor FROM writer) IS NULL
BEGIN SELECT RAISE(ABORT, 'processing_time is not written by hand: the daemon learns it'); END;

-- What the cap's way back counts by; compared only within the boot cap_boot_key.
ALTER TABLE account ADD COLUMN cap_boot_key TEXT;
ALTER TABLE account ADD COLUMN lowered_boot_ms INTEGER;  -- when the cap was last lowered
ALTER TABLE account ADD COLUMN clean_boot_ms INTEGER;    -- the window without a refusal being counted began
ALTER TABLE account ADD COLUMN clean_windows INTEGER NOT NULL DEFAULT 0;  -- in a row at or above the ceiling
