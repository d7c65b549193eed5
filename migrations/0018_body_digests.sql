-- A resubmission sends the stored bytes of a creation again. That they are still the bytes that were sent is checked first, as a payload
-- is before a creation. Eight bytes are enough to see a change, and they are kept for each creation.
-- request_body's guards (0002) stand for this column, too: nobody updates it.

ALTER TABLE request_body ADD COLUMN digest INTEGER;  -- first 8 bytes of the body's SHA-256, big-endian; NULL: older than this column
