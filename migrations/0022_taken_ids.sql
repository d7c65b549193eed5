-- An id of the DSP's is one entity of a kind below one set of parents: DSPs that count anew below each parent, or repeat the
-- caller's ids, are legal, and 0020 refused what such a DSP really has. What a job may not be said to be is another below the
-- same parents, or a creation that the DSP itself has called failed, its own or a sibling's: that status would be taken
-- for this POST's, and the next one would be a duplicate.

-- Found without reading all jobs, or all requests.
CREATE INDEX job_campaign_id ON job (dsp_id) WHERE kind = 'campaign' AND dsp_id IS NOT NULL;
CREATE INDEX request_failed_creation ON request (job_id, attempt) WHERE outcome = 'creation_failed';

-- Ids that are another's (or, dead, of an earlier attempt): asked for one job and one id.
CREATE VIEW taken_id (job_id, dsp_id, other_id, is_dead) AS
SELECT it.id, other.dsp_id, other.id, 0
FROM job AS it JOIN job AS other ON other.kind = 'campaign' AND other.dsp_id IS NOT NULL AND other.id <> it.id
WHERE it.kind = 'campaign'
  AND NOT EXISTS (SELECT 1 FROM job_edge WHERE child_id = it.id)
  AND NOT EXISTS (SELECT 1 FROM job_edge WHERE child_id = other.id)

UNION ALL
SELECT it.id, other.dsp_id, other.id, 0
FROM job AS it
JOIN job_edge AS sibling ON sibling.parent_id = (SELECT min(parent_id) FROM job_edge WHERE child_id = it.id) AND sibling.child_id <> it.id
JOIN job AS other ON other.id = sibling.child_id AND other.kind = it.kind
WHERE NOT EXISTS (SELECT parent_id FROM job_edge WHERE child_id = it.id EXCEPT SELECT parent_id FROM job_edge WHERE child_id = other.id)
  AND NOT EXISTS (SELECT parent_id FROM job_edge WHERE child_id = other.id EXCEPT SELECT parent_id FROM job_edge WHERE child_id = it.id)

UNION ALL
SELECT it.id, answer.dsp_id, other.id, 1
FROM job AS it
JOIN request AS failed ON failed.outcome = 'creation_failed'
JOIN request AS answer ON answer.job_id = failed.job_id AND answer.attempt = failed.attempt AND answer.dsp_id IS NOT NULL
JOIN job AS other ON other.id = failed.job_id AND other.kind = it.kind
WHERE NOT EXISTS (SELECT parent_id FROM job_edge WHERE child_id = it.id EXCEPT SELECT parent_id FROM job_edge WHERE child_id = other.id)
  AND NOT EXISTS (SELECT parent_id FROM job_edge WHERE child_id = other.id EXCEPT SELECT parent_id FROM job_edge WHERE child_id = it.id);

DROP TRIGGER act_names_its_own_id;
CREATE TRIGGER act_names_its_own_id BEFORE INSERT ON operator_act
WHEN NEW.act = 'exists'
BEGIN
  SELECT CASE is_dead
    WHEN 0 THEN RAISE(ABORT, 'exists: another job below the same parents has this dsp_id already (SELECT * FROM v_jobs WHERE job_id IN (SELECT other_id FROM taken_id WHERE job_id = ... AND dsp_id = ''...'')); is it the right one?')
    ELSE RAISE(ABORT, 'exists: the DSP has said that the creation of this dsp_id failed (SELECT * FROM v_requests WHERE job_id IN (SELECT other_id FROM taken_id WHERE job_id = ... AND dsp_id = ''...'')); is it the right one?') END
  FROM taken_id
  WHERE job_id = NEW.job_id AND dsp_id = NEW.dsp_id;
END;
