-- What the end of a lease needs to know of its job. 0 rows: the lease is not ours any more. Not a RETURNING clause of
-- move_job: that is a table in memory and a journal for each statement, 2 us of the 12 that the move of a job costs.
SELECT batch_id, kind, attempt FROM job
WHERE id = :job AND state = :from_state AND lease_token = :request;
