-- A check is about to pause the account: who else has paused it stands behind the check, and stays where that ends by itself.
UPDATE account
SET also_paused_by = paused_by, also_paused_reason = paused_reason, also_paused_at = paused_at
WHERE one = 1 AND paused_by NOT IN ('daemon', 'generation check', 'endpoint check', :check);
