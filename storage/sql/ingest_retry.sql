INSERT INTO operator_act (job_id, act, who, why) VALUES (:job, 'retry', :who, :why);
