UPDATE property SET value = :generation WHERE name = 'generation';
