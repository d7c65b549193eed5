-- The end of a request; a row is completed once.
UPDATE request
SET finished_at = :at, finished_boot_ms = :boot_ms, finished_boot_key = :boot_key, slot = :slot,
    latency_us = :latency_us, http_status = :http_status, outcome = :outcome, dsp_id = :dsp_id,
    dsp_request_id = :dsp_request_id, error = :error, resolution = :resolution
WHERE id = :request AND finished_at IS NULL;
