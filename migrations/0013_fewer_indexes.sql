-- A statement that changes a job's state opens every index that hangs on it, whether or not its row is in there: four
-- stand for the six that they replace. What is on the wire is due at no time, so it is not in job_due: a job that goes
-- to confirming with its first look under way touches none of them.
DROP INDEX job_waiting;
DROP INDEX job_confirming;
CREATE INDEX job_due ON job (state, due_at) WHERE (state = 'waiting' OR state = 'confirming') AND lease_token IS NULL;
DROP INDEX job_in_doubt;
DROP INDEX job_failed;
CREATE INDEX job_halted ON job (state, due_at) WHERE state = 'in_doubt' OR state = 'failed';
