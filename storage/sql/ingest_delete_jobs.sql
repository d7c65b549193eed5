DELETE FROM job WHERE id BETWEEN :first AND :last AND batch_id = :batch;
