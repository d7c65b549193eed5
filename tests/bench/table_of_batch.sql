-- One batch of a table that has been in use for years: run once a batch by dl-make-table, which fills
-- temp.bench_batch(id, first_job, campaigns, at, is_live, payload_bytes). A campaign is 111 jobs: itself and ten
-- ad groups of ten ads, in execution order. All is finished but in live batches, which are halfway through.
DROP TABLE IF EXISTS temp.plan;
CREATE TEMP TABLE plan AS
WITH RECURSIVE
  job_number (i) AS (
    SELECT 0 UNION ALL SELECT i + 1 FROM job_number, temp.bench_batch WHERE i + 1 < 111 * campaigns),
  placed AS (
    SELECT first_job + i AS id, first_job + i - i % 111 AS root, id AS batch, at, is_live, payload_bytes,
           i % 111 AS k, (i % 111 - 1) / 11 AS g, (i % 111 - 1) % 11 AS a, i / 111 AS c
    FROM job_number, temp.bench_batch),
  named AS (
    SELECT *,
           CASE WHEN k = 0 THEN 'campaign' WHEN a = 0 THEN 'ad_group' ELSE 'ad' END AS kind,
           CASE WHEN k = 0 THEN NULL WHEN a = 0 THEN root ELSE root + 1 + 11 * g END AS parent,
           printf('c%010d', root) || CASE WHEN k = 0 THEN '' WHEN a = 0 THEN printf('/g%d', g)
                                          ELSE printf('/g%d/a%d', g, a) END AS key,
           -- In a live batch one campaign of four has not begun; of the others a third of the ad groups
           -- has succeeded, a third is being confirmed and a third is ready.
           CASE WHEN NOT is_live THEN 'done' WHEN c % 4 = 0 THEN 'not begun'
                ELSE CASE g % 3 WHEN 0 THEN 'open' WHEN 1 THEN 'confirming' ELSE 'ready' END END AS stage
    FROM placed)
SELECT id, batch, kind, key, root, parent, at + k AS at, payload_bytes,
       CASE
         WHEN stage = 'done' AND kind = 'ad' AND id % 1009 = 0 THEN 'failed'
         WHEN stage = 'done' AND kind = 'ad' AND id % 2003 = 0 THEN 'cancelled'
         WHEN stage = 'done' THEN 'succeeded'
         WHEN kind = 'campaign' THEN iif(stage = 'not begun', 'ready', 'succeeded')
         WHEN stage = 'not begun' THEN 'blocked'
         WHEN kind = 'ad_group' THEN iif(stage = 'open', 'succeeded', stage)
         WHEN stage <> 'open' THEN 'blocked'
         WHEN id % 10 < 3 THEN 'ready'
         WHEN id % 10 < 5 THEN 'confirming'
         WHEN id % 10 = 5 THEN 'waiting'
         WHEN id % 10 = 6 THEN 'in_doubt'
         WHEN id % 10 = 7 THEN 'failed'
         ELSE 'succeeded'
       END AS state
FROM named;

INSERT INTO batch (id, state, source, size_bytes, sha256, format, header, loaded_by, started_at, loaded_at,
                   row_count, new_count)
SELECT id, 'loaded', printf('sheet_%05d.csv', id), 25600 * campaigns, 'bench', 'csv', '[]', 'bench', at, at,
       100 * campaigns, 111 * campaigns
FROM temp.bench_batch;

UPDATE account SET most_retries = max_retries;  -- as a daemon leaves it

INSERT INTO job (id, batch_id, kind, key, root_id, level, state, open_parents, tries, due_at, dsp_id, posted_at,
                 hold, error, updated_at)
SELECT id, batch, kind, key, root, CASE kind WHEN 'campaign' THEN 0 WHEN 'ad_group' THEN 1 ELSE 2 END, state,
       state = 'blocked', iif(state = 'failed', 4, 0),
       CASE WHEN state IN ('confirming', 'waiting') OR (state = 'in_doubt' AND id % 20 < 10) THEN at + 3600000 END,
       iif(state IN ('confirming', 'succeeded'), printf('dsp_%016x', id), NULL),
       iif(state IN ('confirming', 'succeeded'), at, NULL),
       iif(state = 'in_doubt' AND id % 20 >= 10, 'no proof either way, and unknown_outcome is hold', NULL),
       iif(state = 'failed', 'HTTP 500: internal error ' || id % 7, NULL), at + 2000
