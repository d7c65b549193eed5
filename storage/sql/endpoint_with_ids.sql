-- The endpoint that this database was last sent from to, where something of it is known to be there, or may be.
SELECT endpoint
FROM account
WHERE one = 1 AND endpoint IS NOT NULL
  AND (EXISTS (SELECT 1 FROM job WHERE dsp_id IS NOT NULL)
       OR EXISTS (SELECT 1 FROM request WHERE resolution IS NULL AND (purpose = 'create' OR purpose = 'resubmit')));
