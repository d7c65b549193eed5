INSERT INTO request_body (request_id, body) VALUES (:request, :body);