FROM temp.plan ORDER BY id;

INSERT INTO job_payload (job_id, body, sha256)
SELECT id, body, bench_sha256(body)
FROM (SELECT id, '{"id":"' || key || '","name":"Name ' || id || '","click_url":"https://shop.example.com/"'
                 || ',"creative_url":"https://cdn.example.com/' || substr(hex(zeroblob(payload_bytes / 2 + 1)), 1, max(0, payload_bytes - 110))
                 || '"}' AS body
      FROM temp.plan ORDER BY id);

INSERT INTO job_edge (parent_id, child_id)
SELECT parent, id FROM temp.plan WHERE parent IS NOT NULL ORDER BY parent, id;

INSERT INTO batch_row (batch_id, row, line, job_id)
SELECT batch, row_number() OVER (ORDER BY id), 1 + row_number() OVER (ORDER BY id), id
FROM temp.plan WHERE kind = 'ad' ORDER BY id;

-- The ledger: one creation, and one look at the status of what has succeeded; what failed was tried four times.
INSERT INTO request (job_id, attempt, purpose, method, path, idempotency_key, instance_id, worker, sent_at,
                     sent_boot_ms, finished_at, finished_boot_ms, slot, latency_us, http_status, outcome, dsp_id,
                     error, resolution)
SELECT id, attempt.n, 'create', 'POST', '/' || kind || 's',
       printf('%08x-0000-5000-8000-%012x', id, attempt.n), batch, 0, at + attempt.n, at + attempt.n, at + 40, at + 40,
       iif(state = 'in_doubt', 'unsure', 'answered'), 39000,
       CASE state WHEN 'failed' THEN 500 WHEN 'in_doubt' THEN NULL ELSE 201 END,
       CASE state WHEN 'failed' THEN 'refused' WHEN 'in_doubt' THEN 'unknown' ELSE 'accepted' END,
       iif(state IN ('failed', 'in_doubt'), NULL, printf('dsp_%016x', id)),
       CASE state WHEN 'failed' THEN 'HTTP 500' WHEN 'in_doubt' THEN 'connection reset' END,
       CASE state WHEN 'failed' THEN 'refused' WHEN 'in_doubt' THEN NULL ELSE 'accepted' END
FROM temp.plan JOIN (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) AS attempt
  ON attempt.n = 1 OR state = 'failed'
WHERE state IN ('succeeded', 'confirming', 'failed', 'in_doubt') ORDER BY id, attempt.n;

INSERT INTO request_body (request_id, body, digest)
SELECT request.id, job_payload.body, bench_short_digest(job_payload.body)
FROM temp.plan JOIN request ON request.job_id = plan.id JOIN job_payload ON job_payload.job_id = plan.id
WHERE purpose = 'create' ORDER BY request.id;

INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, sent_at, sent_boot_ms, finished_at,
                     finished_boot_ms, slot, latency_us, http_status, outcome)
SELECT id, 1, 'status', 'GET', printf('/%ss/dsp_%016x/status', kind, id), batch, 0, at + 1000, at + 1000, at + 1040,
       at + 1040, 'answered', 39000, 200, 'confirmed'
FROM temp.plan WHERE state = 'succeeded' ORDER BY id;

INSERT INTO job_history (job_id, at, rule_id, attempt, reason)
SELECT plan.id, plan.at, job_rule.id, 1, iif(event = 'exhausted', 'HTTP 500', NULL)
FROM temp.plan JOIN job_rule
  ON (event = 'parents_done' AND plan.state <> 'blocked')
  OR (event = 'leased' AND plan.state NOT IN ('blocked', 'ready', 'cancelled'))
  OR (event = 'accepted' AND plan.state IN ('confirming', 'succeeded'))
  OR (event = 'confirmed' AND plan.state = 'succeeded')
  OR (event = 'exhausted' AND from_state = 'submitting' AND plan.state = 'failed')
  OR (event = 'unknown' AND plan.state = 'in_doubt')
  OR (event = 'refused' AND plan.state = 'waiting')
  OR (event = 'cancel' AND from_state = 'ready' AND plan.state = 'cancelled')
ORDER BY plan.id, job_rule.id;

INSERT INTO job_count (batch_id, kind, state, n)
SELECT batch, kind, state, count(*) FROM temp.plan GROUP BY batch, kind, state;
