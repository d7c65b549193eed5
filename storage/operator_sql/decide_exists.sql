-- The job :key is in doubt (or failed), and the DSP has it under the id :dsp_id. The daemon asks for it at once.
-- An id that another job below the same parents has already, or whose creation failed, is not taken: that job is listed, and
-- nothing is decided. Nor is one without its quotes, of which the shell makes a number: 00123 would be 123, and 17-3 would be 14.
-- sqlite3 jobs.db -cmd ".parameter set :key \"'cmp_1/ag_7'\"" -cmd ".parameter set :dsp_id \"'8123'\"" \
--   -cmd ".parameter set :who maria" < decide_exists.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
INSERT INTO operator_act (job_id, act, dsp_id, who, why)
SELECT coalesce((SELECT job_id FROM v_jobs WHERE key = :key), 0), 'exists', :dsp_id,
       coalesce(:who, 'operator'), coalesce(:why, 'decide_exists.sql')
WHERE typeof(:dsp_id) IN ('text', 'null')
  AND NOT EXISTS (SELECT 1 FROM taken_id WHERE job_id = (SELECT id FROM job WHERE key = :key) AND dsp_id = :dsp_id);
SELECT 'put :dsp_id into quotes, "''8123''": as it stands it is the number ' || :dsp_id AS nothing_was_decided
WHERE typeof(:dsp_id) NOT IN ('text', 'null');
SELECT job.key AS has_this_id_already, job.state, taken_id.dsp_id, CASE is_dead WHEN 1 THEN 'its creation failed' ELSE '' END AS dead
FROM taken_id JOIN job ON job.id = taken_id.other_id
WHERE taken_id.job_id = (SELECT id FROM job WHERE key = :key) AND taken_id.dsp_id = :dsp_id;
SELECT key, state, dsp_id, due_utc FROM v_jobs WHERE key = :key;
