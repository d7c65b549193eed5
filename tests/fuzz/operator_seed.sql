-- The jobs of tests/fuzz/operator_database: one in every state, each with the history and the ledger
-- that lead there. Written in one transaction of the daemon, on an empty database.
INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at, loaded_at, row_count)
VALUES (1, 'loaded', 'spring.csv', 100, 'ab', 'csv', 'maria', 1000, 2000, 3),
       (2, 'loading', 'summer.csv', 100, 'cd', 'csv', 'maria', 3000, NULL, 1);
INSERT INTO instance (id, uuid, pid, host, version, boot_key, machine_id, lock_device, lock_inode,
                      started_at, started_boot_ms)
VALUES (1, 'u', 7, 'host', '0.1', 'boot', 'machine', 1, 1, 1000, 1000);

INSERT INTO job (id, batch_id, kind, key, root_id, level, state, open_parents, lease_token, dsp_id, posted_at,
                 due_at, hold, error, tries, updated_at)
VALUES (1, 1, 'campaign', 'c1', 1, 0, 'succeeded', 0, NULL, 'dsp-1', 3000, NULL, NULL, NULL, 0, 5000),
       (2, 1, 'ad_group', 'c1/g1', 1, 1, 'confirming', 0, NULL, 'dsp-2', 3000, 9000, NULL, NULL, 0, 5000),
       (3, 1, 'ad', 'c1/g1/a1', 1, 2, 'blocked', 1, NULL, NULL, NULL, NULL, NULL, NULL, 0, 5000),
       (4, 1, 'ad', 'c1/g1/a2', 1, 2, 'cancelled', 1, NULL, NULL, NULL, NULL, NULL, NULL, 0, 5000),
       (5, 1, 'campaign', 'c2', 5, 0, 'ready', 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 5000),
       (6, 1, 'campaign', 'c3', 6, 0, 'waiting', 0, NULL, NULL, NULL, 9000, NULL, 'HTTP 429', 1, 5000),
       (7, 1, 'campaign', 'c4', 7, 0, 'submitting', 0, 3, NULL, NULL, NULL, NULL, NULL, 0, 5000),
       (8, 1, 'campaign', 'c5', 8, 0, 'in_doubt', 0, NULL, NULL, NULL, NULL, 'no proof', NULL, 0, 5000),
       (9, 1, 'campaign', 'c6', 9, 0, 'failed', 0, NULL, NULL, NULL, NULL, NULL, 'HTTP 422', 1, 5000),
       (10, 1, 'campaign', 'c7', 10, 0, 'in_doubt', 0, 6, NULL, NULL, NULL, NULL, NULL, 0, 5000),
       (11, 1, 'ad_group', 'c1/g2', 1, 1, 'failed', 0, NULL, NULL, NULL, NULL, NULL, 'HTTP 400', 1, 5000),
       (12, 1, 'ad', 'c1/g2/a1', 1, 2, 'blocked', 1, NULL, NULL, NULL, NULL, NULL, NULL, 0, 5000),
       (13, 1, 'campaign', 'c8', 13, 0, 'cancelled', 0, NULL, 'dsp-13', 3000, NULL, NULL, NULL, 0, 5000),
       (14, 1, 'campaign', 'c9', 14, 0, 'cancelled', 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 5000),
       (15, 2, 'campaign', 'hidden', 15, 0, 'blocked', 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 3000);
INSERT INTO job_edge (parent_id, child_id) VALUES (1, 2), (2, 3), (2, 4), (1, 11), (11, 12);
INSERT INTO job_payload (job_id, body, sha256) SELECT id, '{"id":"' || key || '","name":"N"}', zeroblob(32) FROM job;
INSERT INTO batch_row (batch_id, row, line, job_id) VALUES (1, 1, 2, 3), (1, 2, 3, 4), (1, 3, 4, 12), (2, 1, 2, 15);
INSERT INTO job_count (batch_id, kind, state, n) SELECT batch_id, kind, state, count(*) FROM job GROUP BY 1, 2, 3;

