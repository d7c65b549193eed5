SELECT id FROM job WHERE id BETWEEN :first AND :last;
