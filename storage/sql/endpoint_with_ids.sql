-- The endpoint that this database was last sent to, where something of it is known to be there, or may be. That there is no
-- request is asked first: it spares the search through a table of which nothing was sent yet.
SELECT endpoint
FROM account
WHERE one = 1 AND endpoint IS NOT NULL
  AND EXISTS (SELECT 1 FROM request)
  AND (EXISTS (SELECT 1 FROM job WHERE dsp_id IS NOT NULL)
       OR EXISTS (SELECT 1 FROM request WHERE resolution IS NULL AND (purpose = 'create' OR purpose = 'resubmit')));
