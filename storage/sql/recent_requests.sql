-- The limiter's memory, newest first; the reader stops where nothing can be held any more.
SELECT r.sent_boot_ms, r.finished_boot_ms, r.slot, r.http_status, i.boot_key, r.finished_boot_key
FROM request r JOIN instance i ON i.id = r.instance_id
ORDER BY r.id DESC;
