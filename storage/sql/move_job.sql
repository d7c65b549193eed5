-- Ends a lease and moves its job; the lease passes on to a first look that is on
-- the wire already.
UPDATE job
SET state = :to_state,
    attempt = attempt + :spent, tries = tries + :spent,
    setbacks = :setbacks, looks = :looks, due_at = :due_at, lease_token = :next_lease,
    dsp_id = CASE WHEN :drops_id THEN NULL ELSE coalesce(:dsp_id, dsp_id) END,
    posted_at = coalesce(:posted_at, posted_at),
    looked_at = coalesce(:looked_at, looked_at),
    overdue = :overdue, hold = :hold, error = :error, updated_at = :at
WHERE id = :job AND lease_token = :request;
