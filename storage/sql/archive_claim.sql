INSERT INTO property (name, value) VALUES ('archive_of', :database);
