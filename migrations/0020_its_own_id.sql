-- A typing mistake in act 'exists' that names another job's id: its children would be created below a stranger, and their
-- money spent there. An id belongs to one entity of its kind (that is how the DSP is asked for it).
CREATE TRIGGER act_names_its_own_id BEFORE INSERT ON operator_act
WHEN NEW.act = 'exists'
BEGIN
  SELECT RAISE(ABORT, 'exists: another job has this dsp_id already (SELECT * FROM v_jobs WHERE dsp_id = ''...''); is it the right one?')
  WHERE EXISTS (SELECT 1 FROM job AS it JOIN job AS other ON other.kind = it.kind AND other.id <> it.id
                WHERE it.id = NEW.job_id AND other.dsp_id = NEW.dsp_id);
END;
