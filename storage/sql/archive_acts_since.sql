-- Trees that an operator has touched since :act: only an act gives life to what was finished.
SELECT a.id, j.root_id FROM operator_act a CROSS JOIN job j ON j.id = a.job_id WHERE a.id > :act ORDER BY a.id;
