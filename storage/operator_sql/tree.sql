-- The tree of a campaign (all campaigns without :campaign), with the DSP's ids.
-- sqlite3 jobs.db -cmd ".parameter set :campaign \"'cmp_1'\"" < tree.sql
.bail on
.timeout 5000
.once /dev/null
PRAGMA wal_autocheckpoint = 0;
.mode box
SELECT tree, state, dsp_id, error FROM v_tree WHERE :campaign IS NULL OR campaign = :campaign;
SELECT 'no campaign has the key ' || :campaign AS nothing_found
WHERE :campaign IS NOT NULL AND NOT EXISTS (SELECT 1 FROM v_jobs WHERE key = :campaign AND kind = 'campaign');
