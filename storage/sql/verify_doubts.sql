SELECT j.id, j.key, coalesce(j.hold, 'resolves itself'), coalesce(j.error, '')
FROM job j
WHERE j.state = 'in_doubt'
ORDER BY j.id;
