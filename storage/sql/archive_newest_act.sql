SELECT coalesce(max(id), 0) FROM operator_act;
