-- Answered requests in the order in which they were sent, with the limit that they kept to, all times by one boot's clock.
SELECT r.id, i.boot_key, i.rate_limit, r.sent_boot_ms, r.finished_boot_ms
FROM request r JOIN instance i ON i.id = r.instance_id
WHERE r.slot = 'answered' AND r.finished_boot_key IS NULL AND i.rate_limit IS NOT NULL AND i.rate_limit <> 'none'
ORDER BY r.id;
