INSERT INTO request_body (request_id, body, digest) VALUES (:request, :body, :digest);