INSERT INTO request (id, job_id, attempt, purpose, method, path, idempotency_key, body_request_id, instance_id,
                     worker, sent_at, sent_boot_ms, finished_at, finished_boot_ms, slot, http_status, outcome,
                     dsp_id, error, resolution)
VALUES (1, 1, 1, 'create', 'POST', '/campaigns', 'k1', 1, 1, 0, 3000, 3000, 3100, 3100, 'answered', 201, 'accepted',
        'dsp-1', NULL, 'accepted'),
       (2, 2, 1, 'create', 'POST', '/ad-groups', 'k2', 2, 1, 0, 3000, 3000, 3100, 3100, 'answered', 201, 'accepted',
        'dsp-2', NULL, 'accepted'),
       (3, 7, 1, 'create', 'POST', '/campaigns', 'k7', 3, 1, 0, 3000, 3000, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL),
       (4, 8, 1, 'create', 'POST', '/campaigns', 'k8', 4, 1, 0, 3000, 3000, 3100, 3100, 'unsure', NULL, 'unknown',
        NULL, 'cut', NULL),
       (5, 10, 1, 'create', 'POST', '/campaigns', 'k10', 5, 1, 0, 3000, 3000, 3100, 3100, 'unsure', NULL, 'unknown',
        NULL, 'cut', NULL),
       (6, 10, 1, 'lookup', 'GET', '/campaigns', NULL, NULL, 1, 0, 4000, 4000, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL),
       (7, 9, 1, 'create', 'POST', '/campaigns', 'k9', 7, 1, 0, 3000, 3000, 3100, 3100, 'answered', 422, 'refused_for_good',
        NULL, 'bad creative', 'refused'),
       (8, 13, 1, 'create', 'POST', '/campaigns', 'k13', 8, 1, 0, 3000, 3000, 3100, 3100, 'answered', 201, 'accepted',
        'dsp-13', NULL, 'accepted'),
       (9, 14, 1, 'create', 'POST', '/campaigns', 'k14', 9, 1, 0, 3000, 3000, 3100, 3100, 'unsure', NULL, 'unknown',
        NULL, 'cut', NULL);
INSERT INTO request_body (request_id, body) SELECT id, '{"sent":' || id || '}' FROM request WHERE purpose = 'create';

-- The way to each state, as events.
INSERT INTO job_history (job_id, at, rule_id, attempt, request_id)
WITH way (job_id, step, from_state, event, request_id) AS (
  SELECT id, 1, 'blocked', 'parents_done', NULL FROM job WHERE id IN (1, 2, 5, 6, 7, 8, 9, 10, 11, 13, 14)
  UNION ALL SELECT id, 2, 'ready', 'leased', NULL FROM job WHERE id IN (1, 2, 6, 7, 8, 9, 10, 11, 13, 14)
  UNION ALL SELECT id, 3, 'submitting', 'accepted', NULL FROM job WHERE id IN (1, 2, 13)
  UNION ALL VALUES (1, 4, 'confirming', 'confirmed', NULL), (13, 4, 'confirming', 'cancel', NULL),
    (4, 1, 'blocked', 'cancel', NULL), (6, 3, 'submitting', 'throttled', NULL),
    (8, 3, 'submitting', 'unknown', 4), (10, 3, 'submitting', 'unknown', 5), (14, 3, 'submitting', 'unknown', 9),
    (14, 4, 'in_doubt', 'cancel', NULL), (9, 3, 'submitting', 'refused_for_good', 7),
    (11, 3, 'submitting', 'refused_for_good', NULL))
SELECT way.job_id, 3000 + step, job_rule.id, 1, way.request_id
FROM way JOIN job_rule ON job_rule.from_state = way.from_state AND job_rule.event = way.event
ORDER BY way.job_id, step;
